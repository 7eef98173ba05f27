import assert from "node:assert/strict";
import { LeaseLostError } from "../../src/core/errors.ts";
import type { ContentHash } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { Message } from "../../src/core/message.ts";
import type { Part } from "../../src/core/part.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import { attempt, forbidden, type Gate, nothingLeft, type Open, says, strict } from "./gate-scene.ts";

type Review = Reviewer["review"];
type Direction = "inbound" | "outbound";

/** Does as it is told in one direction, whatever the types say, and passes in the other. */
function rogue(direction: Direction, review: (...subject: Parameters<Review>) => unknown): Reviewer {
  const answer = (...args: Parameters<Review>) => (args[0].kind === direction ? review(...args) : { kind: "pass" });
  return { name: "rogue", review: answer as Review };
}

/** A message and its answer, before one reviewer. */
async function talk(open: Open, ...reviewers: Reviewer[]): Promise<{ gate: Gate; asked: Message }> {
  const gate = await open({ reviewers });
  const id = await gate.say("hello");
  await gate.rest();
  return { gate, asked: await gate.load(id) };
}

const nonsense: Readonly<Record<string, () => unknown>> = {
  "throws an error": () => {
    throw new TypeError("broken");
  },
  "throws what is no error": () => {
    throw { kind: "pass" };
  },
  rejects: () => Promise.reject(new Error("broken")),
  "answers nothing": () => undefined,
  "answers null": () => null,
  'answers the word "pass"': () => "pass",
  "answers true": () => true,
  "answers an unknown kind": () => ({ kind: "passed" }),
  "answers with a list of verdicts": () => [{ kind: "pass" }],
  "answers with a function": () => () => ({ kind: "pass" }),
  "answers with what is only nearly a promise": () => ({
    // biome-ignore lint/suspicious/noThenProperty: that is the attempt.
    then: (resolve: (verdict: object) => void) => resolve({ kind: "pass" }),
  }),
  "promises nonsense": async () => "pass",
  "changes it to no parts": () => ({ kind: "change", parts: [], reason: "empty" }),
  "changes it to what is no list": () => ({ kind: "change", parts: "harmless", reason: "text" }),
  "changes it to what is no part": () => ({ kind: "change", parts: [{ kind: "html" }], reason: "html" }),
};

for (const [what, review] of Object.entries(nonsense)) {
  attempt(`a reviewer that ${what} holds what comes in`, async (open) => {
    const { gate, asked } = await talk(open, rogue("inbound", review));
    await nothingLeft(gate, asked.id, "held", /^rogue: the reviewer rogue failed: /);
    assert.deepEqual(gate.seen, [], "the engine saw it");
  });

  attempt(`a reviewer that ${what} holds what goes out`, async (open) => {
    const { gate, asked } = await talk(open, rogue("outbound", review));
    const answer = await gate.answerTo(asked.id);
    await nothingLeft(gate, answer.id, "held", /^rogue: the reviewer rogue failed: /);
    assert.deepEqual(
      (await gate.verdicts(answer.id)).map(({ outcome, direction }) => [outcome, direction]),
      [["hold", "outbound"]],
    );
  });
}

for (const direction of ["inbound", "outbound"] as const) {
  attempt(`a reviewer that never answers holds an ${direction} message when its time is over`, async (open) => {
    const asked = Promise.withResolvers<void>();
    const hanging = rogue(direction, () => {
      asked.resolve();
      return new Promise(() => undefined);
    });
    const gate = await open({ reviewers: [hanging] });
    await gate.say("hello");
    const resting = gate.rest();
    await asked.promise;
    gate.host.advance(limits.reviewMs);
    await resting;
    assert.deepEqual(gate.channel.delivered, []);
    const { items } = await gate.storage.undecided("held", { limit: 10, cursor: null });
    assert.deepEqual(
      items.map(({ reason }) => reason),
      ["rogue: the reviewer rogue failed: no answer within 10 seconds"],
    );
  });
}

attempt("a reviewer that passes when its time is over is not heard", async (open) => {
  const asked = Promise.withResolvers<void>();
  const late = Promise.withResolvers<object>();
  const slow = rogue("outbound", () => {
    asked.resolve();
    return late.promise;
  });
  const gate = await open({ reviewers: [slow] });
  const id = await gate.say("hello");
  const turn = gate.turn();
  await asked.promise;
  gate.host.advance(limits.reviewMs);
  await turn;
  late.resolve({ kind: "pass" });
  await gate.rest();
  await nothingLeft(gate, (await gate.answerTo(id)).id, "held", /no answer within/);
});

attempt("a reviewer that is asked while Parley stops decides nothing: the message is judged anew", async (open) => {
  const stop = new AbortController();
  const cut = rogue("inbound", () => {
    stop.abort(new LeaseLostError("Parley is stopping."));
    return Promise.reject(new Error("aborted"));
  });
  const gate = await open({ reviewers: [cut] });
  const id = await gate.say("hello");
  const [lease] = await gate.storage.claim({ queue: "inbox", lanesMax: 1, jobsMax: 1, leaseMs: limits.leaseMs });
  await assert.rejects(gate.journey.takeTurn(lease!, stop.signal), LeaseLostError);
  assert.deepEqual([(await gate.load(id)).state, await gate.verdicts(id), gate.seen], ["received", [], []]);
  gate.host.advance(limits.leaseMs + 1);
  gate.bot.reviewers = [strict];
  await gate.rest();
  assert.deepEqual([(await gate.load(id)).state, gate.channel.texts], ["answered", ["hello back"]]);
});

