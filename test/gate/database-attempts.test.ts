import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync, type SQLInputValue } from "node:sqlite";
import { type TestContext, test } from "node:test";
import type { MessageId } from "../../src/core/ids.ts";
import type { Message } from "../../src/core/message.ts";
import { decide } from "../../src/journey/decide.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { TestHost } from "../contracts/test-host.ts";
import { createWorld, engineOf, say, type World } from "../journey/world.ts";

// Whoever can write the database file can forge a verdict as well. These attempts do not: they go for everything else.

interface Break extends World {
  /** A second connection to the file, as a program of its own would open it. */
  readonly raw: DatabaseSync;
  /** The answer to a message, queued and not yet sent. */
  readonly queued: Message;
  path(id: MessageId): Promise<readonly string[]>;
}

type Row = Record<string, SQLInputValue>;

async function breakIn(context: TestContext, { outcome = "pass" }: { outcome?: "pass" | "hold" } = {}): Promise<Break> {
  const folder = mkdtempSync(join(tmpdir(), "parley-gate-"));
  const host = new TestHost();
  const options = { folder, host, as: "server" } as const;
  const storage = await openSqliteStorage(options);
  const raw = new DatabaseSync(join(folder, "parley.db"));
  context.after(async () => {
    raw.close();
    await storage.close();
    rmSync(folder, { recursive: true, force: true });
  });
  const world = createWorld({ host, storage, engine: engineOf("agent:plain", () => say("harmless")) });
  world.bot.reviewers = [
    {
      name: "gatekeeper",
      review: ({ kind }) =>
        kind === "outbound" && outcome === "hold" ? { kind: "hold", reason: "look at it" } : { kind: "pass" },
    },
  ];
  const asked = await world.say("hello");
  await world.turn();
  const { turnId } = await world.load(asked);
  const turn = await storage.findTurn(turnId!);
  return {
    ...world,
    raw,
    queued: await world.load(turn!.answerIds[0]!),
    path: async (id) => ((await storage.findPath(id))?.verdicts ?? []).map(({ outcome }) => outcome),
  };
}

function rowOf(raw: DatabaseSync, table: string): Row {
  return raw.prepare(`SELECT * FROM ${table}`).get() as Row;
}

function insert(raw: DatabaseSync, table: string, row: Row, verb = "INSERT"): void {
  const names = Object.keys(row);
  const marks = names.map(() => "?").join();
  raw.prepare(`${verb} INTO ${table} (${names.join()}) VALUES (${marks})`).run(...Object.values(row));
}

function updateMessage(raw: DatabaseSync, id: MessageId, set: string): void {
  raw.prepare(`UPDATE messages SET ${set} WHERE id = ?`).run(id);
}

const swapped = `parts = '[{"kind":"text","text":"swapped"}]'`;

async function nothingSent({ channel, load, queued }: Break, reason: string): Promise<void> {
  assert.deepEqual(channel.delivered, []);
  const message = await load(queued.id);
  assert.deepEqual([message.state, message.reason], ["dead", reason]);
}

for (const [what, forge] of Object.entries({
  "of a message without a verdict": (row: Row) => ({ ...row, message: 999 }),
  "of another content": (row: Row) => ({ ...row, content_hash: "0".repeat(64) }),
  "with a verdict that did not pass": (row: Row) => ({ ...row, outcome: "hold" }),
  "with an inbound verdict": (row: Row) => ({ ...row, direction: "inbound" }),
  "of no message": (row: Row) => ({ ...row, message: null }),
  "of no content": (row: Row) => ({ ...row, content_hash: null }),
  "with no outcome": (row: Row) => ({ ...row, outcome: null }),
} satisfies Record<string, (row: Row) => Row>)) {
  test(`the database refuses a row of the outbox ${what}`, async (context) => {
    const { raw } = await breakIn(context);
    const row = rowOf(raw, "outbox");
    assert.ok("message" in row && "content_hash" in row, "the outbox has the columns that are forged here");
    const forged = forge({ ...row, seq: 999, key: "forged" });
    assert.throws(() => insert(raw, "outbox", forged), /constraint failed/);
    insert(raw, "outbox", { ...row, seq: 999, key: "twice" });
  });
}

