import assert from "node:assert/strict";
import type { Change } from "../../src/core/change.ts";
import { contentHash } from "../../src/core/content.ts";
import { BugError } from "../../src/core/errors.ts";
import type { ContentHash, MessageId } from "../../src/core/ids.ts";
import type { OutboxJob } from "../../src/core/job.ts";
import { limits } from "../../src/core/limits.ts";
import type { Message, MessageState } from "../../src/core/message.ts";
import type { VerdictRecord } from "../../src/core/verdict.ts";
import { decide } from "../../src/journey/decide.ts";
import { attempt, type Gate, type Open } from "./gate-scene.ts";

/** Rejects whatever goes out, so that no verdict of the gate itself lets anything through. */
const rejecting = [
  {
    name: "rejecting",
    review: ({ kind }: { readonly kind: string }) =>
      kind === "inbound" ? ({ kind: "pass" } as const) : ({ kind: "reject", reason: "no" } as const),
  },
];

interface Smuggling {
  readonly gate: Gate;
  /** Of the bot, never judged, in a conversation that is there. */
  readonly message: Message;
  readonly asked: Message;
}

async function smuggle(open: Open, fields: Partial<Message> = {}): Promise<Smuggling> {
  const gate = await open({ reviewers: rejecting });
  const asked = await gate.load(await gate.say("hello"));
  await gate.rest();
  const parts = [{ kind: "text", text: "smuggled" }] as const;
  const message: Message = {
    ...asked,
    id: gate.host.newId("msg") as MessageId,
    from: "bot",
    personId: null,
    parts,
    contentHash: contentHash(parts, gate.host),
    state: "queued",
    platformRef: null,
    ...fields,
  };
  return { gate, message, asked };
}

function jobFor(message: Message, fields: Partial<OutboxJob> = {}): OutboxJob {
  const { id, conversationId, contentHash } = message;
  return { queue: "outbox", key: `job of ${id}`, conversationId, messageId: id, priority: 5, contentHash, ...fields };
}

function verdictOn(message: Message, fields: Partial<VerdictRecord> = {}): Change {
  const { id, contentHash, at } = message;
  const passed = { outcome: "pass", direction: "outbound", reviewer: "forged", changed: false, reason: null } as const;
  return { kind: "verdict", verdict: { messageId: id, contentHash, at, ...passed, ...fields } };
}

/** Every door of the storage refuses these changes, and nothing of them is written or goes out. */
async function refusedAtEveryDoor({ gate, message }: Smuggling, changes: readonly Change[]): Promise<void> {
  const { storage } = gate;
  await assert.rejects(storage.apply(changes), BugError, "apply");
  const next = await gate.say("again", "ben");
  const [lease] = await storage.claim({ queue: "inbox", lanesMax: 1, jobsMax: 1, leaseMs: limits.leaseMs });
  await assert.rejects(storage.save(lease!, changes), BugError, "save");
  await assert.rejects(storage.settle(lease!, { kind: "done" }, changes), BugError, "settle");
  await storage.settle(lease!, { kind: "retry", afterMs: 0, isCounted: false }, []);
  const job = changes.find((change) => change.kind === "job");
  const others = changes.filter((change) => change.kind !== "job");
  if (job !== undefined)
    await assert.rejects(storage.enqueue({ ...job.job, key: "enqueued" }, others), BugError, "enqueue");
  await gate.rest();
  assert.deepEqual(gate.channel.delivered, []);
  assert.equal(await storage.findMessage(message.id), undefined);
  assert.equal((await gate.load(next)).state, "answered");
}

const withoutPass: Readonly<Record<string, (message: Message) => Change[]>> = {
  "no verdict at all": () => [],
  "a verdict that holds": (message) => [verdictOn(message, { outcome: "hold" })],
  "a verdict that rejects": (message) => [verdictOn(message, { outcome: "reject" })],
  "an inbound verdict": (message) => [verdictOn(message, { direction: "inbound" })],
  "a verdict on another content": (message) => [verdictOn(message, { contentHash: "0".repeat(64) as ContentHash })],
  "a verdict on another message": (message) => [verdictOn(message, { messageId: "msg_other" as MessageId })],
};

for (const [what, verdicts] of Object.entries(withoutPass)) {
  attempt(`a message and its job with ${what} are refused together`, async (open) => {
    const smuggling = await smuggle(open);
    const { message } = smuggling;
    const job: Change = { kind: "job", job: jobFor(message) };
    await refusedAtEveryDoor(smuggling, [{ kind: "message", message }, ...verdicts(message), job]);
  });
}

attempt("a job before its verdict in one call is refused: changes are written in order", async (open) => {
  const smuggling = await smuggle(open);
  const { message, gate } = smuggling;
  const written: Change = { kind: "message", message };
  const job: Change = { kind: "job", job: jobFor(message) };
  await assert.rejects(gate.storage.apply([written, job, verdictOn(message)]), BugError);
  await assert.rejects(gate.storage.apply([job, verdictOn(message), written]), BugError);
  await gate.rest();
  assert.deepEqual(gate.channel.delivered, []);
});

