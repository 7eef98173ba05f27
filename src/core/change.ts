import type { Conversation, Person } from "./conversation.ts";
import type { DeliveryAttempt } from "./delivery.ts";
import type { ContentHash, ConversationId, MessageId, TurnId } from "./ids.ts";
import type { NewJob } from "./job.ts";
import type { Json } from "./json.ts";
import type { Message, MessageState } from "./message.ts";
import type { Part } from "./part.ts";
import type { Step, Turn } from "./turn.ts";
import type { VerdictRecord } from "./verdict.ts";

/**
 * A fact to be written. Stages return changes; storage writes those of one call together or not at all, in order.
 * Every change is idempotent: writing it twice is writing it once.
 */
export type Change =
  /** First seen. One that is known stays as it is. */
  | { readonly kind: "conversation"; readonly conversation: Conversation }
  /** Its platform gave it another address: deliveries go there, and updates from there belong to it. */
  | { readonly kind: "moved"; readonly conversationId: ConversationId; readonly ref: string }
  /** First seen, or said their name or language anew. */
  | { readonly kind: "person"; readonly person: Person }
  | { readonly kind: "message"; readonly message: Message }
  /** The content that a message only pointed at was fetched. Only while it is `received`. */
  | {
      readonly kind: "parts";
      readonly messageId: MessageId;
      readonly parts: readonly Part[];
      readonly contentHash: ContentHash;
    }
  /** A move to another state: see `StateChange`. */
  | StateChange
  /** The same message, content and outcome are the same verdict. */
  | { readonly kind: "verdict"; readonly verdict: VerdictRecord }
  /** Begun, or ended: the later one replaces the earlier. */
  | { readonly kind: "turn"; readonly turn: Turn }
  | { readonly kind: "step"; readonly step: Step }
  | { readonly kind: "engineState"; readonly conversationId: ConversationId; readonly state: Json }
  /** The same message and number are the same attempt: its end is the later one, and receipts are added, never lost. */
  | { readonly kind: "attempt"; readonly attempt: DeliveryAttempt }
  | { readonly kind: "job"; readonly job: NewJob }
  | { readonly kind: "apiKey"; readonly apiKey: ApiKey };

/**
 * Moves a message. Where it is no longer in `from`, nothing of the whole call is written: somebody else was first.
 * A move that `messageMoves` does not have is a `BugError`.
 */
export interface StateChange {
  readonly kind: "state";
  readonly messageId: MessageId;
  readonly from: MessageState;
  readonly to: MessageState;
  readonly reason: string | null;
  /** Set with the move where given. */
  readonly turnId?: TurnId;
  readonly platformRef?: string;
}

/** A bearer key of the HTTP interface. Only its hash is kept. */
export interface ApiKey {
  readonly id: string;
  /** SHA-256 of the key, in hexadecimal. */
  readonly keyHash: string;
  readonly name: string;
  readonly createdAt: number;
  readonly revokedAt: number | null;
}