test("the database refuses to queue what a person said, as no outbound verdict can be about it", async (context) => {
  const { raw } = await breakIn(context);
  const person = raw.prepare("SELECT seq, content_hash FROM messages WHERE sender = 'person'").get() as Row;
  const forged = { ...rowOf(raw, "outbox"), seq: 999, message: person.seq!, content_hash: person.content_hash! };
  assert.throws(() => insert(raw, "outbox", forged), /FOREIGN KEY/);
});

for (const [what, sender, columns] of [
  ["the very verdict that held it", "bot", { outcome: "hold", direction: "outbound" }],
  ["the verdict on what came in", "person", { outcome: "pass", direction: "inbound" }],
] as const) {
  test(`the database refuses a row of the outbox that stands on ${what}`, async (context) => {
    const { raw } = await breakIn(context, { outcome: "hold" });
    const message = raw
      .prepare("SELECT seq, conversation, content_hash FROM messages WHERE sender = ?")
      .get(sender) as Row;
    const { seq = null, conversation = null, content_hash = null } = message;
    const forged = { conversation, seq: 9, key: "forged", message: seq, enqueued_at: 0, content_hash, ...columns };
    assert.throws(() => insert(raw, "outbox", forged), /CHECK/);
  });
}

test("the database keeps a verdict that a waiting job stands on, whether it is deleted or turned", async (context) => {
  const broken = await breakIn(context);
  assert.throws(() => broken.raw.exec("DELETE FROM verdicts WHERE direction = 'outbound'"), /FOREIGN KEY/);
  assert.throws(
    () => broken.raw.exec("UPDATE verdicts SET outcome = 'reject' WHERE direction = 'outbound'"),
    /FOREIGN KEY/,
  );
  await broken.rest();
  assert.deepEqual(broken.channel.texts, ["harmless"]);
});

test("the database refuses another hash for a job that waits", async (context) => {
  const { raw } = await breakIn(context);
  assert.throws(() => raw.exec(`UPDATE outbox SET content_hash = '${"0".repeat(64)}'`), /FOREIGN KEY/);
});

test("the database refuses other parts for what the bot said, whether it waits or was sent", async (context) => {
  const broken = await breakIn(context);
  const { raw, queued } = broken;
  for (const set of [swapped, `content_hash = '${"0".repeat(64)}'`]) {
    assert.throws(() => updateMessage(raw, queued.id, set), /only what a person said/);
  }
  await broken.rest();
  assert.deepEqual(broken.channel.texts, ["harmless"]);
  assert.throws(() => updateMessage(raw, queued.id, swapped), /only what a person said/);
});

test("parts that were swapped behind the trigger's back are stopped by stage 6, and the message says why", async (context) => {
  const broken = await breakIn(context);
  const { raw, queued } = broken;
  updateMessage(raw, queued.id, "sender = 'person'");
  updateMessage(raw, queued.id, swapped);
  updateMessage(raw, queued.id, "sender = 'bot'");
  await broken.rest();
  await nothingSent(broken, "its content is not what its verdict passed");
});

test("a message that was swapped with its hash is stopped by stage 6: the job has the hash that passed", async (context) => {
  const broken = await breakIn(context);
  const { raw, queued, host } = broken;
  const hash = host.hash(JSON.stringify([["text", "swapped"]]));
  updateMessage(raw, queued.id, "sender = 'person'");
  updateMessage(raw, queued.id, `${swapped}, content_hash = '${hash}'`);
  updateMessage(raw, queued.id, "sender = 'bot'");
  await broken.rest();
  await nothingSent(broken, "its content is not what its verdict passed");
});

