import assert from "node:assert/strict";
import { limits } from "../../src/core/limits.ts";
import type { Message } from "../../src/core/message.ts";
import type { Part } from "../../src/core/part.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import { attempt, forbidden, type Gate, nothingLeft, type Open, saysParts } from "./gate-scene.ts";

/** Runs one turn whose engine says these parts. */
async function says(open: Open, parts: unknown, reviewers?: readonly Reviewer[]): Promise<Gate & { asked: Message }> {
  const gate = await open({ answer: () => saysParts(parts), ...(reviewers === undefined ? {} : { reviewers }) });
  const id = await gate.say("hello");
  await gate.exhaust();
  return { ...gate, asked: await gate.load(id) };
}

/** Says the first text when it is read first, and the other one ever after. */
function turncoat(first: string, later: string): object {
  let reads = 0;
  return {
    kind: "text",
    get text() {
      reads += 1;
      return reads === 1 ? first : later;
    },
  };
}

attempt("a text that reads otherwise the second time goes out as it was judged", async (open) => {
  const gate = await says(open, [turncoat("harmless", forbidden)]);
  assert.deepEqual(gate.channel.texts, ["harmless"]);
});

attempt("a text that is forbidden when it is judged, and harmless at first, is not let out", async (open) => {
  const gate = await says(open, [turncoat(forbidden, "harmless")]);
  assert.deepEqual(gate.channel.delivered, []);
});

attempt("parts are copied, so that a proxy has nothing to say after it was read", async (open) => {
  let reads = 0;
  const target: Record<string, unknown> = { kind: "text", text: "harmless" };
  const proxy = new Proxy(target, {
    get: (part, name) => {
      reads += 1;
      return reads > 20 ? forbidden : Reflect.get(part, name);
    },
  });
  const gate = await says(open, [proxy]);
  assert.deepEqual(gate.channel.texts, ["harmless"]);
  assert.ok(reads <= 20);
});

attempt("a frozen draft goes through like any other", async (open) => {
  const part = Object.freeze({ kind: "text", text: "harmless" });
  const gate = await says(open, Object.freeze([part]));
  assert.deepEqual(gate.channel.texts, ["harmless"]);
});

attempt("fields that no reviewer knows of are left behind", async (open) => {
  const gate = await says(open, [{ kind: "text", text: "harmless", html: forbidden, entities: [{ url: forbidden }] }]);
  assert.deepEqual(gate.channel.delivered[0]?.parts, [{ kind: "text", text: "harmless" }]);
});

attempt("a field of a choice that no reviewer knows of is left behind", async (open) => {
  const gate = await says(open, [{ kind: "choices", choices: [{ label: "a", value: "b", url: forbidden }] }]);
  assert.deepEqual(gate.channel.delivered[0]?.parts, [{ kind: "choices", choices: [{ label: "a", value: "b" }] }]);
});

attempt("what a part says of itself as JSON is not asked", async (open) => {
  const gate = await says(open, [
    { kind: "text", text: "harmless", toJSON: () => ({ kind: "text", text: forbidden }) },
  ]);
  assert.deepEqual(gate.channel.texts, ["harmless"]);
});

attempt("what a part inherits counts as its own, and is judged", async (open) => {
  const gate = await says(open, [Object.create({ kind: "text", text: forbidden })]);
  assert.deepEqual(gate.channel.delivered, []);
});

attempt("a part with __proto__ of its own changes no prototype and carries nothing along", async (open) => {
  const gate = await says(open, [JSON.parse(`{"kind":"text","text":"harmless","__proto__":{"html":"${forbidden}"}}`)]);
  assert.deepEqual(gate.channel.delivered[0]?.parts, [{ kind: "text", text: "harmless" }]);
  assert.ok(!("html" in {}));
});

for (const [what, parts] of Object.entries({
  "of a kind that nobody knows": [{ kind: "html", html: forbidden }],
  "that is a promise of a part": [Promise.resolve({ kind: "text", text: forbidden })],
  "that is a bare text": [forbidden],
  "whose text is an object with a text inside": [{ kind: "text", text: { toString: () => forbidden } }],
  "whose text is a String object": [{ kind: "text", text: new String(forbidden) }],
  "that is nothing": [null],
  "that is a file of a medium that nobody knows": [{ kind: "file", media: "program", mimeType: "text/plain" }],
})) {
  attempt(`a part ${what} is no answer`, async (open) => {
    const gate = await says(open, parts);
    await nothingLeft(gate, gate.asked.id, "dead", /given up after 5 attempts: A part/);
  });
}

