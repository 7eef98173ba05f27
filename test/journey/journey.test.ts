import assert from "node:assert/strict";
import { test } from "node:test";
import { DeliveryError, type Receipt } from "../../src/core/delivery.ts";
import { limits } from "../../src/core/limits.ts";
import { decide } from "../../src/journey/decide.ts";
import { why } from "../../src/journey/why.ts";
import { createWorld, engineOf, lenient, say } from "./world.ts";

test("a message is answered once, in its conversation, and both ends are explained", async () => {
  const world = createWorld();
  const id = await world.say("hello");
  await world.rest();
  assert.deepEqual(world.channel.texts, ["you said: hello"]);
  assert.equal((await world.load(id)).state, "answered");
  const path = await why(id, world.storage);
  assert.deepEqual(
    path?.path.map(({ stage }) => stage),
    ["receive", "review", "turn", "turn"],
  );
  const [answer] = path?.related ?? [];
  assert.equal(answer?.state, "delivered");
});

test("an update that comes twice is one message", async () => {
  const world = createWorld();
  const first = await world.receive({ key: "same" });
  const second = await world.receive({ key: "same" });
  await world.rest();
  assert.equal(second, first);
  assert.equal(world.channel.delivered.length, 1);
});

test("a burst is one turn; another conversation does not wait", async () => {
  const world = createWorld();
  await world.say("one");
  await world.say("two");
  await world.say("three", "ben");
  await world.rest();
  assert.deepEqual(world.channel.texts.toSorted(), ["you said: one + two", "you said: three"]);
});

test("a quiet time joins what is written within it", async () => {
  const world = createWorld();
  world.bot.quietMs = 2_000;
  await world.say("one");
  await world.rest();
  world.host.advance(1_500);
  await world.say("two");
  await world.rest();
  assert.deepEqual(world.channel.texts, []);
  world.host.advance(2_000);
  await world.rest();
  assert.deepEqual(world.channel.texts, ["you said: one + two"]);
});

test("messages that go to different engines are different turns, in order", async () => {
  const world = createWorld();
  world.bot.engines = new Map([
    ["agent:echo", engineOf("agent:echo")],
    ["agent:sales", engineOf("agent:sales", () => say("sales here"))],
  ]);
  world.bot.routes = [
    { name: "sales", when: { keywords: ["price"] }, engine: "agent:sales", priority: 80 },
    { name: "default", when: {}, engine: "agent:echo", priority: 0 },
  ];
  await world.say("hello");
  await world.say("what PRICE?");
  await world.say("thanks");
  await world.rest();
  assert.deepEqual(world.channel.texts, ["you said: hello", "sales here", "you said: thanks"]);
});

test("without a route a message ends as ignored, with the reason", async () => {
  const world = createWorld();
  world.bot.routes = [];
  const id = await world.say("hello");
  await world.rest();
  const message = await world.load(id);
  assert.deepEqual([message.state, message.reason], ["ignored", "no route matches"]);
});

test("what only tells the bot something is kept and not answered", async () => {
  const world = createWorld();
  const id = await world.receive({ notice: "edit", text: "better words" });
  await world.rest();
  assert.deepEqual([(await world.load(id)).reason, world.channel.texts], ["asks nothing: edit", []]);
});

test("an engine that fails is tried again, and given up with the reason", async () => {
  let calls = 0;
  const engine = engineOf("agent:broken", () => {
    calls += 1;
    throw new TypeError("the person wrote: secret");
  });
  const world = createWorld({ engine });
  const id = await world.say("hello");
  for (let attempt = 0; attempt < limits.turnAttemptsMax; attempt += 1) {
    await world.rest();
    world.host.advance(limits.retryLongestMs * 2);
  }
  const { state, reason } = await world.load(id);
  assert.equal(calls, limits.turnAttemptsMax);
  assert.deepEqual([state, reason], ["dead", "given up after 5 attempts: the engine failed (TypeError)"]);
});

