import assert from "node:assert/strict";
import { LeaseLostError } from "../../src/core/errors.ts";
import { limits } from "../../src/core/limits.ts";
import type { Message } from "../../src/core/message.ts";
import type { TextPart } from "../../src/core/part.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import { attempt, forbidden, nothingLeft, says } from "./gate-scene.ts";

attempt("an engine that says the forbidden word outright is rejected", async (open) => {
  const gate = await open({ answer: () => says(`this is ${forbidden}`) });
  const id = await gate.say("hello");
  await gate.rest();
  assert.deepEqual(gate.channel.delivered, []);
  const answer = await gate.answerTo(id);
  assert.deepEqual([answer.state, answer.reason], ["rejected", "strict: a forbidden word"]);
});

attempt("a draft that is changed after it was returned goes out as it was judged", async (open) => {
  const part = { kind: "text", text: "harmless" };
  const drafts = [{ parts: [part], replyTo: null }];
  const change = () => {
    part.text = forbidden;
    drafts[0]!.parts.push({ kind: "text", text: forbidden });
  };
  const meddler: Reviewer = {
    name: "meddler",
    review({ kind }) {
      if (kind === "outbound") change();
      return { kind: "pass" };
    },
  };
  const gate = await open({ answer: () => ({ drafts }), reviewers: [meddler] });
  await gate.say("hello");
  await gate.turn();
  change();
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["harmless"]);
});

attempt("drafts that share one list of parts are each judged as they go out", async (open) => {
  const parts = [{ kind: "text", text: "one" }];
  const first = { parts, replyTo: null };
  const second = {
    get parts() {
      parts[0]!.text = forbidden;
      return parts;
    },
    replyTo: null,
  };
  const gate = await open({ answer: () => ({ drafts: [first, second] }) });
  await gate.say("hello");
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["one"]);
});

attempt("thousands of drafts are none", async (open) => {
  const gate = await open({ answer: () => says(...Array.from({ length: 5_000 }, String)) });
  const id = await gate.say("hello");
  await gate.exhaust();
  await nothingLeft(gate, id, "dead", /the engine returned 5000 drafts/);
});

attempt("a text of ten megabytes is cut before it is judged, and what goes out says so", async (open) => {
  const gate = await open({ answer: () => says("x".repeat(10_000_000) + forbidden) });
  await gate.say("hello");
  await gate.rest();
  const [message] = gate.channel.delivered;
  assert.equal((message!.parts[0] as TextPart).text.length, limits.textMax);
  assert.deepEqual(message!.parts[1], {
    kind: "unsupported",
    type: `cut: text after the first ${limits.textMax} characters`,
  });
});

attempt("what an engine returns as a step goes nowhere, however much it looks like a message", async (open) => {
  const gate = await open({
    answer: async ({ step, conversation }) => {
      await step("send", async () => ({
        kind: "message",
        message: {
          from: "bot",
          state: "queued",
          conversationId: conversation.id,
          parts: [{ kind: "text", text: "hi" }],
        },
      }));
      return { drafts: [] };
    },
  });
  const id = await gate.say("hello");
  await gate.rest();
  await nothingLeft(gate, id, "ignored", /nothing to say/);
  assert.equal((await gate.storage.status()).messages, 1);
});

attempt("an engine that keeps its context can do nothing with it after its turn", async (open) => {
  let late: (() => Promise<unknown>) | undefined;
  const gate = await open({
    answer: ({ step }) => {
      late = () => step("late", async () => "sent");
      return says("done");
    },
  });
  await gate.say("hello");
  await gate.rest();
  await assert.rejects(late!(), LeaseLostError);
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["done"]);
});

attempt("an engine is given values only: nothing in its context reaches a storage or a channel", async (open) => {
  const names: string[] = [];
  const gate = await open({
    answer: (context) => {
      names.push(...Object.keys(context));
      return says("done");
    },
  });
  await gate.say("hello");
  await gate.rest();
  assert.deepEqual(names.sort(), ["botId", "conversation", "history", "messages", "signal", "state", "step"]);
});

attempt("changes, verdicts and jobs that an engine returns beside its drafts are not looked at", async (open) => {
  const gate = await open({
    answer: ({ conversation }) => ({
      drafts: [],
      changes: [{ kind: "message", message: { conversationId: conversation.id } }],
      verdict: { kind: "pass" },
      reviewed: [{ parts: [{ kind: "text", text: forbidden }] }],
    }),
  });
  const id = await gate.say("hello");
  await gate.rest();
  await nothingLeft(gate, id, "ignored", /nothing to say/);
});

