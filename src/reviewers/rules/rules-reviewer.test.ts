import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Conversation } from "../../core/conversation.ts";
import type { ConversationId, MessageId, PersonId } from "../../core/ids.ts";
import type { Message } from "../../core/message.ts";
import type { FilePart, Part } from "../../core/part.ts";
import type { Verdict } from "../../core/verdict.ts";
import { rulesOptions } from "./rules-options.ts";
import { createRulesReviewer } from "./rules-reviewer.ts";

const card = "4111 1111 1111 1111";
const apiKey = `sk-${"abcdefghijklmnopqrstuvwx"}`;
const signal = new AbortController().signal;

function say(text: string): Part {
  return { kind: "text", text };
}

function file(more: Partial<FilePart> = {}): FilePart {
  const content = { mimeType: "image/png", name: null, bytes: 10, caption: null, hash: null, ref: null, missing: null };
  return { kind: "file", media: "document", ...content, ...more };
}

function judge(direction: "inbound" | "outbound", parts: readonly Part[], options: object = {}): Verdict {
  const reviewer = createRulesReviewer(rulesOptions.parse(options));
  return reviewOnce(reviewer, { direction, parts, id: "m", personId: "p", at: 0 });
}

interface Said {
  readonly direction: "inbound" | "outbound";
  readonly parts: readonly Part[];
  readonly id: string;
  readonly personId: string | null;
  readonly at: number;
}

function reviewOnce(reviewer: ReturnType<typeof createRulesReviewer>, said: Said): Verdict {
  const message: Message = {
    id: said.id as MessageId,
    conversationId: "c" as ConversationId,
    from: said.direction === "inbound" ? "person" : "bot",
    personId: said.personId as PersonId | null,
    parts: said.parts,
    contentHash: "" as Message["contentHash"],
    state: "received",
    reason: null,
    turnId: null,
    notice: null,
    platformRef: null,
    replyTo: null,
    at: said.at,
  };
  const conversation = {} as Conversation;
  const { parts } = said;
  const verdict =
    said.direction === "inbound"
      ? reviewer.review({ kind: "inbound", message, conversation, parts }, signal)
      : reviewer.review({ kind: "outbound", message, conversation, inReplyTo: [], parts }, signal);
  // The hot path waits for nobody.
  assert.ok(!(verdict instanceof Promise));
  return verdict;
}

describe("secrets and personal data", () => {
  test("pass when a person gives them", () => {
    assert.deepEqual(judge("inbound", [say(`${card} ${apiKey}`)]), { kind: "pass" });
  });

  test("an answer with a secret is held; the reason does not repeat it", () => {
    assert.deepEqual(judge("outbound", [say(`Use ${apiKey}`)]), { kind: "hold", reason: "holds API key" });
  });

  test("an answer with personal data goes out without it", () => {
    assert.deepEqual(judge("outbound", [say(`Card ${card}.`), say("Bye")]), {
      kind: "change",
      parts: [say("Card [card number removed]."), say("Bye")],
      reason: "removed card number",
    });
  });

  test("each is judged as configured, the strictest first", () => {
    const parts = [say(`${card} ${apiKey}`)];
    const kinds = (secrets: string, personal: string): string =>
      judge("outbound", parts, { secrets, personal_data: personal }).kind;
    assert.equal(kinds("hold", "reject"), "reject");
    assert.equal(kinds("redact", "hold"), "hold");
    assert.equal(kinds("off", "off"), "pass");
    assert.deepEqual(judge("outbound", parts, { secrets: "off" }), {
      kind: "change",
      parts: [say(`[card number removed] ${apiKey}`)],
      reason: "removed card number",
    });
    assert.deepEqual(judge("outbound", parts, { secrets: "redact" }), {
      kind: "change",
      parts: [say("[card number removed] [API key removed]")],
      reason: "removed card number, API key",
    });
  });

  test("every text of every part is looked at, and rewritten", () => {
    const gone = "[card number removed]";
    for (const [part, wanted] of [
      [file({ caption: card, name: `${card}.pdf` }), file({ caption: gone, name: `${gone}.pdf` })],
      [
        { kind: "choices", choices: [{ label: card, value: card }] },
        { kind: "choices", choices: [{ label: gone, value: gone }] },
      ],
      [
        { kind: "contact", name: card, phone: "+1" },
        { kind: "contact", name: gone, phone: "+1" },
      ],
      [
        { kind: "location", latitude: 1, longitude: 2, name: card },
        { kind: "location", latitude: 1, longitude: 2, name: gone },
      ],
    ] as const satisfies readonly (readonly [Part, Part])[]) {
      const verdict = judge("outbound", [part]);
      assert.deepEqual(verdict, { kind: "change", parts: [wanted], reason: "removed card number" });
    }
  });

  test("what is split over several texts is held, or rejected, never let out in two halves", () => {
    const halves = [say(`Card 4111 1111`), say(" 1111 1111 thanks")];
    const held = { kind: "hold", reason: "holds card number, split over several texts" };
    assert.deepEqual(judge("outbound", halves), held);
    assert.equal(judge("outbound", halves, { personal_data: "reject" }).kind, "reject");
    const captioned = [say(apiKey.slice(0, 9)), file({ caption: apiKey.slice(9) })];
    assert.equal(judge("outbound", captioned).kind, "hold");
    const choices = [
      { label: "Yes", value: apiKey.slice(0, 9) },
      { label: "No", value: apiKey.slice(9) },
    ];
    assert.equal(judge("outbound", [{ kind: "choices", choices }]).kind, "hold");
  });
});

