import type { MessageId } from "../../core/ids.ts";
import type { Message, MessageState } from "../../core/message.ts";
import type { FilePart, Part } from "../../core/part.ts";

/** A message as the page and other clients read it: the shape of the REST API, and a little more. */
export interface WebMessage {
  readonly id: MessageId;
  readonly from: Message["from"];
  readonly parts: readonly (Part | WebFilePart)[];
  readonly state: MessageState;
  /** `2026-11-21T05:54:00.123Z`. */
  readonly at: string;
  /** What the sender called it; only on a person's messages. */
  readonly clientId?: string;
}

/** A file and where this person, and nobody else, gets it: relative to the page. Null when it cannot be had. */
type WebFilePart = FilePart & { readonly url: string | null };

/** What the person said, and what reached them: nothing that is held, rejected or on its way. */
export function isVisible(message: Message): boolean {
  return message.from === "person" || message.state === "delivered";
}

export function webMessage(message: Message, urlOf: (part: FilePart) => string | null): WebMessage {
  const { id, from, state, at, platformRef } = message;
  const parts = message.parts.map((part) => (part.kind === "file" ? { ...part, url: urlOf(part) } : part));
  const clientId = from === "person" && platformRef !== null ? { clientId: platformRef } : {};
  return { id, from, parts, state, at: new Date(at).toISOString(), ...clientId };
}
