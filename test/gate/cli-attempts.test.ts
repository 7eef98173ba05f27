import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import type { MessageId } from "../../src/core/ids.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { TestHost } from "../contracts/test-host.ts";
import { createWorld, type World } from "../journey/world.ts";

const main = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));

const configuration = `
storage: { type: local, local: { base_path: ./data } }
bots:
  demo:
    channels: { web: { platform: web } }
    routes: [{ agent: guide }]
agents:
  guide: { persona: { name: Guide, role: Guide }, engine: plain }
engines:
  plain: { type: local }
`;

interface Scene extends World {
  /** The answer that is held, or was sent. */
  readonly answer: MessageId;
  parley(...args: readonly string[]): Promise<{ code: number; out: { ok: boolean; error?: { code: string } } }>;
}

/** A data folder with one answer in it, and the commands on it. */
async function scene(context: TestContext, outcome: "pass" | "hold" | "reject"): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), "parley-gate-cli-"));
  writeFileSync(join(folder, "parley.yaml"), configuration);
  const host = new TestHost();
  const options = { folder: join(folder, "data"), host, as: "command" } as const;
  const storage = await openSqliteStorage(options);
  context.after(async () => {
    await storage.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const world = createWorld({ host, storage });
  world.bot.reviewers = [
    {
      name: "gatekeeper",
      review: ({ kind }) =>
        kind === "inbound" || outcome === "pass" ? { kind: "pass" } : { kind: outcome, reason: "look at it" },
    },
  ];
  const asked = await world.say("hello");
  await world.rest();
  const turn = await storage.findTurn((await world.load(asked)).turnId!);
  const parley: Scene["parley"] = (...args) =>
    new Promise((resolve) => {
      const command = [main, "--json", "--config", join(folder, "parley.yaml"), ...args];
      const env = { ...process.env, PARLEY_DATA_DIR: "", PARLEY_CONFIG: "" };
      execFile(process.execPath, command, { env }, (error, stdout) => {
        resolve({ code: error === null ? 0 : Number(error.code), out: JSON.parse(stdout) });
      });
    });
  return { ...world, parley, answer: turn!.answerIds[0]! };
}

test("dead resubmit of a held message is refused, and nothing goes out", async (context) => {
  const { parley, answer, load, rest, channel } = await scene(context, "hold");
  const { code, out } = await parley("dead", "resubmit", answer);
  assert.deepEqual([code === 0, out.ok, out.error?.code], [false, false, "conflict"]);
  await rest();
  assert.deepEqual([channel.delivered, (await load(answer)).state], [[], "held"]);
});

test("held release of a delivered message is refused, and it does not go out twice", async (context) => {
  const { parley, answer, rest, channel } = await scene(context, "pass");
  const { code, out } = await parley("held", "release", answer);
  assert.deepEqual([code === 0, out.ok, out.error?.code], [false, false, "conflict"]);
  await rest();
  assert.equal(channel.delivered.length, 1);
});

test("held release of what the gate rejected, or of a message that is not there, is refused", async (context) => {
  const { parley, answer, rest, channel } = await scene(context, "reject");
  assert.equal((await parley("held", "release", answer)).out.error?.code, "conflict");
  assert.equal((await parley("held", "release", "msg_none")).out.error?.code, "not_found");
  await rest();
  assert.deepEqual(channel.delivered, []);
});

test("held release lets out exactly what was held, and its verdict names who did it", async (context) => {
  const { parley, answer, rest, channel, storage } = await scene(context, "hold");
  assert.equal((await parley("held", "release", answer)).out.ok, true);
  await rest();
  assert.deepEqual(channel.texts, ["you said: hello"]);
  const verdicts = (await storage.findPath(answer))?.verdicts ?? [];
  const passed = verdicts.filter(({ outcome }) => outcome === "pass");
  assert.equal(passed.length, 1);
  assert.match(passed[0]!.reviewer, /^operator:./);
});