attempt("parts that are a promise are no answer", async (open) => {
  const gate = await says(open, Promise.resolve([{ kind: "text", text: forbidden }]));
  assert.deepEqual([gate.channel.delivered, gate.asked.state], [[], "dead"]);
});

/** What a reviewer reads of it, and what becomes of it when it is hashed or written, are two different lists. */
function doubleFaced(shown: readonly object[], meant: readonly object[]): object {
  return {
    ...shown,
    length: shown.length,
    [Symbol.iterator]: () => shown.values(),
    some: () => false,
    slice: () => ({ map: () => doubleFaced(shown, meant) }),
    map: (work: (part: object) => unknown) => meant.map((part) => work(part)),
    toJSON: () => meant,
  };
}

const readsEachPart: Reviewer = {
  name: "reads each part",
  review({ parts }) {
    const texts: string[] = [];
    for (const part of parts) texts.push(JSON.stringify(part));
    return texts.join("").includes(forbidden) ? { kind: "reject", reason: "a forbidden word" } : { kind: "pass" };
  },
};

attempt("a list of parts that shows reviewers another content than it is written as is no answer", async (open) => {
  const meant = [{ kind: "text", text: forbidden }];
  const gate = await says(open, doubleFaced([{ kind: "text", text: "harmless" }], meant), [readsEachPart]);
  await nothingLeft(gate, gate.asked.id, "dead", /given up after 5 attempts/);
});

attempt("a list of parts with methods of its own is read, not asked", async (open) => {
  const harmless: Part = { kind: "text", text: "harmless" };
  const parts = Object.assign([harmless], doubleFaced([harmless], [{ kind: "text", text: forbidden }]));
  const gate = await says(open, parts, [readsEachPart]);
  assert.deepEqual(gate.channel.texts, ["harmless"]);
});

attempt("a list of choices with methods of its own is read, not asked", async (open) => {
  const harmless = { label: "harmless", value: "1" };
  const choices = Object.assign([harmless], doubleFaced([harmless], [{ label: forbidden, value: "1" }]));
  const shownLabels: Reviewer = {
    name: "reads each label",
    review({ parts }) {
      for (const part of parts) {
        if (part.kind !== "choices") continue;
        for (const { label } of part.choices) if (label === forbidden) return { kind: "reject", reason: "a label" };
      }
      return { kind: "pass" };
    },
  };
  const gate = await says(open, [{ kind: "choices", choices }], [shownLabels]);
  assert.deepEqual(gate.channel.delivered[0]?.parts, [{ kind: "choices", choices: [harmless] }]);
});

attempt("a file's medium that reads otherwise the second time is what it was when it was checked", async (open) => {
  let reads = 0;
  const file = {
    kind: "file",
    get media() {
      reads += 1;
      return reads === 1 ? "image" : forbidden;
    },
    mimeType: "image/png",
    missing: "gone",
  };
  const gate = await says(open, [file], [{ name: "lenient", review: () => ({ kind: "pass" }) }]);
  assert.equal(gate.channel.delivered.length, 1);
  assert.ok(!JSON.stringify(gate.channel.delivered).includes(forbidden));
});

attempt("a reply reference that reads otherwise the second time carries nothing out", async (open) => {
  let reads = 0;
  const draft = {
    parts: [{ kind: "text", text: "harmless" }],
    get replyTo() {
      reads += 1;
      return reads === 1 ? "p1" : { slice: () => ({ text: forbidden }) };
    },
  };
  const gate = await open({ answer: () => ({ drafts: [draft] }) });
  await gate.say("hello");
  await gate.rest();
  assert.equal(gate.channel.delivered[0]?.replyTo, "p1");
});

attempt("a list of drafts that grows while it is read stays within its limit", async (open) => {
  const harmless = { parts: [{ kind: "text", text: "harmless" }], replyTo: null };
  const drafts = Object.assign([harmless], {
    *[Symbol.iterator]() {
      for (let count = 0; count < limits.turnDraftsMax * 2; count += 1) yield harmless;
    },
  });
  const gate = await open({ answer: () => ({ drafts }) });
  await gate.say("hello");
  await gate.rest();
  assert.equal(gate.channel.delivered.length, 1);
});

attempt("parts over the limit are cut before they are judged, and what goes out says so", async (open) => {
  const gate = await says(open, [
    ...Array.from({ length: limits.partsMax }, () => ({ kind: "text", text: "harmless" })),
    { kind: "text", text: forbidden },
  ]);
  const [message] = gate.channel.delivered;
  assert.equal(message?.parts.length, limits.partsMax + 1);
  assert.deepEqual(message?.parts.at(-1), { kind: "unsupported", type: "cut: parts after the first 32" });
});
