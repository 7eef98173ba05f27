import type { Host } from "./host.ts";
import type { ContentHash } from "./ids.ts";
import { limits } from "./limits.ts";
import type { Part } from "./part.ts";

/**
 * The hash that a verdict is bound to. Covers every field of every part, media by the hash of its content, so that no
 * byte a person would see can change without a new verdict.
 */
export function contentHash(parts: readonly Part[], host: Pick<Host, "hash">): ContentHash {
  return host.hash(JSON.stringify(parts.map(canonical))) as ContentHash;
}

/** A part's fields in the order of their names: the order they were written in must not count. */
function canonical(part: Part): unknown {
  if (part.kind === "text") return ["text", part.text];
  return Object.entries(part)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => [name, name === "choices" ? canonicalChoices(part) : value]);
}

function canonicalChoices(part: Part): unknown {
  return part.kind === "choices" ? part.choices.map(({ label, value }) => [label, value]) : null;
}

/**
 * Parts as every later stage may rely on them: well-formed Unicode, no NUL, within the limits. What is over a limit is
 * cut and the cut recorded as an `unsupported` part; nothing is dropped in silence.
 */
export function cleanParts(parts: readonly Part[]): Part[] {
  const cleaned = parts.slice(0, limits.partsMax).map(cleanPart);
  if (parts.length > limits.partsMax) cleaned.push(cut(`parts after the first ${limits.partsMax}`));
  const tooLong = parts.some((part) => part.kind === "text" && part.text.length > limits.textMax);
  if (tooLong) cleaned.push(cut(`text after the first ${limits.textMax} characters`));
  return cleaned;
}

function cut(what: string): Part {
  return { kind: "unsupported", type: `cut: ${what}` };
}

function cleanPart(part: Part): Part {
  if (part.kind === "text") return { kind: "text", text: cleanText(part.text, limits.textMax) };
  if (part.kind === "choices") {
    const choices = part.choices.slice(0, limits.choicesMax).map(({ label, value }) => ({
      label: cleanText(label, limits.labelMax),
      value: cleanText(value, limits.labelMax),
    }));
    return { kind: "choices", choices };
  }
  const entries = Object.entries(part).map(([name, value]) => [
    name,
    typeof value === "string" ? cleanText(value, name === "caption" ? limits.textMax : limits.labelMax) : value,
  ]);
  return Object.fromEntries(entries) as Part;
}

/** Well-formed, without NUL, and at most `max` UTF-16 units, never ending in half a character. */
export function cleanText(text: string, max: number): string {
  const short = text.length > max ? text.slice(0, max) : text;
  const whole = short.length < text.length && isHighSurrogate(short.charCodeAt(max - 1)) ? short.slice(0, -1) : short;
  return whole.toWellFormed().replaceAll("\u0000", "\uFFFD");
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
