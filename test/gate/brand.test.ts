import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

const given = `
import type { Bot } from "${root}src/core/bot.ts";
import type { Channel, Delivery } from "${root}src/core/channel.ts";
import type { Engine, TurnContext } from "${root}src/core/engine.ts";
import type { ChannelId } from "${root}src/core/ids.ts";
import type { Draft, Message } from "${root}src/core/message.ts";
import type { ReviewedMessage } from "${root}src/core/reviewed.ts";
import { route } from "${root}src/journey/3-route.ts";
declare const bot: Bot;
declare const channel: Channel;
declare const channelId: ChannelId;
declare const context: TurnContext;
declare const delivery: Delivery;
declare const draft: Draft;
declare const engine: Engine;
declare const message: Message;
declare const inbound: ReviewedMessage<"inbound">;
declare const outbound: ReviewedMessage<"outbound">;
declare const signal: AbortSignal;
`;

/** What must compile, so that what must not does not fail for another reason. */
const allowed: Readonly<Record<string, string>> = {
  "a channel delivers what was reviewed to go out": "channel.deliver({ ...delivery, message: outbound }, signal);",
  "an engine takes what was reviewed on its way in": "engine.takeTurn({ ...context, messages: [inbound] });",
  "a route is chosen for what was reviewed": "route(inbound, channelId, bot);",
  "what was reviewed can be read as a message": "export const plain: Message = inbound;",
};

const refused: Readonly<Record<string, string>> = {
  "a channel does not deliver a message": "channel.deliver({ ...delivery, message }, signal);",
  "a channel does not deliver a copy of a message":
    "channel.deliver({ ...delivery, message: { ...message } }, signal);",
  "a channel does not deliver a draft": "channel.deliver({ ...delivery, message: draft }, signal);",
  "a channel does not deliver what was judged on its way in":
    "channel.deliver({ ...delivery, message: inbound }, signal);",
  "an engine does not take a message": "engine.takeTurn({ ...context, messages: [message] });",
  "an engine does not take what was judged to go out": "engine.takeTurn({ ...context, messages: [outbound] });",
  "a route is not chosen for a message": "route(message, channelId, bot);",
  "a reviewed message is not made of a message": 'export const made: ReviewedMessage<"outbound"> = { ...message };',
  "a reviewed message is not made with a mark of one's own":
    'export const made: ReviewedMessage<"outbound"> = { ...message, reviewed: "outbound" };',
  "a reviewed message does not keep its mark with other parts":
    'export const made: ReviewedMessage<"outbound"> = { ...outbound, parts: [] };',
  "an engine does not return reviewed messages for drafts that go round the review":
    "export const result: Awaited<ReturnType<Engine['takeTurn']>> = { drafts: [], messages: [outbound] };",
};

let folder = "";
const errorsOf = new Map<string, string[]>();

before(async () => {
  folder = mkdtempSync(join(tmpdir(), "parley-gate-types-"));
  const snippets = Object.entries({ ...allowed, ...refused });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  for (const [index, [, code]] of snippets.entries()) writeFileSync(join(folder, `s${index}.ts`), `${given}${code}\n`);
  const compilerOptions = { noUnusedLocals: false, typeRoots: [join(root, "node_modules/@types")] };
  const settings = { extends: join(root, "tsconfig.json"), compilerOptions, include: [join(folder, "*.ts")] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(settings));
  const output = await compile(folder);
  for (const [index, [name]] of snippets.entries()) {
    errorsOf.set(
      name,
      output.split("\n").filter((line) => line.includes(`s${index}.ts(`)),
    );
  }
  const elsewhere = output.split("\n").filter((line) => /^\S.*error TS/.test(line) && !/\bs\d+\.ts\(/.test(line));
  assert.deepEqual(elsewhere, [], "the compiler has errors of its own");
});

after(() => rmSync(folder, { recursive: true, force: true }));

function compile(project: string): Promise<string> {
  const compiler = join(root, "node_modules/.bin/tsc");
  return new Promise((resolve) => {
    execFile(compiler, ["-p", project], { cwd: root }, (_error, stdout) => resolve(stdout));
  });
}

for (const name of Object.keys(allowed)) {
  test(`${name}`, () => assert.deepEqual(errorsOf.get(name), []));
}

for (const name of Object.keys(refused)) {
  test(`${name}: the compiler refuses it`, () => {
    const [error, ...more] = errorsOf.get(name) ?? [];
    assert.match(error ?? "it compiles", /error TS(2322|2345|2353|2741|2739|2740)/);
    assert.deepEqual(more, []);
  });
}

const sources = globSync("src/**/*.ts", { cwd: root })
  .filter((path) => !path.endsWith(".test.ts"))
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

/** The files of src in which this occurs. */
function filesWith(pattern: RegExp): readonly string[] {
  return sources
    .filter(({ text }) => pattern.test(text))
    .map(({ path }) => path)
    .sort();
}

test("a reviewed message is made in two files, of which each is a stage that judges", () => {
  const stages = ["src/journey/2-review-inbound.ts", "src/journey/5-review-outbound.ts"];
  assert.deepEqual(filesWith(/\b(as|is|satisfies)\s+(readonly\s+)?ReviewedMessage\b/), stages);
});

test("nothing in src goes round the types on the way through the gate", () => {
  assert.deepEqual(filesWith(/\bas (any|never)\b|@ts-(ignore|expect-error|nocheck)/), []);
  assert.deepEqual(filesWith(/\bas (unknown as )?(Delivery|TurnContext)\b/), []);
});

test("a channel is asked to deliver in stage 6 only, and an engine to take a turn in stage 4 only", () => {
  assert.deepEqual(filesWith(/\bchannel\??\.deliver\(/), ["src/journey/6-deliver.ts"]);
  assert.deepEqual(filesWith(/\bengine\??\.takeTurn\(/), ["src/journey/4-take-turn.ts"]);
});

test("a verdict is put on record by the reviewers' judgement and an operator's decision only", () => {
  const files = ["src/journey/2-review-inbound.ts", "src/journey/5-review-outbound.ts", "src/journey/decide.ts"];
  assert.deepEqual(filesWith(/kind: "verdict",\s*verdict\b/), files);
});
