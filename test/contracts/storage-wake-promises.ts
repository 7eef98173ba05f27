import assert from "node:assert/strict";
import type { QueueName } from "../../src/core/job.ts";
import { runMicrotasks, type Scene } from "./storage-scene.ts";

/** When a waiting loop goes on. */
export const wakePromises: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "a wait ends in the very tick that submits a job, so that a claim can follow it into its commit": async (scene) => {
    const conversation = scene.conversation("a");
    const wait = await waitAfterClaim(scene, "inbox");
    const received = scene.receive(conversation);
    await runMicrotasks();
    assert.equal(wait.isOver, true);
    const lease = await scene.claimOne("inbox");
    await received;

    const outbox = await waitAfterClaim(scene, "outbox");
    const answer = scene.answer(conversation);
    const settled = scene.storage.settle(lease, { kind: "done" }, scene.sending(answer));
    await runMicrotasks();
    assert.equal(outbox.isOver, true);
    await scene.claimOne("outbox");
    assert.equal(await settled, true);

    const again = await waitAfterClaim(scene, "outbox");
    const applied = scene.storage.apply(scene.sending(scene.answer(scene.conversation("a"))));
    await runMicrotasks();
    assert.equal(again.isOver, true);
    await applied;
  },

  "news that came before the wait is not lost": async (scene) => {
    await scene.claimNone("inbox");
    await scene.receive(scene.conversation("a"));
    assert.equal((await begunWait(scene, "inbox")).isOver, true);
  },

  "a wait ends when a lease is settled, for its lane may have more": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    await scene.receive(conversation);
    const lease = await scene.claimOne("inbox", { jobsMax: 1 });
    const wait = await waitAfterClaim(scene, "inbox");
    await scene.settle(lease);
    await runMicrotasks();
    assert.equal(wait.isOver, true);
  },

  "a wait does not begin while a claim left lanes behind": async (scene) => {
    await scene.receive(scene.conversation("a"));
    await scene.receive(scene.conversation("b"));
    await scene.claimOne("inbox", { lanesMax: 1 });
    assert.equal((await begunWait(scene, "inbox")).isOver, true);
  },

  "a wait ends when a retry falls due": async (scene) => {
    await scene.receive(scene.conversation("a"));
    await scene.storage.settle(await scene.claimOne("inbox"), { kind: "retry", afterMs: 100, isCounted: true }, []);
    await endsAfter(scene, 100);
  },

  "a wait ends when a lane was quiet for long enough": async (scene) => {
    await scene.receive(scene.conversation("a"), { quietMs: 100 });
    await endsAfter(scene, 100);
  },

  "a wait ends when a lease runs out": async (scene) => {
    await scene.receive(scene.conversation("a"));
    await scene.claimOne("inbox", { leaseMs: 100 });
    await endsAfter(scene, 100);
  },

  "a wait ends after its longest time, on abort, and when the storage is closed": async (scene) => {
    await endsAfter(scene, 10_000);
    const abort = new AbortController();
    const aborted = await waitAfterClaim(scene, "inbox", abort.signal);
    abort.abort();
    await runMicrotasks();
    assert.equal(aborted.isOver, true);
    assert.equal((await begunWait(scene, "inbox", abort.signal)).isOver, true);
    const closed = await waitAfterClaim(scene, "inbox");
    await scene.storage.close();
    await runMicrotasks();
    assert.equal(closed.isOver, true);
    assert.equal((await begunWait(scene, "inbox")).isOver, true);
    assert.equal(scene.host.timerCount, 0);
  },
};

interface Wait {
  isOver: boolean;
}

async function begunWait(scene: Scene, queue: QueueName, signal = new AbortController().signal): Promise<Wait> {
  const wait = { isOver: false };
  const end = () => {
    wait.isOver = true;
  };
  scene.storage.waitForWork(queue, 10_000, signal).then(end);
  await runMicrotasks();
  return wait;
}

/** A wait that a claim with nothing found came before, so that no news is left. */
async function waitAfterClaim(scene: Scene, queue: QueueName, signal?: AbortSignal): Promise<Wait> {
  await scene.claimNone(queue);
  const wait = await begunWait(scene, queue, signal);
  assert.equal(wait.isOver, false, "the wait was over before anything happened");
  return wait;
}

async function endsAfter(scene: Scene, ms: number): Promise<void> {
  const wait = await waitAfterClaim(scene, "inbox");
  scene.host.advance(ms - 1);
  await runMicrotasks();
  assert.equal(wait.isOver, false, "the wait ended early");
  scene.host.advance(1);
  await runMicrotasks();
  assert.equal(wait.isOver, true, "the wait did not end");
}
