import type { ContentHash, ConversationId, MessageId, PersonId, TurnId } from "./ids.ts";
import type { Part } from "./part.ts";

/** Something said in a conversation by a person, the bot or an operator. */
export interface Message {
  readonly id: MessageId;
  readonly conversationId: ConversationId;
  readonly from: "person" | "bot" | "operator";
  /** Who wrote it; null for the bot, and where the platform does not say. */
  readonly personId: PersonId | null;
  readonly parts: readonly Part[];
  /** Of `parts`, by `contentHash`. */
  readonly contentHash: ContentHash;
  readonly state: MessageState;
  /** Why it is in this state; null when that goes without saying (`received`, `queued`, `answered`, `delivered`). */
  readonly reason: string | null;
  /** The turn that took it (from a person) or said it (from the bot); null while there is none. */
  readonly turnId: TurnId | null;
  /** Set when it tells the bot something but asks nothing ("edit", "reaction", "channel post"): no turn is taken. */
  readonly notice: string | null;
  /** The platform's own id of this message; null until it has one. */
  readonly platformRef: string | null;
  /** The platform's id of the message this one replies to. */
  readonly replyTo: string | null;
  /** When Parley received or decided it, milliseconds since 1970. */
  readonly at: number;
}

/**
 * Where a message stands. From a person: `received` until a turn or a verdict ends it. From the bot: `queued` until the
 * platform has it. `held` waits for an operator. The drawing is in docs/journey.md and a test compares the two.
 */
export type MessageState =
  | "received"
  | "queued"
  | "held"
  | "answered"
  | "ignored"
  | "rejected"
  | "delivered"
  | "unknown"
  | "dead";

/** Every move a message can make. Storage refuses any other. */
export const messageMoves: Readonly<Record<MessageState, readonly MessageState[]>> = {
  received: ["answered", "ignored", "rejected", "held", "dead"],
  queued: ["delivered", "unknown", "dead"],
  held: ["received", "queued", "rejected"],
  unknown: ["queued"],
  dead: ["received", "queued"],
  answered: [],
  ignored: [],
  rejected: [],
  delivered: [],
};

/** What an engine wants to say: a message once reviewed. */
export interface Draft {
  readonly parts: readonly Part[];
  /** The platform's id of the message to reply to; null to just speak. */
  readonly replyTo: string | null;
}
