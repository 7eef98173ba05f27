import assert from "node:assert/strict";
import { DeliveryError } from "../../src/core/delivery.ts";
import { InputError, LeaseLostError } from "../../src/core/errors.ts";
import type { MessageId } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import { decide, type OperatorDecision } from "../../src/journey/decide.ts";
import { attempt, forbidden, type Gate, nothingLeft, says, strict } from "./gate-scene.ts";

const holding: Reviewer = {
  name: "holding",
  review: ({ kind }) => (kind === "outbound" ? { kind: "hold", reason: "look at it" } : { kind: "pass" }),
};

function operator(gate: Gate, id: MessageId, decision: OperatorDecision): Promise<string> {
  return decide(id, decision, "olga", { store: gate.storage, host: gate.host });
}

/** Claims, and goes away without a word, until the lease has run out. */
async function crash(gate: Gate, queue: "inbox" | "outbox"): Promise<void> {
  const leases = await gate.storage.claim({ queue, lanesMax: 10, jobsMax: 10, leaseMs: limits.leaseMs });
  assert.equal(leases.length, 1);
  gate.host.advance(limits.leaseMs + 1);
}

attempt("a crash between the verdict and the send sends what was judged, and nothing else", async (open) => {
  const gate = await open();
  gate.channel.whenUnknown = "resend";
  await gate.say("hello");
  await gate.turn();
  await crash(gate, "outbox");
  gate.bot.reviewers = [];
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["hello back"]);
});

attempt("a crash before the verdict was written judges anew", async (open) => {
  const gate = await open();
  const id = await gate.say(forbidden);
  await crash(gate, "inbox");
  await gate.rest();
  await nothingLeft(gate, id, "rejected", /a forbidden word/);
  assert.deepEqual(gate.seen, []);
});

attempt("a turn whose lease was lost while it thought gets nothing out", async (open) => {
  const thinking = Promise.withResolvers<unknown>();
  let turns = 0;
  const gate = await open({
    answer: () => {
      turns += 1;
      return turns === 1 ? thinking.promise : says("second");
    },
  });
  await gate.say("hello");
  const first = gate.turn();
  while (turns === 0) await new Promise(setImmediate);
  gate.host.advance(limits.leaseMs + 1);
  await gate.rest();
  thinking.resolve(says("first"));
  await assert.rejects(first, LeaseLostError);
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["second"]);
});

attempt("a settle that is played again with its old lease writes nothing", async (open) => {
  const gate = await open();
  const settled: Parameters<Gate["storage"]["settle"]>[] = [];
  const settle = gate.storage.settle.bind(gate.storage);
  gate.storage.settle = (...args) => {
    settled.push(args);
    return settle(...args);
  };
  await gate.say("hello");
  await gate.rest();
  assert.ok(settled.length >= 2);
  for (const args of settled) assert.equal(await settle(...args), false);
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["hello back"]);
});

attempt("a released message goes out once, exactly as the operator saw it", async (open) => {
  const gate = await open({ reviewers: [holding] });
  const id = await gate.say("hello");
  await gate.rest();
  const held = await gate.answerTo(id);
  await nothingLeft(gate, held.id, "held", /look at it/);
  await operator(gate, held.id, { kind: "release" });
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["hello back"]);
  assert.deepEqual((await gate.verdicts(held.id)).map(({ outcome, reviewer }) => `${outcome} by ${reviewer}`).sort(), [
    "hold by holding",
    "pass by operator:olga",
  ]);
});

const refusals: Readonly<Record<string, { reviewers: Reviewer[]; decision: OperatorDecision }>> = {
  "resubmitting a held message": { reviewers: [holding], decision: { kind: "resubmit" } },
  "resubmitting a rejected message": { reviewers: [rejectingOut()], decision: { kind: "resubmit" } },
  "releasing a rejected message": { reviewers: [rejectingOut()], decision: { kind: "release" } },
  "releasing a delivered message": { reviewers: [strict], decision: { kind: "release" } },
  "resubmitting a delivered message": { reviewers: [strict], decision: { kind: "resubmit" } },
  "rejecting a delivered message": { reviewers: [strict], decision: { kind: "reject", reason: "too late" } },
};