describe("block patterns", () => {
  const options = { block_patterns: ["free (money|cash)", "\\bviagra\\b"] };

  test("reject in both directions, whatever the case and the look, naming the rule only", () => {
    for (const text of ["FREE Cash", "fr\u200Bee mone\u0301y", "ｆｒｅｅ ｃａｓｈ"]) {
      const rejected = { kind: "reject", reason: "block pattern 1 matches" };
      assert.deepEqual(judge("inbound", [say(text)], options), rejected, text);
      assert.deepEqual(judge("outbound", [say(text)], options), rejected, text);
    }
    assert.equal(judge("inbound", [file({ name: "viagra.txt" })], options).kind, "reject");
    assert.equal(judge("inbound", [say("fr"), say("ee money")], options).kind, "reject");
    assert.deepEqual(judge("inbound", [say("money is free")], options), { kind: "pass" });
  });

  test("a pattern that is none is refused when the configuration is read", () => {
    for (const pattern of ["(a", "(?=a)", "(a)\\1"]) {
      const { error } = rulesOptions.safeParse({ block_patterns: [pattern] });
      assert.match(error?.issues[0]?.message ?? "", /is not an RE2 pattern: /);
    }
  });

  test("a pattern that would take a backtracking search for ever is answered", () => {
    const evil = { block_patterns: ["(a+)+$", "(a|aa)*b$", "(.*)*x$"], size: { text_max: 60_000 } };
    assert.deepEqual(judge("inbound", [say(`${"a".repeat(50_000)}!`)], evil), { kind: "pass" });
    assert.equal(judge("inbound", [say("a".repeat(50_000))], evil).kind, "reject");
  });
});

describe("size and files", () => {
  test("texts count together", () => {
    const options = { size: { text_max: 10 } };
    assert.equal(judge("inbound", [say("12345"), file({ caption: "12345" })], options).kind, "pass");
    const verdict = judge("inbound", [say("12345"), file({ caption: "123456" })], options);
    assert.deepEqual(verdict, { kind: "reject", reason: "text over 10 characters" });
    const choices = [{ label: "12345", value: "123456" }];
    assert.equal(judge("outbound", [{ kind: "choices", choices }], options).kind, "reject");
    assert.equal(judge("outbound", [say("a".repeat(20_001))]).kind, "reject");
  });

  test("a file over the limit and a file of a blocked type are rejected", () => {
    const verdict = judge("inbound", [file({ bytes: 11 })], { size: { file_bytes_max: 10 } });
    assert.deepEqual(verdict, { kind: "reject", reason: "file over 10 bytes" });
    assert.deepEqual(judge("inbound", [file({ mimeType: "Application/X-SH; charset=utf-8" })]), {
      kind: "reject",
      reason: "files of the type application/x-sh are blocked",
    });
    assert.equal(
      judge("inbound", [file({ mimeType: "text/html" })], { blocked_mime_types: ["Text/HTML"] }).kind,
      "reject",
    );
  });

  test("a file that could not be fetched passes, but not what is written with it", () => {
    const missing = file({ bytes: 10 ** 12, mimeType: "application/x-sh", missing: "over 20 MB", caption: "spam" });
    assert.equal(judge("inbound", [missing]).kind, "pass");
    assert.equal(judge("inbound", [missing], { block_patterns: ["spam"] }).kind, "reject");
  });
});

describe("rate", () => {
  const parts = [say("hi")];

  test("rejects what one person says too often; others, and the bot, go on", () => {
    const reviewer = createRulesReviewer(rulesOptions.parse({}));
    const from = (personId: string | null, id: number, direction: "inbound" | "outbound" = "inbound"): string =>
      reviewOnce(reviewer, { direction, parts, id: `${personId}${id}`, personId, at: id }).kind;
    for (let id = 0; id < 60; id += 1) assert.equal(from("kim", id), "pass");
    assert.equal(from("kim", 60), "reject");
    assert.equal(from("kim", 60), "reject");
    assert.equal(from("kim", 59), "pass");
    assert.equal(from("lee", 60), "pass");
    for (let id = 0; id < 100; id += 1) assert.equal(from(null, id, "outbound"), "pass");
    assert.equal(from("kim", 60_000), "pass");
  });

  test("counts a conversation as one person where nobody is named", () => {
    const reviewer = createRulesReviewer(rulesOptions.parse({ rate: { per_minute: 1 } }));
    const say1 = { direction: "inbound", parts, personId: null, at: 0 } as const;
    assert.equal(reviewOnce(reviewer, { ...say1, id: "1" }).kind, "pass");
    assert.deepEqual(reviewOnce(reviewer, { ...say1, id: "2" }), {
      kind: "reject",
      reason: "over 1 messages a minute",
    });
  });
});
