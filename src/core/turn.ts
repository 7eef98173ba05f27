import type { ConversationId, MessageId, TurnId } from "./ids.ts";
import type { Json } from "./json.ts";

/** The bot's one answer, from messages to drafts. */
export interface Turn {
  readonly id: TurnId;
  readonly conversationId: ConversationId;
  /** The messages it took, oldest first. A retried turn takes the same ones. */
  readonly messageIds: readonly MessageId[];
  /** What it said, in order, whatever became of it. */
  readonly answerIds: readonly MessageId[];
  /** The route that chose the engine. */
  readonly route: string;
  /** `agent:assistant`. */
  readonly engine: string;
  readonly attempt: number;
  readonly startedAt: number;
  /** Null while it goes on. */
  readonly endedAt: number | null;
}

/** An action in a turn, done once however often the turn is retried. */
export interface Step {
  readonly turnId: TurnId;
  readonly name: string;
  readonly result: Json;
  readonly at: number;
}