function rejectingOut(): Reviewer {
  return {
    name: "no",
    review: ({ kind }) => (kind === "outbound" ? { kind: "reject", reason: "no" } : { kind: "pass" }),
  };
}

for (const [what, { reviewers, decision }] of Object.entries(refusals)) {
  attempt(`${what} is refused and changes nothing`, async (open) => {
    const gate = await open({ reviewers });
    const id = await gate.say("hello");
    await gate.rest();
    const before = await gate.answerTo(id);
    const sent = gate.channel.delivered.length;
    await assert.rejects(operator(gate, before.id, decision), (error) => {
      return error instanceof InputError && error.code === "conflict";
    });
    await gate.rest();
    assert.deepEqual([await gate.load(before.id), gate.channel.delivered.length], [before, sent]);
  });
}

attempt("deciding on a message that is not there is refused", async (open) => {
  const gate = await open();
  for (const kind of ["release", "resubmit"] as const) {
    await assert.rejects(operator(gate, "msg_none" as MessageId, { kind }), (error) => {
      return error instanceof InputError && error.code === "not_found";
    });
  }
});

attempt("a released message is refused a second release and a late rejection", async (open) => {
  const gate = await open({ reviewers: [holding] });
  const id = await gate.say("hello");
  await gate.rest();
  const held = await gate.answerTo(id);
  await operator(gate, held.id, { kind: "release" });
  await assert.rejects(operator(gate, held.id, { kind: "release" }), InputError);
  await assert.rejects(operator(gate, held.id, { kind: "reject", reason: "no" }), InputError);
  await gate.rest();
  assert.equal(gate.channel.delivered.length, 1);
});

attempt("a dead message that is resubmitted goes out with the verdict it had, and not without", async (open) => {
  const gate = await open();
  gate.channel.before = () => {
    throw new DeliveryError({ kind: "refused" }, "blocked");
  };
  const id = await gate.say("hello");
  await gate.rest();
  gate.channel.before = () => undefined;
  const answer = await gate.answerTo(id);
  await operator(gate, answer.id, { kind: "resubmit" });
  await gate.rest();
  assert.deepEqual([gate.channel.texts, (await gate.verdicts(answer.id)).length], [["hello back"], 1]);
});

attempt("a person's message that is resubmitted is judged anew before an engine sees it", async (open) => {
  let isBroken = true;
  const gate = await open({
    answer: () => {
      if (isBroken) throw new Error("the model broke");
      return says("done");
    },
  });
  const id = await gate.say("hello");
  await gate.exhaust();
  isBroken = false;
  gate.bot.reviewers = [{ name: "later", review: () => ({ kind: "reject", reason: "new rules" }) }];
  const seen = gate.seen.length;
  await operator(gate, id, { kind: "resubmit" });
  await gate.rest();
  await nothingLeft(gate, id, "rejected", /new rules/);
  assert.equal(gate.seen.length, seen);
});

attempt("a person's message that an operator released reaches the engine, and its answer is judged", async (open) => {
  const gate = await open({ answer: () => says(forbidden) });
  gate.bot.reviewers = [{ name: "in", review: () => ({ kind: "hold", reason: "look at it" }) }];
  const id = await gate.say("hello");
  await gate.rest();
  assert.deepEqual(gate.seen, []);
  gate.bot.reviewers = [strict];
  await operator(gate, id, { kind: "release" });
  await gate.rest();
  assert.equal(gate.seen.length, 1);
  await nothingLeft(gate, (await gate.answerTo(id)).id, "rejected", /a forbidden word/);
});

attempt("a turn that is retried with its saved steps has its answer judged like any other", async (open) => {
  let tries = 0;
  const gate = await open({
    answer: async ({ step }) => {
      const text = await step("think", async () => forbidden);
      tries += 1;
      if (tries === 1) throw new Error("cut off");
      return says(text);
    },
  });
  const id = await gate.say("hello");
  await gate.exhaust();
  await nothingLeft(gate, (await gate.answerTo(id)).id, "rejected", /a forbidden word/);
});
