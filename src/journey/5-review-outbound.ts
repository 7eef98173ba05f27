import type { Bot } from "../core/bot.ts";
import type { Change } from "../core/change.ts";
import { cleanParts, cleanText, contentHash } from "../core/content.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Host } from "../core/host.ts";
import type { MessageId, TurnId } from "../core/ids.ts";
import type { OutboxJob } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import type { Draft, Message } from "../core/message.ts";
import type { LeasedJob } from "../core/queue.ts";
import type { ReviewedMessage } from "../core/reviewed.ts";
import { askReviewers } from "./ask-reviewers.ts";

export interface OutboundReview {
  readonly messageId: MessageId;
  readonly changes: readonly Change[];
}

/**
 * Stage 5: a draft becomes a message with a verdict on exactly its content. What passes enters the outbox in the same
 * commit; what is held or rejected is kept and goes nowhere.
 *
 * @throws InputError when the draft is not made of parts
 */
export async function reviewOutbound(
  draft: Draft,
  turn: {
    readonly id: TurnId;
    readonly bot: Bot;
    readonly conversation: Conversation;
    readonly inReplyTo: readonly Message[];
  },
  host: Host,
  signal: AbortSignal,
): Promise<OutboundReview> {
  const { bot, conversation, inReplyTo } = turn;
  const drafted = messageOf(draft, turn, host);
  const { verdict, parts } = await askReviewers(
    bot.reviewers,
    { kind: "outbound", message: drafted, conversation, inReplyTo },
    host,
    signal,
  );
  const isPassed = verdict.outcome === "pass";
  const message: Message = {
    ...drafted,
    parts,
    contentHash: verdict.contentHash,
    state: isPassed ? "queued" : verdict.outcome === "hold" ? "held" : "rejected",
    reason: isPassed ? null : `${verdict.reviewer}: ${verdict.reason}`,
  };
  const changes: Change[] = [
    { kind: "message", message },
    { kind: "verdict", verdict },
  ];
  if (isPassed) changes.push({ kind: "job", job: outboxJob(message, message.id) });
  return { messageId: message.id, changes };
}

/** The job that brings a message out. Storage refuses it where the content has no passing verdict. */
export function outboxJob(message: Pick<Message, "id" | "conversationId" | "contentHash">, key: string): OutboxJob {
  const { id, conversationId, contentHash } = message;
  return { queue: "outbox", key, conversationId, messageId: id, priority: 5, contentHash };
}

/**
 * What stage 6 may deliver: the leased message, if its parts are still, byte for byte, those that passed. This is the one
 * place that makes an outbound message a reviewed one.
 */
export function confirmReviewed(job: LeasedJob, host: Host): ReviewedMessage<"outbound"> | undefined {
  const { message, reviewedHash } = job;
  if (message.from === "person" || message.contentHash !== reviewedHash) return undefined;
  if (contentHash(message.parts, host) !== reviewedHash) return undefined;
  return message as ReviewedMessage<"outbound">;
}

function messageOf(
  draft: Draft,
  turn: { readonly id: TurnId; readonly conversation: Conversation },
  host: Host,
): Message {
  const { parts: drafted, replyTo } = draft;
  const parts = cleanParts(drafted);
  return {
    id: host.newId("msg") as MessageId,
    conversationId: turn.conversation.id,
    from: "bot",
    personId: null,
    parts,
    contentHash: contentHash(parts, host),
    state: "queued",
    reason: null,
    turnId: turn.id,
    notice: null,
    platformRef: null,
    replyTo: typeof replyTo === "string" ? cleanText(replyTo, limits.labelMax) : null,
    at: Math.floor(host.clock.now()),
  };
}
