import type { Conversation } from "./conversation.ts";
import type { BotId } from "./ids.ts";
import type { Json } from "./json.ts";
import type { Draft, Message } from "./message.ts";
import type { ReviewedMessage } from "./reviewed.ts";

/**
 * A way to answer. Receives values and returns values: never a storage, a queue, a channel or a credential. A failure is
 * retried with the same context but for `step`s, which are not done again.
 */
export interface Engine {
  /** `agent:assistant`: what kind, and which. */
  readonly name: string;
  takeTurn(context: TurnContext): Promise<TurnResult>;
}

export interface TurnContext {
  readonly botId: BotId;
  readonly conversation: Pick<Conversation, "id" | "isGroup">;
  /** What is to be answered, oldest first, never empty. */
  readonly messages: readonly ReviewedMessage<"inbound">[];
  /** What was said before these, newest last, only what passed its review. At most `limits.historyMax`. */
  history(limit: number): Promise<readonly Message[]>;
  /** What the last turn of this engine in this conversation returned; null at first. */
  readonly state: Json;
  /** Aborts when the time for the turn is over or the lease was lost. */
  readonly signal: AbortSignal;
  /**
   * Does `work` once in this turn: a retried turn gets the saved result back instead. Names are unique within a turn.
   * Throws `LeaseLostError` when the result could not be saved; let it pass.
   */
  step<Result extends Json>(name: string, work: () => Promise<Result>): Promise<Result>;
}

export interface TurnResult {
  readonly drafts: readonly Draft[];
  /** Kept for the next turn. Absent: as it was. */
  readonly state?: Json;
}