test("a dead message whose parts were swapped is not sent when an operator resubmits it", async (context) => {
  const broken = await breakIn(context);
  const { raw, queued } = broken;
  const sources = { store: broken.storage, host: broken.host };
  updateMessage(raw, queued.id, "sender = 'person'");
  updateMessage(raw, queued.id, swapped);
  updateMessage(raw, queued.id, "sender = 'bot'");
  await broken.rest();
  await decide(queued.id, { kind: "resubmit" }, "olga", sources);
  await broken.rest();
  await nothingSent(broken, "its content is not what its verdict passed");
});

test("a held message whose parts were swapped is not sent when an operator releases it", async (context) => {
  const broken = await breakIn(context, { outcome: "hold" });
  const { raw, queued } = broken;
  assert.throws(() => updateMessage(raw, queued.id, swapped), /only what a person said/);
  updateMessage(raw, queued.id, "sender = 'person'");
  updateMessage(raw, queued.id, swapped);
  updateMessage(raw, queued.id, "sender = 'bot'");
  await decide(queued.id, { kind: "release" }, "olga", { store: broken.storage, host: broken.host });
  await broken.rest();
  await nothingSent(broken, "its content is not what its verdict passed");
});

test("a held message that is marked as queued in the file is not sent: it has no row in the outbox, and can have none", async (context) => {
  const broken = await breakIn(context, { outcome: "hold" });
  const { raw, queued } = broken;
  ignoringRefusal(() => updateMessage(raw, queued.id, "state = 'queued'"));
  const { seq, content_hash } = raw
    .prepare("SELECT seq, content_hash FROM messages WHERE id = ?")
    .get(queued.id) as Row;
  assert.throws(
    () =>
      raw
        .prepare(
          "INSERT INTO outbox (conversation, seq, key, message, enqueued_at, content_hash) VALUES (1, 9, 'k', ?, 0, ?)",
        )
        .run(seq!, content_hash!),
    /FOREIGN KEY/,
  );
  await broken.rest();
  assert.deepEqual([broken.channel.delivered, await broken.path(queued.id)], [[], ["hold"]]);
});

for (const state of ["queued", "delivered"]) {
  test(`the database refuses to mark as ${state} what no verdict passed: the chat page shows what is delivered`, async (context) => {
    const { raw, queued, load } = await breakIn(context, { outcome: "hold" });
    assert.throws(() => updateMessage(raw, queued.id, `state = '${state}'`), /verdict/);
    assert.equal((await load(queued.id)).state, "held");
  });
}

test("what a person said, swapped before it is judged, is judged and put on record as it is then", async (context) => {
  const broken = await breakIn(context);
  const id = await broken.say("hello");
  updateMessage(broken.raw, id, swapped);
  await broken.rest();
  const path = await broken.storage.findPath(id);
  assert.deepEqual(
    path?.verdicts.map(({ contentHash }) => contentHash),
    [broken.host.hash(JSON.stringify([["text", "swapped"]]))],
  );
});

test("what a person said, swapped after an operator passed it, is judged anew", async (context) => {
  const broken = await breakIn(context);
  const shown: string[] = [];
  broken.bot.reviewers = [{ name: "holding", review: () => ({ kind: "hold", reason: "look at it" }) }];
  const curious = engineOf("agent:plain", ({ messages }) => {
    shown.push(JSON.stringify(messages));
    return say("seen");
  });
  broken.bot.engines = new Map([["agent:plain", curious]]);
  const id = await broken.say("hello");
  await broken.turn();
  await decide(id, { kind: "release" }, "olga", { store: broken.storage, host: broken.host });
  updateMessage(broken.raw, id, swapped);
  await broken.turn();
  assert.deepEqual([shown, (await broken.load(id)).state], [[], "held"]);
});

function ignoringRefusal(work: () => void): void {
  try {
    work();
  } catch (error) {
    assert.match(String(error), /verdict/);
  }
}
