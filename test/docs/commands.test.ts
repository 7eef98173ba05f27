import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { commandProofs } from "./command-proofs.ts";
import { DemoServer } from "./demo-server.ts";
import { commandsOf, documents, root } from "./documents.ts";

const commands = documents().flatMap(commandsOf);
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };

test("the documents' commands are found: there are dozens", () => {
  assert.ok(commands.length > 20, `only ${commands.length} were found`);
});

test("each proof proves a command that some document has", () => {
  const idle = commandProofs.filter(({ command }) => !commands.some(({ text }) => command.test(text)));
  assert.deepEqual(idle, []);
});

test("every script of package.json runs a file that is there, and every documented script exists", () => {
  for (const [name, script] of Object.entries(scripts)) {
    for (const [file] of script.matchAll(/[\w/.-]+\.(?:ts|mjs)/g)) {
      assert.ok(existsSync(join(root, file)), `npm run ${name} runs ${file}, which is not there`);
    }
  }
  for (const { path, text } of documents()) {
    for (const [, name = ""] of text.matchAll(/npm run ([\w:]+)/g))
      assert.ok(name in scripts, `${path}: npm run ${name}`);
  }
});

const toolsMissing = ["sh", "curl"].filter((tool) => spawnSync(tool, ["--help"]).error !== undefined);

describe("as the documents say", {
  skip: toolsMissing.length > 0 && `there is no ${toolsMissing.join(", no ")} here`,
}, () => {
  const demo = new DemoServer();
  before(() => demo.start());
  after(() => demo.stop());

  test("npm prints nothing beside a command's JSON", { skip: whyNpmCannotRun() }, async () => {
    const printed = await demo.run("command npm run parley -- status --json");
    assert.equal(JSON.parse(printed).ok, true);
  });

  for (const text of new Set(commands.map((command) => command.text))) {
    test(text, async () => {
      const found = commandProofs.find(({ command }) => command.test(text));
      const { path } = commands.find((command) => command.text === text) ?? { path: "" };
      assert.ok(found !== undefined, `${path} has a command that nobody tries: add it to test/docs/command-proofs.ts`);
      if (typeof found.proof === "function") await found.proof(demo, text);
    });
  }
});

/** `npm run` would install first where start.mjs did not install this very lock file: that is no business of a test. */
function whyNpmCannotRun(): string | false {
  const stamp = join(root, "node_modules/.parley-installed");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const isInstalled = existsSync(stamp) && readFileSync(stamp, "utf8").startsWith(lock);
  return isInstalled ? false : "the packages were not installed by start.mjs";
}