test("a finished step of a failed turn is not done again, and the turn takes the same messages", async () => {
  let charges = 0;
  let tries = 0;
  const seen: number[] = [];
  const engine = engineOf("agent:shop", async ({ step, messages }) => {
    seen.push(messages.length);
    const paid = await step("charge", async () => {
      charges += 1;
      return { receipt: charges };
    });
    tries += 1;
    if (tries === 1) throw new Error("the model broke");
    return say(`paid ${paid.receipt}`);
  });
  const world = createWorld({ engine });
  await world.say("buy");
  await world.turn();
  await world.say("and more");
  world.host.advance(limits.retryLongestMs);
  await world.rest();
  assert.equal(charges, 2, "one step for each of the two turns");
  assert.deepEqual(seen, [1, 1, 1]);
  assert.deepEqual(world.channel.texts, ["paid 1", "paid 2"]);
});

test("a throttled delivery keeps its place, and others do not wait", async () => {
  const world = createWorld();
  let isThrottled = true;
  world.channel.before = ({ conversation }) => {
    if (isThrottled && conversation.ref === "anna") {
      throw new DeliveryError({ kind: "throttled", retryAfterMs: 60_000 }, "asked to wait");
    }
  };
  await world.say("one");
  await world.rest();
  await world.say("two");
  await world.say("three", "ben");
  await world.rest();
  assert.deepEqual(world.channel.texts, ["you said: three"]);
  isThrottled = false;
  world.host.advance(60_000);
  await world.rest();
  assert.deepEqual(world.channel.texts, ["you said: three", "you said: one", "you said: two"]);
});

test("a refused delivery is dead with the platform's reason and leaves its lane; it can be resubmitted", async () => {
  const world = createWorld();
  world.channel.before = () => {
    throw new DeliveryError({ kind: "refused" }, "the bot was blocked");
  };
  await world.say("one");
  await world.rest();
  world.channel.before = () => undefined;
  await world.say("two");
  await world.rest();
  const { items } = await world.storage.undecided("dead", { limit: 10, cursor: null });
  assert.deepEqual(
    items.map(({ state, reason }) => [state, reason]),
    [["dead", "the bot was blocked"]],
  );
  await decide(items[0]!.id, { kind: "resubmit" }, "olga", { store: world.storage, host: world.host });
  await world.rest();
  assert.deepEqual(world.channel.texts, ["you said: two", "you said: one"]);
});

test("a send that may have arrived is never repeated where that would be a second answer", async () => {
  const world = createWorld();
  world.channel.before = () => {
    throw new DeliveryError({ kind: "unknown" }, "the connection was lost");
  };
  await world.say("one");
  await world.rest();
  world.channel.before = () => undefined;
  world.host.advance(limits.retryLongestMs);
  await world.rest();
  assert.deepEqual(world.channel.texts, []);
  assert.equal((await world.storage.status()).unknown, 1);
});

test("a delivery that its worker never came back from is unknown, or sent again, as the channel says", async () => {
  for (const whenUnknown of ["stop", "resend"] as const) {
    const world = createWorld();
    world.channel.whenUnknown = whenUnknown;
    await world.say("one");
    await world.turn();
    const leases = await world.storage.claim({ queue: "outbox", lanesMax: 1, jobsMax: 1, leaseMs: limits.leaseMs });
    assert.equal(leases.length, 1);
    world.host.advance(limits.leaseMs + 1);
    await world.rest();
    assert.equal(world.channel.delivered.length, whenUnknown === "resend" ? 1 : 0);
    assert.equal((await world.storage.status()).unknown, whenUnknown === "resend" ? 0 : 1);
  }
});

test("a delivery to a platform that is down is tried again, and given up in the end", async () => {
  const world = createWorld();
  let tries = 0;
  world.channel.before = () => {
    tries += 1;
    throw new DeliveryError({ kind: "unavailable" }, "connection refused");
  };
  await world.say("one");
  for (let round = 0; round < limits.deliveryAttemptsMax + 5; round += 1) {
    await world.rest();
    world.host.advance(limits.retryLongestMs * 2);
  }
  assert.equal(tries, limits.deliveryAttemptsMax);
  assert.equal((await world.storage.status()).dead, 1);
});

test("a conversation that moved is answered at its new address and stays the same conversation", async () => {
  const world = createWorld();
  const refs: string[] = [];
  world.channel.before = ({ conversation }) => {
    refs.push(conversation.ref);
    if (conversation.ref === "anna") throw new DeliveryError({ kind: "moved", ref: "anna-2" }, "moved");
  };
  const first = await world.say("one");
  await world.rest();
  const second = await world.receive({ text: "two", conversation: { ref: "anna-2", isGroup: false, movedFrom: null } });
  await world.rest();
  assert.deepEqual(refs, ["anna", "anna-2", "anna-2"]);
  assert.equal((await world.load(first)).conversationId, (await world.load(second)).conversationId);
});

