import type { ContentHash } from "./ids.ts";

/** A piece of a message. Texts are well-formed Unicode without NUL: `receive` sees to it. */
export type Part =
  | TextPart
  | FilePart
  | ChoicesPart
  | ChoicePart
  | LocationPart
  | ContactPart
  | ReactionPart
  | UnsupportedPart;

export interface TextPart {
  readonly kind: "text";
  readonly text: string;
}

export type Media = "image" | "audio" | "voice" | "video" | "document" | "sticker";

export interface FilePart {
  readonly kind: "file";
  readonly media: Media;
  readonly mimeType: string;
  readonly name: string | null;
  readonly bytes: number | null;
  readonly caption: string | null;
  /** SHA-256 of the content once Parley holds it; null while it is still only on the platform, or cannot be had. */
  readonly hash: ContentHash | null;
  /** The platform's own id of the file; null when it never had one. */
  readonly ref: string | null;
  /** Why the content cannot be had ("over 20 MB"); null when it can. */
  readonly missing: string | null;
}

/** Offered by the bot. */
interface ChoicesPart {
  readonly kind: "choices";
  readonly choices: readonly Choice[];
}

export interface Choice {
  readonly label: string;
  readonly value: string;
}

/** Taken by a person. */
export interface ChoicePart {
  readonly kind: "choice";
  /** The value of the choice; a channel's short token for it while `pending`. */
  readonly value: string;
  readonly label: string | null;
  /** The platform's id of the message that offered it; null where the platform does not say. */
  readonly messageRef: string | null;
  /** True while `value` is a token that the channel has yet to resolve. */
  readonly pending: boolean;
}

interface LocationPart {
  readonly kind: "location";
  readonly latitude: number;
  readonly longitude: number;
  readonly name: string | null;
}

interface ContactPart {
  readonly kind: "contact";
  readonly name: string;
  readonly phone: string | null;
}

interface ReactionPart {
  readonly kind: "reaction";
  /** Empty when the reaction was taken back. */
  readonly emoji: string;
  readonly messageRef: string | null;
}

/** Something the platform has and Parley has no part for: recorded, so that nothing vanishes. */
interface UnsupportedPart {
  readonly kind: "unsupported";
  /** The platform's own name of it: `poll`, `dice`, `my_chat_member`. */
  readonly type: string;
}

/** True when the platform only pointed at content that must be fetched before the message can be reviewed. */
export function isPending(part: Part): boolean {
  if (part.kind === "file") return part.hash === null && part.missing === null;
  return part.kind === "choice" && part.pending;
}

/** What a person would read of these parts, a line each: the text that reviewers and models look at. */
export function plainText(parts: readonly Part[]): string {
  const lines: string[] = [];
  for (const part of parts) {
    const line = partText(part);
    if (line !== "") lines.push(line);
  }
  return lines.join("\n");
}

function partText(part: Part): string {
  switch (part.kind) {
    case "text":
      return part.text;
    case "file":
      return [part.name, part.caption].filter((text) => text !== null && text !== "").join("\n");
    case "choices":
      return part.choices.map((choice) => choice.label).join("\n");
    case "choice":
      return part.label ?? part.value;
    case "location":
      return part.name ?? "";
    case "contact":
      return [part.name, part.phone].filter((text) => text !== null && text !== "").join("\n");
    case "reaction":
      return part.emoji;
    case "unsupported":
      return "";
  }
}