attempt("a job for another content than the message has is refused, whatever passed", async (open) => {
  const smuggling = await smuggle(open);
  const { message } = smuggling;
  const other = { contentHash: "0".repeat(64) as ContentHash };
  const job: Change = { kind: "job", job: jobFor(message, other) };
  await refusedAtEveryDoor(smuggling, [
    { kind: "message", message },
    verdictOn(message),
    verdictOn(message, other),
    job,
  ]);
});

attempt("what a person said is not echoed out, even with a verdict", async (open) => {
  const { gate, asked } = await smuggle(open);
  const job: Change = { kind: "job", job: jobFor(asked) };
  await assert.rejects(gate.storage.apply([verdictOn(asked), job]), BugError);
  await gate.rest();
  assert.deepEqual(gate.channel.delivered, []);
});

attempt("a job in another conversation than its message is refused", async (open) => {
  const { gate, asked } = await smuggle(open);
  gate.bot.reviewers = [{ name: "lenient", review: () => ({ kind: "pass" }) }];
  const other = await gate.say("hello", "ben");
  await gate.rest();
  const answer = await gate.answerTo(other);
  const job: Change = { kind: "job", job: jobFor(answer, { conversationId: asked.conversationId }) };
  await assert.rejects(gate.storage.apply([job]), BugError);
});

attempt("a hash that is not the content's passes the storage, and stage 6 stops it", async (open) => {
  const { gate, message } = await smuggle(open, { contentHash: "0".repeat(64) as ContentHash });
  await gate.storage.apply([{ kind: "message", message }, verdictOn(message), { kind: "job", job: jobFor(message) }]);
  await gate.rest();
  assert.deepEqual(gate.channel.delivered, []);
  const { state, reason } = await gate.load(message.id);
  assert.deepEqual([state, reason], ["dead", "its content is not what its verdict passed"]);
});

attempt("a message that has passed is not filled with other parts", async (open) => {
  const { gate, message } = await smuggle(open);
  await gate.storage.apply([{ kind: "message", message }, verdictOn(message), { kind: "job", job: jobFor(message) }]);
  const parts = [{ kind: "text", text: "other" }] as const;
  const change: Change = { kind: "parts", messageId: message.id, parts, contentHash: contentHash(parts, gate.host) };
  assert.equal(await gate.storage.apply([change]).catch(() => false), false);
  assert.equal(await gate.storage.apply([{ kind: "message", message: { ...message, parts } }]), true);
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["smuggled"]);
});

attempt("a held message that is moved without a verdict is not sent, nor shown as delivered", async (open) => {
  const { gate, message } = await smuggle(open, { state: "held" });
  await gate.storage.apply([{ kind: "message", message }, verdictOn(message, { outcome: "hold" })]);
  const move = (from: MessageState, to: MessageState): Change => {
    return { kind: "state", messageId: message.id, from, to, reason: null };
  };
  const moves = [move("held", "queued"), move("queued", "delivered")];
  assert.equal(await gate.storage.apply(moves).catch(() => false), false);
  await gate.rest();
  assert.deepEqual([gate.channel.delivered, (await gate.load(message.id)).state], [[], "held"]);
});

attempt(
  "a message that is written as delivered without a verdict is refused: the chat page would show it",
  async (open) => {
    const { gate, message } = await smuggle(open, { state: "delivered" });
    assert.equal(await gate.storage.apply([{ kind: "message", message }]).catch(() => false), false);
    assert.equal(await gate.storage.findMessage(message.id), undefined);
  },
);

attempt("a job for a held message that only a verdict was smuggled in for is not sent", async (open) => {
  const { gate, message } = await smuggle(open, { state: "held" });
  await gate.storage.apply([{ kind: "message", message }, verdictOn(message), { kind: "job", job: jobFor(message) }]);
  await gate.rest();
  assert.deepEqual([gate.channel.delivered, (await gate.load(message.id)).state], [[], "held"]);
});

attempt("a held message that two operators release at once goes out once", async (open) => {
  const { gate, message } = await smuggle(open, { state: "held" });
  await gate.storage.apply([{ kind: "message", message }]);
  const sources = { store: gate.storage, host: gate.host };
  const release = () => decide(message.id, { kind: "release" }, "olga", sources);
  const results = await Promise.allSettled([release(), release()]);
  assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["smuggled"]);
});

attempt(
  "one operator releases and another rejects at once: the first has the word, and the gate agrees",
  async (open) => {
    const { gate, message } = await smuggle(open, { state: "held" });
    await gate.storage.apply([{ kind: "message", message }]);
    const sources = { store: gate.storage, host: gate.host };
    const results = await Promise.allSettled([
      decide(message.id, { kind: "reject", reason: "no" }, "olga", sources),
      decide(message.id, { kind: "release" }, "omar", sources),
    ]);
    assert.deepEqual(results.map(({ status }) => status).sort(), ["fulfilled", "rejected"]);
    await gate.rest();
    const isOut = (await gate.load(message.id)).state === "delivered";
    assert.equal(gate.channel.delivered.length, isOut ? 1 : 0);
  },
);
