import { InputError } from "./errors.ts";
import type { Host } from "./host.ts";
import type { ContentHash } from "./ids.ts";
import { limits } from "./limits.ts";
import type { Choice, Media, Part, TextPart } from "./part.ts";

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
 * Parts as every later stage may rely on them: a copy with only the known fields, well-formed Unicode, no NUL, within the
 * limits. What is over a limit is cut and the cut recorded as an `unsupported` part; nothing is dropped in silence.
 * Throws `InputError` for what is not a part: engines are plugins, and a field nobody reviews must not reach a channel.
 */
export function cleanParts(parts: readonly unknown[]): Part[] {
  const { items, isCut } = firstOf(parts, limits.partsMax);
  const cleaned = items.map(cleanPart);
  if (isCut) cleaned.push(cut(`parts after the first ${limits.partsMax}`));
  const isTextCut = cleaned.some(
    (part, index) => part.kind === "text" && (items[index] as TextPart).text.length > limits.textMax,
  );
  if (isTextCut) cleaned.push(cut(`text after the first ${limits.textMax} characters`));
  return cleaned;
}

/** One by one into a list of our own: a plugin's array may have methods that tell whatever they like. */
function firstOf(list: unknown, max: number): { readonly items: unknown[]; readonly isCut: boolean } {
  if (!Array.isArray(list)) throw wrongPart("has no list of choices, or is in no list itself");
  const { length } = list;
  const items: unknown[] = [];
  for (let index = 0; index < length && index < max; index += 1) items.push(list[index]);
  return { items, isCut: length > max };
}

function cut(what: string): Part {
  return { kind: "unsupported", type: `cut: ${what}` };
}

type Fields = Readonly<Record<string, unknown>>;

const media: readonly Media[] = ["image", "audio", "voice", "video", "document", "sticker"];

function cleanPart(value: unknown): Part {
  if (typeof value !== "object" || value === null) throw wrongPart("is not an object");
  const part = value as Fields;
  switch (part.kind) {
    case "text":
      return { kind: "text", text: cleanText(string(part.text), limits.textMax) };
    case "file":
      return cleanFile(part);
    case "choices":
      return { kind: "choices", choices: firstOf(part.choices, limits.choicesMax).items.map(cleanChoice) };
    case "choice":
      return {
        kind: "choice",
        value: label(part.value),
        label: labelOrNull(part.label),
        messageRef: labelOrNull(part.messageRef),
        pending: part.pending === true,
      };
    case "location":
      return {
        kind: "location",
        latitude: number(part.latitude),
        longitude: number(part.longitude),
        name: labelOrNull(part.name),
      };
    case "contact":
      return { kind: "contact", name: label(part.name), phone: labelOrNull(part.phone) };
    case "reaction":
      return { kind: "reaction", emoji: label(part.emoji), messageRef: labelOrNull(part.messageRef) };
    case "unsupported":
      return { kind: "unsupported", type: label(part.type) };
    default:
      throw wrongPart("is of no kind that Parley knows");
  }
}

function cleanFile(part: Fields): Part {
  const known = media.find((one) => one === part.media);
  if (known === undefined) throw wrongPart("is a file of no media that Parley knows");
  return {
    kind: "file",
    media: known,
    mimeType: label(part.mimeType),
    name: labelOrNull(part.name),
    bytes: part.bytes === null || part.bytes === undefined ? null : number(part.bytes),
    caption:
      part.caption === null || part.caption === undefined ? null : cleanText(string(part.caption), limits.textMax),
    hash: labelOrNull(part.hash) as ContentHash | null,
    ref: labelOrNull(part.ref),
    missing: labelOrNull(part.missing),
  };
}

function cleanChoice(value: unknown): Choice {
  if (typeof value !== "object" || value === null) throw wrongPart("has a choice that is not an object");
  const choice = value as Fields;
  return { label: label(choice.label), value: label(choice.value) };
}

function string(value: unknown): string {
  if (typeof value !== "string") throw wrongPart("lacks a text that it must have");
  return value;
}

function number(value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) throw wrongPart("lacks a number that it must have");
  return value;
}

function label(value: unknown): string {
  return cleanText(string(value), limits.labelMax);
}

function labelOrNull(value: unknown): string | null {
  return value === null || value === undefined ? null : label(value);
}

function wrongPart(what: string): InputError {
  return new InputError("invalid_input", `A part ${what}. The kinds and their fields are in docs/journey.md.`);
}

/** Well-formed, without NUL, and at most `max` UTF-16 units, never ending in half a character. */
export function cleanText(text: string, max: number): string {
  const short = text.length > max ? text.slice(0, max) : text;
  const whole = short.length < text.length && isHighSurrogate(short.charCodeAt(max - 1)) ? short.slice(0, -1) : short;
  const wellFormed = whole.isWellFormed() ? whole : whole.toWellFormed();
  return wellFormed.includes("\u0000") ? wellFormed.replaceAll("\u0000", "\uFFFD") : wellFormed;
}

function isHighSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}
