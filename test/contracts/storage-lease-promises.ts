import assert from "node:assert/strict";
import type { Change } from "../../src/core/change.ts";
import type { MessageId } from "../../src/core/ids.ts";
import type { Lease } from "../../src/core/queue.ts";
import { done, messageIds, type Scene } from "./storage-scene.ts";

/** What a lease is worth, and how it ends. */
export const leasePromises: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "a lease that ran out writes nothing, even when nobody took over": async (scene) => {
    await scene.receive(scene.conversation("a"));
    const lease = await scene.claimOne("inbox", { leaseMs: 1_000 });
    scene.host.advance(1_000);
    await isWorthless(scene, lease);
    await scene.claimOne("inbox");
  },

  "a lease that somebody took over writes nothing, and harms not the new one": async (scene) => {
    await scene.receive(scene.conversation("a"));
    const old = await scene.claimOne("inbox", { leaseMs: 1_000 });
    scene.host.advance(1_000);
    const current = await scene.claimOne("inbox", { leaseMs: 1_000 });
    assert.notEqual(current.token, old.token);
    await isWorthless(scene, old);
    await scene.claimNone("inbox");
    await scene.settle(current);
  },

  "a settled lease writes nothing more": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const lease = await scene.claimOne("inbox");
    await scene.settle(lease);
    await isWorthless(scene, lease);
    const { message } = await scene.receive(conversation);
    await isWorthless(scene, lease);
    assert.deepEqual(messageIds(await scene.claimOne("inbox")), [message.id]);
  },

  "settled twice at once, a lease ends once": async (scene) => {
    await scene.receive(scene.conversation("a"));
    const lease = await scene.claimOne("inbox");
    const both = await Promise.all([scene.storage.settle(lease, done, []), scene.storage.settle(lease, done, [])]);
    assert.deepEqual(both, [true, false]);
  },

  "extend prolongs the leases that are held and tells which are not": async (scene) => {
    await scene.receive(scene.conversation("lost"));
    const lost = await scene.claimOne("inbox", { leaseMs: 500 });
    await scene.receive(scene.conversation("held"));
    const held = await scene.claimOne("inbox", { leaseMs: 1_000 });
    scene.host.advance(500);
    assert.deepEqual(await scene.storage.extend([lost, held], 2_000), [false, true]);
    scene.host.advance(1_999);
    await scene.claimOne("inbox", { lanesMax: 2, leaseMs: 10_000 });
    assert.equal(await scene.storage.save(held, []), true);
    scene.host.advance(1);
    assert.equal(await scene.storage.save(held, []), false);
  },

  "save writes its changes and keeps the lease": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const lease = await scene.claimOne("inbox");
    const turn = scene.turn(conversation);
    assert.equal(await scene.storage.save(lease, [{ kind: "turn", turn }]), true);
    assert.deepEqual(await scene.storage.findTurn(turn.id), turn);
    await scene.claimNone("inbox");
    await scene.settle(lease);
  },

  "settle writes its changes and ends the lease together": async (scene) => {
    const conversation = scene.conversation("a");
    const { message } = await scene.receive(conversation);
    const lease = await scene.claimOne("inbox");
    const turn = scene.turn(conversation, { messageIds: [message.id] });
    const answer = scene.answer(conversation, { turnId: turn.id });
    await scene.settle(lease, [
      { kind: "turn", turn },
      { kind: "state", messageId: message.id, from: "received", to: "answered", reason: null, turnId: turn.id },
      ...scene.sending(answer),
    ]);
    await scene.claimNone("inbox");
    assert.deepEqual(await scene.storage.findTurn(turn.id), turn);
    assert.equal((await scene.storage.findMessage(message.id))?.state, "answered");
    assert.deepEqual((await scene.claimOne("outbox")).jobs[0]?.message, answer);
  },

  "a retry writes its changes too": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const lease = await scene.claimOne("inbox");
    const turn = scene.turn(conversation);
    const retry = { kind: "retry", afterMs: 1, isCounted: true } as const;
    assert.equal(await scene.storage.settle(lease, retry, [{ kind: "turn", turn }]), true);
    assert.deepEqual(await scene.storage.findTurn(turn.id), turn);
  },

  "a retry holds its lane for as long as it says, its jobs at the head": async (scene) => {
    const conversation = scene.conversation("a");
    const { message: first } = await scene.receive(conversation);
    const lease = await scene.claimOne("inbox");
    const { message: second } = await scene.receive(conversation);
    await scene.storage.settle(lease, { kind: "retry", afterMs: 5_000, isCounted: true }, []);
    const { message: third } = await scene.receive(conversation);
    scene.host.advance(4_999);
    await scene.claimNone("inbox");
    scene.host.advance(1);
    assert.deepEqual(messageIds(await scene.claimOne("inbox")), [first.id, second.id, third.id]);
  },

  "a retry without delay is ready at once": async (scene) => {
    await scene.receive(scene.conversation("a"));
    const lease = await scene.claimOne("inbox");
    await scene.storage.settle(lease, { kind: "retry", afterMs: 0, isCounted: true }, []);
    await scene.claimOne("inbox");
  },

  "attempts count the claims of the head, but for those retried uncounted": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    await scene.receive(conversation);
    const attempts = [];
    for (const isCounted of [true, false, false, true]) {
      const lease = await scene.claimOne("inbox", { jobsMax: 1 });
      attempts.push(lease.attempt);
      await scene.storage.settle(lease, { kind: "retry", afterMs: 0, isCounted }, []);
    }
    const last = await scene.claimOne("inbox", { jobsMax: 1 });
    assert.deepEqual([...attempts, last.attempt], [1, 2, 2, 2, 3]);
    await scene.settle(last);
    assert.equal((await scene.claimOne("inbox")).attempt, 1);
  },

  "a lease that ran out counts as an attempt, and the next holder knows that it was abandoned": async (scene) => {
    await scene.receive(scene.conversation("a"));
    await scene.claimOne("inbox", { leaseMs: 1_000 });
    scene.host.advance(1_000);
    const second = await scene.claimOne("inbox");
    assert.deepEqual([second.attempt, second.wasAbandoned], [2, true]);
    await scene.storage.settle(second, { kind: "retry", afterMs: 0, isCounted: true }, []);
    const third = await scene.claimOne("inbox");
    assert.deepEqual([third.attempt, third.wasAbandoned], [3, false]);
  },

  "a claim in the outbox brings the receipts of earlier tries, in order": async (scene) => {
    const conversation = scene.conversation("a");
    const message = await scene.send(conversation);
    const at = scene.host.clock.now();
    const attempt = (number: number, refs: readonly string[]): Change => ({
      kind: "attempt",
      attempt: {
        messageId: message.id,
        attempt: number,
        outcome: "unavailable",
        receipts: refs.map((platformRef) => ({ platformRef, at })),
        reason: "the platform is away",
        at,
      },
    });
    const first = await scene.claimOne("outbox", { leaseMs: 1_000 });
    assert.deepEqual(first.jobs[0]?.receipts, []);
    await scene.storage.save(first, [attempt(1, ["piece 1"])]);
    await scene.storage.settle(first, { kind: "retry", afterMs: 0, isCounted: true }, [attempt(1, ["piece 1", "2"])]);
    const second = await scene.claimOne("outbox", { leaseMs: 1_000 });
    await scene.storage.save(second, [attempt(2, ["3"])]);
    scene.host.advance(1_000);
    const third = await scene.claimOne("outbox");
    assert.deepEqual(
      third.jobs[0]?.receipts.map((receipt) => receipt.platformRef),
      ["piece 1", "2", "3"],
    );
  },
};

/** Neither settle nor save nor extend does anything with it. */
async function isWorthless(scene: Scene, lease: Lease): Promise<void> {
  const conversation = lease.conversation;
  const message = scene.message(conversation, { id: scene.host.newId("late") as MessageId });
  const changes: Change[] = [{ kind: "message", message }];
  assert.equal(await scene.storage.save(lease, changes), false);
  assert.equal(await scene.storage.settle(lease, done, changes), false);
  assert.equal(await scene.storage.settle(lease, { kind: "retry", afterMs: 9_000, isCounted: true }, changes), false);
  assert.deepEqual(await scene.storage.extend([lease], 9_000), [false]);
  assert.equal(await scene.storage.findMessage(message.id), undefined);
}
