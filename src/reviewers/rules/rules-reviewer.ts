import { RE2JS, RE2Set } from "re2js";
import type { Message } from "../../core/message.ts";
import type { FilePart, Part } from "../../core/part.ts";
import type { Reviewer } from "../../core/reviewer.ts";
import type { Verdict } from "../../core/verdict.ts";
import { fold } from "./folded-text.ts";
import { type PartTexts, rewritePart, textsOf } from "./part-texts.ts";
import { createRateLimit } from "./rate-limit.ts";
import type { RulesOptions } from "./rules-options.ts";
import { type Family, type Finding, findSensitive, redact } from "./sensitive-text.ts";

const pass: Verdict = { kind: "pass" };

/**
 * Judges by fixed rules, at once and without a model: rates, sizes, kinds of files, patterns, secrets and personal data.
 * Reasons name the rule, never what was said. See docs/reviewers.md.
 */
export function createRulesReviewer(options: RulesOptions): Reviewer {
  const overRate = createRateLimit(options.rate);
  const blocked = createBlocklist(options.block_patterns);
  const judgeSensitive = createSensitiveJudge({ secret: options.secrets, personal: options.personal_data });

  return {
    name: "rules",
    review({ kind, message, parts }) {
      const reason = kind === "inbound" ? overRate(senderOf(message), message.id, message.at) : null;
      if (reason !== null) return { kind: "reject", reason };
      const texts = textsOf(parts);
      const refusal = overSize(texts, parts, options) ?? blocked(texts);
      if (refusal !== null) return { kind: "reject", reason: refusal };
      return kind === "outbound" ? judgeSensitive(texts, parts) : pass;
    },
  };
}

/** Where a platform does not say who wrote, the conversation counts as one person. */
function senderOf({ personId, conversationId }: Message): string {
  return personId ?? conversationId;
}

function overSize({ shown, carried }: PartTexts, parts: readonly Part[], options: RulesOptions): string | null {
  const { text_max: textMax, file_bytes_max: fileBytesMax } = options.size;
  let length = 0;
  for (const text of shown) length += text.length;
  for (const text of carried) length += text.length;
  if (length > textMax) return `text over ${textMax} characters`;
  for (const part of parts) {
    // What could not be fetched harms nobody.
    if (part.kind !== "file" || part.missing !== null) continue;
    if (part.bytes !== null && part.bytes > fileBytesMax) return `file over ${fileBytesMax} bytes`;
    if (options.blocked_mime_types.includes(mimeTypeOf(part)))
      return `files of the type ${mimeTypeOf(part)} are blocked`;
  }
  return null;
}

/** Without parameters like `; charset=utf-8`. */
function mimeTypeOf({ mimeType }: FilePart): string {
  return mimeType.replace(/;.*$/s, "").trim().toLowerCase();
}

function createBlocklist(patterns: readonly string[]): (texts: PartTexts) => string | null {
  if (patterns.length === 0) return () => null;
  const set = new RE2Set(RE2Set.UNANCHORED, RE2JS.CASE_INSENSITIVE);
  for (const pattern of patterns) set.add(pattern);
  set.compile();
  const match = (text: string): string | null => {
    const folded = fold(text);
    const [index] = [...set.match(text), ...(folded === text ? [] : set.match(folded))];
    return index === undefined ? null : `block pattern ${index + 1} matches`;
  };
  return (texts) => {
    for (const group of [texts.shown, texts.carried]) {
      for (const text of group) {
        const reason = match(text);
        if (reason !== null) return reason;
      }
      const joined = group.length > 1 ? match(group.join("")) : null;
      if (joined !== null) return joined;
    }
    return null;
  };
}

type Actions = Readonly<Record<Family, RulesOptions["secrets"]>>;

function createSensitiveJudge(actions: Actions): (texts: PartTexts, parts: readonly Part[]) => Verdict {
  const families = new Set<Family>((["secret", "personal"] as const).filter((family) => actions[family] !== "off"));
  if (families.size === 0) return () => pass;
  const rewrite = (text: string): string => redact(text, families);

  return ({ shown, carried }, parts) => {
    const whole: Finding[] = [];
    const split: Finding[] = [];
    for (const group of [shown, carried]) {
      for (const text of group) whole.push(...findSensitive(text, families));
      if (group.length > 1) split.push(...findSplit(group, families));
    }
    if (whole.length + split.length === 0) return pass;

    const rejected = [...whole, ...split].filter(({ family }) => actions[family] === "reject");
    if (rejected.length > 0) return { kind: "reject", reason: `holds ${list(rejected)}` };
    const held = whole.filter(({ family }) => actions[family] === "hold");
    if (held.length > 0) return { kind: "hold", reason: `holds ${list(held)}` };
    // Neither half is recognized by itself, so nothing can be taken out.
    if (split.length > 0) return { kind: "hold", reason: `holds ${list(split)}, split over several texts` };
    return { kind: "change", parts: parts.map((part) => rewritePart(part, rewrite)), reason: `removed ${list(whole)}` };
  };
}

/** What only shows when the texts are read as one. */
function findSplit(texts: readonly string[], families: ReadonlySet<Family>): Finding[] {
  const borders = new Set<number>();
  let length = 0;
  for (const text of texts) {
    length += text.length;
    borders.add(length);
  }
  return findSensitive(texts.join(""), families).filter(({ start, end }) => {
    for (const border of borders) if (start < border && border < end) return true;
    return false;
  });
}

function list(findings: readonly Finding[]): string {
  return [...new Set(findings.map(({ what }) => what))].join(", ");
}
