import type { Bot } from "../core/bot.ts";
import type { Change } from "../core/change.ts";
import { contentHash } from "../core/content.ts";
import type { Conversation } from "../core/conversation.ts";
import type { Host } from "../core/host.ts";
import type { Message } from "../core/message.ts";
import type { ReviewedMessage } from "../core/reviewed.ts";
import type { VerdictRecord } from "../core/verdict.ts";
import { askReviewers } from "./ask-reviewers.ts";

export interface InboundReview {
  /** What an engine may see; undefined when the message was held or rejected. */
  readonly reviewed: ReviewedMessage<"inbound"> | undefined;
  readonly changes: readonly Change[];
}

/**
 * Stage 2: no message reaches an engine without a verdict on exactly its content. This is the one place that makes an
 * inbound message a reviewed one.
 *
 * @param earlier What was decided on this message before: an operator who released it has the last word on that content.
 */
export async function reviewInbound(
  message: Message,
  conversation: Conversation,
  bot: Bot,
  earlier: readonly VerdictRecord[],
  host: Host,
  signal: AbortSignal,
): Promise<InboundReview> {
  const released = earlier.some(
    (verdict) =>
      verdict.outcome === "pass" &&
      verdict.direction === "inbound" &&
      verdict.reviewer.startsWith("operator:") &&
      verdict.contentHash === contentHash(message.parts, host),
  );
  if (released) return { reviewed: message as ReviewedMessage<"inbound">, changes: [] };

  const { verdict, parts } = await askReviewers(
    bot.reviewers,
    { kind: "inbound", message, conversation },
    host,
    signal,
  );
  const changes: Change[] = [{ kind: "verdict", verdict }];
  if (verdict.outcome !== "pass") {
    const to = verdict.outcome === "hold" ? "held" : "rejected";
    changes.push({
      kind: "state",
      messageId: message.id,
      from: "received",
      to,
      reason: `${verdict.reviewer}: ${verdict.reason}`,
    });
    return { reviewed: undefined, changes };
  }
  if (!verdict.changed) return { reviewed: message as ReviewedMessage<"inbound">, changes };
  const { contentHash: passed } = verdict;
  // Kept as it passed, so that no later turn is told what was taken out.
  changes.push({ kind: "parts", messageId: message.id, parts, contentHash: passed });
  return { reviewed: { ...message, parts, contentHash: passed } as ReviewedMessage<"inbound">, changes };
}
