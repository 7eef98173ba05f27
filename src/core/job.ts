import type { ContentHash, ConversationId, MessageId } from "./ids.ts";

export type QueueName = "inbox" | "outbox";

/** A message to be worked on. A bot's message enters the outbox only with a verdict that passed its content. */
export type NewJob = InboxJob | OutboxJob;

interface JobBasics {
  /** Jobs with the same key are the same job, for `limits.keyMs`, also after they were done. */
  readonly key: string;
  /** Its lane. */
  readonly conversationId: ConversationId;
  readonly messageId: MessageId;
  /** 1 (lowest) to 10: orders lanes that wait, never jobs within a lane. */
  readonly priority: number;
}

export interface InboxJob extends JobBasics {
  readonly queue: "inbox";
  /** The lane is not claimed before it was quiet for this long, at most `limits.quietMaxMs` after its first job. */
  readonly quietMs: number;
}

export interface OutboxJob extends JobBasics {
  readonly queue: "outbox";
  /** Refused where there is no verdict that passed this content of this message. */
  readonly contentHash: ContentHash;
}
