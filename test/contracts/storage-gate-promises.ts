import assert from "node:assert/strict";
import type { Change } from "../../src/core/change.ts";
import { BugError } from "../../src/core/errors.ts";
import type { ContentHash } from "../../src/core/ids.ts";
import type { Message } from "../../src/core/message.ts";
import type { VerdictRecord } from "../../src/core/verdict.ts";
import { done, type Scene } from "./storage-scene.ts";

/** What cannot get into a queue, whoever asks. */
export const gatePromises: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "nothing goes out without a verdict": async (scene) => {
    await isRefused(scene, scene.answer(scene.conversation("a")), []);
  },

  "a verdict that held or rejected a message lets nothing out": async (scene) => {
    const message = scene.answer(scene.conversation("a"));
    await isRefused(scene, message, [{ outcome: "hold" }, { outcome: "reject" }]);
  },

  "a verdict on what came in lets nothing out": async (scene) => {
    await isRefused(scene, scene.answer(scene.conversation("a")), [{ direction: "inbound" }]);
  },

  "a verdict on another content, or on another message, lets nothing out": async (scene) => {
    const conversation = scene.conversation("a");
    const other = await scene.send(conversation);
    await scene.settle(await scene.claimOne("outbox"));
    const message = scene.answer(conversation);
    await isRefused(scene, message, [{ contentHash: "another" as ContentHash }]);
    const same = scene.answer(conversation, { parts: other.parts });
    assert.equal(same.contentHash, other.contentHash);
    await isRefused(scene, same, []);
  },

  "a job for another content than the message has lets nothing out, though that content passed": async (scene) => {
    const message = scene.answer(scene.conversation("a"));
    const contentHash = "another" as ContentHash;
    const job = scene.outboxJob(message, { contentHash });
    const verdict: Change = { kind: "verdict", verdict: scene.verdict(message, { contentHash }) };
    await isRefusedEverywhere(scene, message, [verdict], { kind: "job", job });
  },

  "what a person said never goes out": async (scene) => {
    await isRefused(scene, scene.message(scene.conversation("a")), [{}]);
  },

  "what was judged to go out is never completed or changed": async (scene) => {
    const conversation = scene.conversation("a");
    const message = scene.answer(conversation, { state: "received" });
    await scene.storage.apply([{ kind: "conversation", conversation }, ...scene.sending(message)]);
    const parts: Change = { kind: "parts", messageId: message.id, parts: [], contentHash: "other" as ContentHash };
    await assert.rejects(scene.storage.apply([parts]), BugError);
    assert.deepEqual((await scene.claimOne("outbox")).jobs[0]?.message, message);
  },

  "what the bot says is neither queued again nor delivered without a verdict": async (scene) => {
    const conversation = scene.conversation("a");
    const held = scene.answer(conversation, { state: "held" });
    const queued = scene.answer(conversation);
    const sent = scene.answer(conversation, { state: "delivered" });
    const messages = [held, queued].map((message): Change => ({ kind: "message", message }));
    await scene.storage.apply([{ kind: "conversation", conversation }, ...messages]);
    await assert.rejects(scene.storage.apply([{ kind: "message", message: sent }]), BugError);
    const moves = [
      { kind: "state", messageId: held.id, from: "held", to: "queued", reason: null },
      { kind: "state", messageId: queued.id, from: "queued", to: "delivered", reason: null },
    ] satisfies Change[];
    for (const move of moves) await assert.rejects(scene.storage.apply([move]), BugError, move.to);
    assert.deepEqual(await scene.storage.findMessages([held.id, queued.id, sent.id]), [held, queued]);
    const verdicts = [held, queued].map((message): Change => ({ kind: "verdict", verdict: scene.verdict(message) }));
    assert.equal(await scene.storage.apply([...verdicts, ...moves]), true);
  },

  "a message that was held goes out once a verdict passed it": async (scene) => {
    const conversation = scene.conversation("a");
    const message = scene.answer(conversation);
    await isRefused(scene, message, [{ outcome: "hold" }, { direction: "inbound" }]);
    assert.equal(await scene.storage.apply(scene.sending(message)), true);
    const [job] = (await scene.claimOne("outbox")).jobs;
    assert.deepEqual(job?.message, message);
    assert.equal(job?.reviewedHash, message.contentHash);
  },

  "a job needs its message, in its own conversation": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"), { key: "1" });
    await scene.receive(scene.conversation("b"), { key: "2" });
    const { id: conversationId } = scene.conversation("b");
    const strayed = scene.inboxJob(message, { key: "3", conversationId });
    const missing = scene.inboxJob(scene.message(scene.conversation("a")), { key: "4" });
    const sent = await scene.send(scene.conversation("a"));
    const misdirected = scene.outboxJob(sent, { key: "5", conversationId });
    for (const job of [strayed, missing, misdirected]) {
      await assert.rejects(scene.storage.enqueue(job, []), BugError, job.key);
      await assert.rejects(scene.storage.apply([{ kind: "job", job }]), BugError, job.key);
    }
    assert.equal((await scene.claim("inbox")).flatMap((lease) => lease.jobs).length, 2);
  },
};

async function isRefused(scene: Scene, message: Message, verdicts: readonly Partial<VerdictRecord>[]): Promise<void> {
  const judged = verdicts.map((fields): Change => ({ kind: "verdict", verdict: scene.verdict(message, fields) }));
  await isRefusedEverywhere(scene, message, judged, { kind: "job", job: scene.outboxJob(message) });
}

/** Tries every door, first with the message already there, then with all in one call. */
async function isRefusedEverywhere(
  scene: Scene,
  message: Message,
  judged: readonly Change[],
  send: Extract<Change, { kind: "job" }>,
): Promise<void> {
  const { storage } = scene;
  const conversation = scene.conversation(message.conversationId.replace("conversation_", ""));
  await scene.receive(conversation);
  const lease = await scene.claimOne("inbox");
  const all: Change[] = [{ kind: "message", message }, ...judged];
  await storage.apply(all);
  for (const changes of [[], all]) {
    await assert.rejects(storage.enqueue(send.job, changes), BugError, "enqueue");
    await assert.rejects(storage.apply([...changes, send]), BugError, "apply");
    await assert.rejects(storage.save(lease, [...changes, send]), BugError, "save");
    await assert.rejects(storage.settle(lease, done, [...changes, send]), BugError, "settle");
  }
  await scene.claimNone("outbox");
  await scene.settle(lease);
}
