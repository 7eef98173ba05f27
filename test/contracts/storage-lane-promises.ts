import assert from "node:assert/strict";
import { BugError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import { done, messageIds, type Scene } from "./storage-scene.ts";

/** Who gets what, and in which order. */
export const lanePromises: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "a claim brings the lane's conversation, messages and keys as they were written": async (scene) => {
    const conversation = scene.conversation("a", { engineState: { step: ["asked", 1, null] } });
    const { message, enqueued } = await scene.receive(conversation, { key: "telegram 7" });
    assert.deepEqual(enqueued, { messageId: message.id, conversationId: conversation.id, isDuplicate: false });
    const lease = await scene.claimOne("inbox");
    assert.equal(lease.queue, "inbox");
    assert.deepEqual(lease.conversation, conversation);
    assert.deepEqual(lease.jobs, [{ key: "telegram 7", message, receipts: [], reviewedHash: null }]);
    assert.equal(lease.attempt, 1);
    assert.equal(lease.wasAbandoned, false);
  },

  "the same key is the same job: the first message comes back and nothing is written": async (scene) => {
    const first = await scene.receive(scene.conversation("a"), { key: "same" });
    const second = await scene.receive(scene.conversation("b"), { key: "same" });
    assert.deepEqual(second.enqueued, {
      messageId: first.message.id,
      conversationId: first.message.conversationId,
      isDuplicate: true,
    });
    assert.equal(await scene.storage.findMessage(second.message.id), undefined);
    assert.equal(await scene.storage.findConversation(second.message.conversationId), undefined);
    assert.deepEqual(messageIds(await scene.claimOne("inbox")), [first.message.id]);
  },

  "enqueued twice at once, a key is still one job": async (scene) => {
    const conversation = scene.conversation("a");
    const both = await Promise.all([
      scene.receive(conversation, { key: "same" }),
      scene.receive(conversation, { key: "same" }),
    ]);
    assert.deepEqual(
      both.map(({ enqueued }) => enqueued.isDuplicate),
      [false, true],
    );
    assert.equal((await scene.claimOne("inbox")).jobs.length, 1);
  },

  "a job that is written as a change is one job however often it is written": async (scene) => {
    const conversation = scene.conversation("a");
    const message = await scene.send(conversation, { key: "same" });
    const other = scene.answer(conversation);
    assert.equal(await scene.storage.apply(scene.sending(other, { key: "same" })), true);
    assert.deepEqual(await scene.storage.findMessage(other.id), other);
    assert.deepEqual(messageIds(await scene.claimOne("outbox")), [message.id]);
  },

  "a key is remembered after its job is done, and forgotten once keyMs are over": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation, { key: "old" });
    await scene.settle(await scene.claimOne("inbox"));
    scene.host.advance(limits.keyMs - 1);
    await scene.storage.maintain();
    assert.equal((await scene.receive(conversation, { key: "old" })).enqueued.isDuplicate, true);
    await scene.receive(conversation, { key: "new" });
    scene.host.advance(1);
    await scene.storage.maintain();
    assert.equal((await scene.receive(conversation, { key: "new" })).enqueued.isDuplicate, true);
    assert.equal((await scene.receive(conversation, { key: "old" })).enqueued.isDuplicate, false);
  },

  "housekeeping forgets at most 1,000 keys at a time": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"), { key: "key 0" });
    const jobs = Array.from({ length: 1_099 }, (_, index) => scene.inboxJob(message, { key: `key ${index + 1}` }));
    await scene.storage.apply(jobs.map((job) => ({ kind: "job", job })));
    scene.host.advance(limits.keyMs);
    await scene.storage.maintain();
    const [forgotten, remembered] = await Promise.all([
      scene.storage.enqueue(scene.inboxJob(message, { key: "key 999" }), []),
      scene.storage.enqueue(scene.inboxJob(message, { key: "key 1000" }), []),
    ]);
    assert.deepEqual([forgotten.isDuplicate, remembered.isDuplicate], [false, true]);
  },

  "jobs of a lane come in the order they were enqueued, whatever their priority": async (scene) => {
    const conversation = scene.conversation("a");
    const first = await scene.receive(conversation, { priority: 1 });
    const second = await scene.receive(conversation, { priority: 10 });
    const third = await scene.receive(conversation, { priority: 5 });
    const ids = [first, second, third].map(({ message }) => message.id);
    const lease = await scene.claimOne("inbox", { jobsMax: 2 });
    assert.deepEqual(messageIds(lease), ids.slice(0, 2));
    await scene.settle(lease);
    assert.deepEqual(messageIds(await scene.claimOne("inbox")), ids.slice(2));
  },

  "lanes of the highest priority come first, then those that wait longest": async (scene) => {
    const names = ["normal 1", "low", "normal 2", "high"];
    const priorities = [5, 1, 5, 10];
    for (const [index, name] of names.entries()) {
      await scene.receive(scene.conversation(name), { priority: priorities[index] ?? 0 });
      scene.host.advance(1);
    }
    const leases = [...(await scene.claim("inbox", { lanesMax: 2 })), ...(await scene.claim("inbox", { lanesMax: 2 }))];
    assert.deepEqual(
      leases.map((lease) => lease.conversation.ref),
      ["high", "normal 1", "normal 2", "low"],
    );
  },

  "a job of higher priority lifts its whole lane": async (scene) => {
    await scene.receive(scene.conversation("first"), { priority: 5 });
    await scene.receive(scene.conversation("lifted"), { priority: 1 });
    await scene.receive(scene.conversation("lifted"), { priority: 9 });
    const leases = await scene.claim("inbox");
    assert.deepEqual(
      leases.map((lease) => lease.conversation.ref),
      ["lifted", "first"],
    );
  },

  "a priority that is not a whole number from 1 to 10 is refused": async (scene) => {
    for (const priority of [0, 11, 1.5]) {
      await assert.rejects(scene.receive(scene.conversation("a"), { priority }), BugError);
    }
    await scene.claimNone("inbox");
  },

  "a lane is leased once at a time, and jobs that arrive meanwhile wait behind": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const lease = await scene.claimOne("inbox");
    const { message } = await scene.receive(conversation, { priority: 10 });
    await scene.claimNone("inbox");
    await scene.settle(lease);
    assert.deepEqual(messageIds(await scene.claimOne("inbox")), [message.id]);
  },

  "claims at the same moment never share a lane": async (scene) => {
    await scene.receive(scene.conversation("a"));
    await scene.receive(scene.conversation("b"));
    const [some, others] = await Promise.all([scene.claim("inbox"), scene.claim("inbox")]);
    assert.equal(some.length + others.length, 2);
  },

  "a lane never waits for another": async (scene) => {
    await scene.receive(scene.conversation("leased"));
    await scene.claimOne("inbox");
    await scene.receive(scene.conversation("held"));
    await scene.storage.settle(await scene.claimOne("inbox"), { kind: "retry", afterMs: 500, isCounted: true }, []);
    const { message } = await scene.receive(scene.conversation("free"));
    assert.deepEqual(messageIds(await scene.claimOne("inbox")), [message.id]);
  },

  "the two queues of a conversation do not wait for each other": async (scene) => {
    const conversation = scene.conversation("a");
    const { message } = await scene.receive(conversation);
    const answer = await scene.send(conversation);
    assert.deepEqual(messageIds(await scene.claimOne("inbox")), [message.id]);
    assert.deepEqual(messageIds(await scene.claimOne("outbox")), [answer.id]);
  },

  "a claim takes at most the lanes it asked for, and at most that many jobs of each": async (scene) => {
    for (const name of ["a", "b", "c"]) {
      for (let count = 0; count < 3; count += 1) await scene.receive(scene.conversation(name));
    }
    const leases = await scene.claim("inbox", { lanesMax: 2, jobsMax: 2 });
    assert.deepEqual(
      leases.map((lease) => lease.jobs.length),
      [2, 2],
    );
  },

  "done and dead end exactly the jobs that were leased": async (scene) => {
    const conversation = scene.conversation("a");
    const sent = [];
    for (let count = 0; count < 3; count += 1) sent.push((await scene.receive(conversation)).message.id);
    await scene.settle(await scene.claimOne("inbox", { jobsMax: 1 }));
    const second = await scene.claimOne("inbox", { jobsMax: 1 });
    assert.deepEqual(messageIds(second), sent.slice(1, 2));
    assert.equal(await scene.storage.settle(second, { kind: "dead" }, []), true);
    const third = await scene.claimOne("inbox", { jobsMax: 1 });
    assert.deepEqual(messageIds(third), sent.slice(2));
    await scene.settle(third);
    await scene.claimNone("inbox");
  },

  "who took only the first few ends those, and the others come next, in their order": async (scene) => {
    const conversation = scene.conversation("a");
    const ids = [];
    for (let count = 0; count < 3; count += 1) ids.push((await scene.receive(conversation)).message.id);
    const lease = await scene.claimOne("inbox");
    await scene.settle({ ...lease, jobs: lease.jobs.slice(0, 1) });
    const next = await scene.claimOne("inbox");
    assert.deepEqual(messageIds(next), ids.slice(1));
    assert.equal(next.attempt, 1);
  },

  "a lane waits until it was quiet, each job anew, but no longer than quietMaxMs": async (scene) => {
    const conversation = scene.conversation("a");
    const quietMs = limits.quietMaxMs * 0.4;
    await scene.receive(conversation, { quietMs });
    scene.host.advance(quietMs - 1);
    await scene.claimNone("inbox");
    await scene.receive(conversation, { quietMs });
    scene.host.advance(quietMs - 1);
    await scene.claimNone("inbox");
    await scene.receive(conversation, { quietMs });
    scene.host.advance(limits.quietMaxMs - 2 * (quietMs - 1) - 1);
    await scene.claimNone("inbox");
    scene.host.advance(1);
    assert.equal((await scene.claimOne("inbox")).jobs.length, 3);
  },

  "jobs that arrived while their lane was leased wait until it was quiet": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const lease = await scene.claimOne("inbox");
    await scene.receive(conversation, { quietMs: 100 });
    scene.host.advance(99);
    await scene.settle(lease);
    await scene.claimNone("inbox");
    scene.host.advance(1);
    await scene.claimOne("inbox");
  },

  "a quiet time neither shortens nor prolongs a lease or the wait for a retry": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const lease = await scene.claimOne("inbox");
    await scene.receive(conversation, { quietMs: 10 });
    scene.host.advance(10);
    await scene.claimNone("inbox");
    await scene.storage.settle(lease, { kind: "retry", afterMs: 100, isCounted: true }, []);
    await scene.receive(conversation, { quietMs: 10 });
    scene.host.advance(99);
    await scene.claimNone("inbox");
    await scene.receive(conversation, { quietMs: 10 });
    scene.host.advance(1);
    assert.equal((await scene.claimOne("inbox")).jobs.length, 4);
  },

  "what is ready is claimed even when the clock was set back": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    scene.host.setBack(60_000);
    const lease = await scene.claimOne("inbox", { jobsMax: 1 });
    await scene.receive(conversation);
    assert.equal(await scene.storage.settle(lease, done, []), true);
    scene.host.setBack(60_000);
    await scene.claimOne("inbox");
  },
};