test("an engine sees what was said and passed, and nothing that was held", async () => {
  const histories: string[][] = [];
  const engine = engineOf("agent:nosy", async ({ history, messages }) => {
    const before = await history(10);
    histories.push(before.flatMap(({ parts }) => parts.map((part) => (part.kind === "text" ? part.text : ""))));
    return say(`answer ${messages.length}`);
  });
  const world = createWorld({ engine });
  world.bot.reviewers = [
    lenient,
    {
      name: "strict",
      review: ({ parts }) =>
        JSON.stringify(parts).includes("bomb") ? { kind: "hold", reason: "a word" } : { kind: "pass" },
    },
  ];
  for (const text of ["one", "bomb", "two"]) {
    await world.say(text);
    await world.rest();
  }
  assert.deepEqual(histories, [[], ["one", "answer 1"]]);
});

test("every message that comes to rest is one log line, without what was said", async () => {
  const world = createWorld();
  await world.say("my words");
  await world.rest();
  const lines = world.lines.filter(({ data }) => "state" in data);
  assert.deepEqual(
    lines.map(({ data }) => (data as { state: string }).state),
    ["answered", "delivered"],
  );
  assert.ok(!JSON.stringify(world.lines).includes("my words"));
});

test("what waits in one conversation goes out in a row, and one that must wait keeps those behind it", async () => {
  const world = createWorld({ engine: engineOf("agent:chatty", () => say("one", "two", "three")) });
  let isThrottled = true;
  world.channel.before = ({ message }) => {
    const [part] = message.parts;
    if (isThrottled && part?.kind === "text" && part.text === "two") {
      throw new DeliveryError({ kind: "throttled", retryAfterMs: 60_000 }, "asked to wait");
    }
  };
  await world.say("hello");
  await world.rest();
  assert.deepEqual(world.channel.texts, ["one"]);
  isThrottled = false;
  world.host.advance(59_000);
  await world.rest();
  assert.deepEqual(world.channel.texts, ["one"]);
  world.host.advance(1_000);
  await world.rest();
  assert.deepEqual(world.channel.texts, ["one", "two", "three"]);
});

test("of a row that its worker never came back from, only the one under way is in doubt", async () => {
  const world = createWorld({ engine: engineOf("agent:chatty", () => say("one", "two", "three")) });
  await world.say("hello");
  await world.turn();
  const stuck = Promise.withResolvers<void>();
  world.channel.before = ({ message }) => {
    const [part] = message.parts;
    return part?.kind === "text" && part.text === "two" ? stuck.promise : undefined;
  };
  void world.deliver();
  while (world.channel.delivered.length < 1) await new Promise(setImmediate);
  for (let round = 0; round < 5; round += 1) await new Promise(setImmediate);
  world.channel.before = () => undefined;
  world.host.advance(limits.leaseMs + 1);
  await world.rest();
  assert.deepEqual(world.channel.texts, ["one", "three"]);
  assert.equal((await world.storage.status()).unknown, 1);
});

test("a message of several pieces goes on after the last that arrived, however often it has to wait", async () => {
  const world = createWorld();
  const pieces: string[] = [];
  let mayGo = 1;
  world.channel.deliver = async ({ receipts, pieceDelivered }) => {
    const own: Receipt[] = [];
    for (let at = receipts.length; at < 4; at += 1) {
      if (pieces.length >= mayGo) throw new DeliveryError({ kind: "throttled", retryAfterMs: 1_000 }, "asked to wait");
      pieces.push(`piece ${at}`);
      own.push({ platformRef: `ref ${at}`, at: 0 });
      if (at < 3) await pieceDelivered({ platformRef: `ref ${at}`, at: 0 });
    }
    return own;
  };
  await world.say("hello");
  for (; mayGo <= 4; mayGo += 1) {
    await world.rest();
    world.host.advance(1_000);
  }
  await world.rest();
  assert.deepEqual(pieces, ["piece 0", "piece 1", "piece 2", "piece 3"]);
  assert.equal((await world.storage.status()).queues.outbox.jobs, 0);
});