attempt("a bot whose list of reviewers is empty holds everything", async (open) => {
  const { gate, asked } = await talk(open);
  await nothingLeft(gate, asked.id, "held", /^gate: the bot has no reviewer$/);
  assert.deepEqual(gate.seen, []);
});

attempt("reviewers that go away during a turn let nothing out that they did not pass", async (open) => {
  const gate = await open({
    answer: () => {
      gate.bot.reviewers = [];
      return says("hello back");
    },
  });
  const id = await gate.say("hello");
  await gate.turn();
  await gate.rest();
  const passed = (await gate.verdicts((await gate.answerTo(id)).id)).filter(({ outcome }) => outcome === "pass");
  assert.equal(gate.channel.delivered.length, passed.length);
});

attempt("a change is judged by those who come after it", async (open) => {
  const changing = rogue("outbound", () => ({
    kind: "change",
    parts: [{ kind: "text", text: forbidden }],
    reason: "worse words",
  }));
  const { gate, asked } = await talk(open, changing, strict);
  const answer = await gate.answerTo(asked.id);
  await nothingLeft(gate, answer.id, "rejected", /^strict: a forbidden word$/);
});

attempt("changed back and forth, what goes out is what was last judged", async (open) => {
  const to = (text: string) =>
    rogue("outbound", () => ({ kind: "change", parts: [{ kind: "text", text }], reason: text }));
  const { gate, asked } = await talk(open, to("one"), to("hello back"), to("two"), strict);
  assert.deepEqual(gate.channel.texts, ["two"]);
  const [verdict] = await gate.verdicts((await gate.answerTo(asked.id)).id);
  assert.deepEqual([verdict?.changed, verdict?.reason], [true, "one; hello back; two"]);
});

attempt("a changed list of parts that is changed again after it was judged goes out as it was judged", async (open) => {
  const parts = [{ kind: "text", text: "harmless" }];
  const changing = rogue("outbound", () => ({ kind: "change", parts, reason: "better words" }));
  const gate = await open({ reviewers: [changing, strict] });
  await gate.say("hello");
  await gate.turn();
  parts[0]!.text = forbidden;
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["harmless"]);
});

attempt("a verdict that reads otherwise the second time is what it was when it was checked", async (open) => {
  let reads = 0;
  const twoFaced = {
    get kind() {
      reads += 1;
      return reads === 1 ? "pass" : "change";
    },
    parts: [{ kind: "text", text: forbidden }],
    reason: "none",
  };
  const { gate } = await talk(
    open,
    rogue("outbound", () => twoFaced),
  );
  assert.deepEqual(gate.channel.texts, ["hello back"]);
});

type Meddle = (subject: Parameters<Review>[0]) => void;

const meddling: Readonly<Record<string, Meddle>> = {
  "the parts it was shown": ({ parts }) => void Object.assign(parts[0]!, { text: forbidden }),
  "the list of parts": ({ parts }) => void (parts as Part[]).push({ kind: "text", text: forbidden }),
  "the message's parts": ({ message }) => void Object.assign(message.parts[0]!, { text: forbidden }),
  "the message's hash": ({ message }) => void Object.assign(message, { contentHash: "other" as ContentHash }),
  "where the message goes": ({ message }) => void Object.assign(message, { conversationId: "cnv_other" }),
};

for (const [what, meddle] of Object.entries(meddling)) {
  for (const direction of ["inbound", "outbound"] as const) {
    attempt(`a reviewer that passes and changes ${what} holds the ${direction} message instead`, async (open) => {
      const meddler = rogue(direction, (subject) => {
        meddle(subject);
        return { kind: "pass" };
      });
      const { gate } = await talk(open, strict, meddler);
      assert.ok(!JSON.stringify([gate.seen, gate.channel.delivered]).includes(forbidden));
      assert.deepEqual([gate.channel.delivered, (await gate.storage.status()).held], [[], 1]);
    });
  }
}

attempt("a reviewer that keeps what it was shown cannot change it later", async (open) => {
  const shown: Parameters<Review>[0][] = [];
  const keeping = rogue("inbound", (subject) => {
    shown.push(subject);
    return { kind: "pass" };
  });
  let given = "";
  const gate = await open({
    answer: ({ messages }) => {
      try {
        Object.assign(shown[0]!.parts[0]!, { text: forbidden });
      } catch {
        // It refuses to be changed.
      }
      given = JSON.stringify(messages);
      return says("done");
    },
    reviewers: [keeping],
  });
  await gate.say("hello");
  await gate.rest();
  assert.ok(given.includes("hello") && !given.includes(forbidden));
});

attempt("one that passes the first time only: each message is asked about, each time it is new", async (open) => {
  let asked = 0;
  const once: Reviewer = {
    name: "once",
    review: () => {
      asked += 1;
      return asked <= 2 ? { kind: "pass" } : { kind: "reject", reason: "once is enough" };
    },
  };
  const gate = await open({ reviewers: [once] });
  await gate.say("one");
  await gate.rest();
  const second = await gate.say("one");
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["hello back"]);
  assert.deepEqual((await gate.load(second)).reason, "once: once is enough");
});

attempt("a reviewer with an operator's name has no operator's word", async (open) => {
  const usurper: Reviewer = { name: "operator:olga", review: () => ({ kind: "reject", reason: "mine" }) };
  const { gate, asked } = await talk(open, usurper);
  await nothingLeft(gate, asked.id, "rejected", /^operator:olga: mine$/);
});
