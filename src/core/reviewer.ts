import type { Conversation } from "./conversation.ts";
import type { Message } from "./message.ts";
import type { Part } from "./part.ts";
import type { Verdict } from "./verdict.ts";

/** What is to be judged. */
export type Subject =
  | { readonly kind: "inbound"; readonly message: Message; readonly conversation: Conversation }
  | {
      readonly kind: "outbound";
      /** The message as it would go out. */
      readonly message: Message;
      readonly conversation: Conversation;
      /** The messages it answers. */
      readonly inReplyTo: readonly Message[];
    };

/**
 * Judges messages. Reviewers are asked in order; a change is what the next one sees; the first `hold` or `reject` ends it.
 * One that throws, answers with nonsense or takes longer than `limits.reviewMs` holds the message. May answer at once or
 * with a promise. The same message may be shown again after a retry and must then be judged alike.
 */
export interface Reviewer {
  readonly name: string;
  review(subject: Subject & { readonly parts: readonly Part[] }, signal: AbortSignal): Verdict | Promise<Verdict>;
}
