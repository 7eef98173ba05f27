import assert from "node:assert/strict";
import { test } from "node:test";
import { limits } from "../../src/core/limits.ts";
import { Worker } from "../../src/journey/worker.ts";
import { createWorld, engineOf, say, type World } from "./world.ts";

/** Runs both loops until `stop`. */
function run(world: World): { stop(): Promise<void> } {
  const controller = new AbortController();
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const parts = { queue: world.storage, host: world.host, log, lanesMax: 4 };
  const loops = [
    new Worker({
      ...parts,
      name: "inbox",
      jobsMax: 10,
      work: (lease, signal) => world.journey.takeTurn(lease, signal),
    }),
    new Worker({
      ...parts,
      name: "outbox",
      jobsMax: 1,
      work: (lease, signal, stopping) => world.journey.deliver(lease, signal, stopping),
    }),
  ].map((worker) => worker.run(controller.signal));
  return {
    async stop() {
      controller.abort();
      await Promise.all(loops);
    },
  };
}

/** Lets everything that can go on now go on. */
async function settle(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await new Promise(setImmediate);
}

test("many conversations are answered by few lanes, each in order", async () => {
  const world = createWorld();
  const loops = run(world);
  for (let round = 0; round < 3; round += 1) {
    for (let person = 0; person < 20; person += 1) await world.say(`${person}:${round}`, `p${person}`);
    await settle();
  }
  await loops.stop();
  const said = world.channel.texts.flatMap((text) => text.replace("you said: ", "").split(" + "));
  assert.equal(said.length, 60);
  for (let person = 0; person < 20; person += 1) {
    assert.deepEqual(
      said.filter((text) => text.startsWith(`${person}:`)),
      [0, 1, 2].map((round) => `${person}:${round}`),
    );
  }
});

test("a long turn keeps its lease; one that takes too long is tried again, and again gets its lease", async () => {
  let tries = 0;
  const engine = engineOf("agent:slow", () => {
    tries += 1;
    return tries === 1 ? new Promise(() => undefined) : say("at last");
  });
  const world = createWorld({ engine });
  const loops = run(world);
  await world.say("hello");
  await settle();
  for (let passed = 0; passed < limits.turnMs; passed += 5_000) {
    assert.equal(tries, 1);
    world.host.advance(5_000);
    await settle();
  }
  for (let passed = 0; passed < 10; passed += 1) {
    world.host.advance(1_000);
    await settle();
  }
  await loops.stop();
  assert.deepEqual([tries, world.channel.texts], [2, ["at last"]]);
});

test("stopping finishes what goes on, and hands back what does not end, uncounted", async () => {
  const engine = engineOf("agent:stuck", () => new Promise(() => undefined));
  const world = createWorld({ engine });
  const loops = run(world);
  await world.say("hello");
  await settle();
  const stopped = loops.stop();
  await settle();
  world.host.advance(limits.stopMs);
  await settle();
  world.host.advance(limits.idleMs);
  await stopped;
  const [lease] = await world.storage.claim({ queue: "inbox", lanesMax: 1, jobsMax: 1, leaseMs: limits.leaseMs });
  assert.deepEqual([lease?.attempt, lease?.wasAbandoned], [1, false]);
  await world.storage.close();
  assert.equal(world.host.timerCount, 0);
});

test("a loop whose storage fails goes on when it works again", async () => {
  const world = createWorld();
  const { claim } = world.storage;
  let failures = 2;
  world.storage.claim = (request) => {
    failures -= 1;
    return failures >= 0 ? Promise.reject(new Error("disk full")) : claim.call(world.storage, request);
  };
  const loops = run(world);
  await world.say("hello");
  for (let passed = 0; passed < 5; passed += 1) {
    await settle();
    world.host.advance(limits.idleMs);
  }
  await settle();
  await loops.stop();
  assert.deepEqual(world.channel.texts, ["you said: hello"]);
});

/** Lets `ms` pass in steps in which leases are prolonged. */
async function pass(world: World, ms: number): Promise<void> {
  for (let passed = 0; passed < ms; passed += 5_000) {
    world.host.advance(5_000);
    await settle();
  }
}

test("a delivery that never ends is stopped, is unknown, and its lane goes on", async () => {
  const world = createWorld();
  let limited: AbortSignal | undefined;
  const { deliver } = world.channel;
  world.channel.deliver = (_delivery, signal) => {
    limited = signal;
    return new Promise(() => undefined);
  };
  const loops = run(world);
  await world.say("hello");
  await settle();
  await pass(world, limits.deliverMs);
  assert.deepEqual([limited?.aborted, (await world.storage.status()).unknown], [true, 1]);
  world.channel.deliver = deliver;
  await world.say("again");
  await settle();
  await loops.stop();
  assert.deepEqual(world.channel.texts, ["you said: again"]);
});

test("an engine is told when its time is over", async () => {
  const signals: AbortSignal[] = [];
  const engine = engineOf("agent:slow", ({ signal }) => {
    signals.push(signal);
    return signals.length === 1 ? new Promise(() => undefined) : say("at last");
  });
  const world = createWorld({ engine });
  const loops = run(world);
  await world.say("hello");
  await settle();
  await pass(world, limits.turnMs + 10_000);
  await loops.stop();
  assert.deepEqual([signals[0]?.aborted, world.channel.texts], [true, ["at last"]]);
});

test("content that is never fetched is given up after the attempts it has, and the message goes on without it", async () => {
  const world = createWorld();
  let tries = 0;
  const complete = (): Promise<never> => {
    tries += 1;
    return new Promise(() => undefined);
  };
  Object.assign(world.channel, { complete });
  const loops = run(world);
  const photo = {
    kind: "file",
    media: "image",
    mimeType: "image/png",
    name: null,
    bytes: null,
    caption: null,
  } as const;
  const id = await world.receive({ parts: [{ ...photo, hash: null, ref: "f1", missing: null }] });
  await settle();
  await pass(world, limits.turnAttemptsMax * (limits.completeMs + 30_000));
  await loops.stop();
  const [part] = (await world.load(id)).parts;
  assert.equal(tries, limits.turnAttemptsMax);
  assert.equal(part?.kind === "file" && part.missing, "could not be fetched");
});