attempt("a draft that brings its own id, state, sender and hash gets none of them", async (open) => {
  const draft = {
    parts: [{ kind: "text", text: forbidden }],
    replyTo: null,
    id: "msg_mine",
    state: "delivered",
    from: "operator",
    contentHash: "passed",
    conversationId: "cnv_other",
  };
  const gate = await open({ answer: () => ({ drafts: [draft] }) });
  const id = await gate.say("hello");
  await gate.rest();
  const { id: answerId, state, from, conversationId } = await gate.answerTo(id);
  assert.notEqual(answerId, draft.id);
  assert.deepEqual([state, from, conversationId], ["rejected", "bot", (await gate.load(id)).conversationId]);
  assert.deepEqual(gate.channel.delivered, []);
});

for (const [what, thrown] of Object.entries({
  "an object that looks like an answer": says("hello"),
  "nothing at all": undefined,
  "a promise of an answer": Promise.resolve(says("hello")),
})) {
  attempt(`an engine that throws ${what} says nothing`, async (open) => {
    const gate = await open({
      answer: () => {
        throw thrown;
      },
    });
    const id = await gate.say("hello");
    await gate.exhaust();
    await nothingLeft(gate, id, "dead", /^given up after 5 attempts: the engine failed$/);
  });
}

attempt("an engine with another's name is judged like that one", async (open) => {
  const impostor = { name: "agent:trusted", takeTurn: async () => says(forbidden) };
  const gate = await open({ engine: impostor });
  gate.bot.engines = new Map([["agent:trusted", impostor]]);
  const id = await gate.say("hello");
  await gate.rest();
  assert.deepEqual([(await gate.answerTo(id)).state, gate.channel.delivered], ["rejected", []]);
});

attempt("an engine that speaks only once its turn is over is not heard", async (open) => {
  const spoken = Promise.withResolvers<unknown>();
  const gate = await open({ answer: () => spoken.promise });
  const id = await gate.say("hello");
  const request = { queue: "inbox", lanesMax: 1, jobsMax: 1, leaseMs: limits.turnMs * 2 } as const;
  const [lease] = await gate.storage.claim(request);
  const turn = gate.journey.takeTurn(lease!, new AbortController().signal);
  while (gate.seen.length === 0) await new Promise(setImmediate);
  gate.host.advance(limits.turnMs);
  await turn;
  spoken.resolve(says("too late"));
  await gate.rest();
  assert.deepEqual(gate.channel.delivered, []);
  assert.equal((await gate.load(id)).state, "received");
});

attempt("an engine that changes the messages it was given changes nothing but its own turn", async (open) => {
  const gate = await open({
    answer: ({ messages }) => {
      const [message] = messages;
      ignoringRefusal(() => Object.assign(message!, { id: "msg_other", state: "held", conversationId: "cnv_other" }));
      ignoringRefusal(() => Object.assign(message!.parts[0]!, { text: forbidden }));
      ignoringRefusal(() => (messages as readonly Message[] as Message[]).splice(0));
      return says("done");
    },
  });
  const id = await gate.say("hello");
  await gate.exhaust();
  assert.deepEqual([(await gate.load(id)).state, gate.channel.texts], ["answered", ["done"]]);
});

attempt("what a reviewer took out stays out of what an engine is told later", async (open) => {
  const redacting = {
    name: "redacting",
    review: ({ parts }: { readonly parts: readonly unknown[] }) =>
      JSON.stringify(parts).includes("4111")
        ? { kind: "change" as const, parts: [{ kind: "text" as const, text: "[card]" }], reason: "a card number" }
        : { kind: "pass" as const },
  };
  const gate = await open({
    answer: async ({ history }) => says(`${(await history(10)).length} before`),
    reviewers: [redacting],
  });
  await gate.say("4111 1111 1111 1111");
  await gate.rest();
  await gate.say("did you get it?");
  await gate.rest();
  assert.deepEqual(gate.channel.texts, ["0 before", "2 before"]);
  assert.ok(!JSON.stringify(gate.seen).includes("4111"), "the engine saw what was taken out");
});

attempt("a message that an engine saw has its verdict on record, though the engine never answered", async (open) => {
  const gate = await open({
    answer: () => {
      throw new Error("the model broke");
    },
  });
  const id = await gate.say("hello");
  await gate.exhaust();
  await nothingLeft(gate, id, "dead", /the engine failed/);
  assert.equal((await gate.verdicts(id)).length, 1);
});

function ignoringRefusal(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    assert.ok(error instanceof TypeError, "what is frozen refuses with a TypeError");
  }
}
