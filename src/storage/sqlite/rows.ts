import type { ApiKey } from "../../core/change.ts";
import type { Conversation } from "../../core/conversation.ts";
import type { DeliveryAttempt } from "../../core/delivery.ts";
import type { ContentHash, ConversationId, MessageId } from "../../core/ids.ts";
import type { Message } from "../../core/message.ts";
import type { Step, Turn } from "../../core/turn.ts";
import type { VerdictRecord } from "../../core/verdict.ts";

// Rows are read as lists: reading them as objects took a third of a claim. Each list of columns stands beside its type.

export const conversationColumns = `conversations.seq, conversations.id, bot_id, channel_id, conversations.ref, is_group,
  conversations.person_id, created_at, engine_state`;

export type ConversationRow = readonly [
  seq: number,
  id: ConversationId,
  botId: Conversation["botId"],
  channelId: Conversation["channelId"],
  ref: string,
  isGroup: number,
  personId: Conversation["personId"],
  createdAt: number,
  engineState: string,
];

export function conversationOf(row: ConversationRow): Conversation {
  const [, id, botId, channelId, ref, isGroup, personId, createdAt, engineState] = row;
  const state = engineState === "null" ? null : JSON.parse(engineState);
  return { id, botId, channelId, ref, isGroup: isGroup === 1, personId, createdAt, engineState: state };
}

/** Without the conversation, which is known or joined. */
export const messageColumns = `messages.seq, messages.id, sender, messages.person_id, parts, messages.content_hash,
  messages.state, reason, turn_id, notice, platform_ref, reply_to, messages.at`;

export type MessageRow = readonly [
  seq: number,
  id: MessageId,
  from: Message["from"],
  personId: Message["personId"],
  parts: string,
  contentHash: ContentHash,
  state: Message["state"],
  reason: string | null,
  turnId: Message["turnId"],
  notice: string | null,
  platformRef: string | null,
  replyTo: string | null,
  at: number,
];

export function messageOf(row: MessageRow, conversationId: ConversationId): Message {
  const [, id, from, personId, parts, contentHash, state, reason, turnId, notice, platformRef, replyTo, at] = row;
  return {
    id,
    conversationId,
    from,
    personId,
    parts: JSON.parse(parts),
    contentHash,
    state,
    reason,
    turnId,
    notice,
    platformRef,
    replyTo,
    at,
  };
}

export const turnColumns = `id, conversation_id, message_ids, answer_ids, route, engine, attempt, started_at, ended_at`;

export type TurnRow = readonly [
  id: Turn["id"],
  conversationId: ConversationId,
  messageIds: string,
  answerIds: string,
  route: string,
  engine: string,
  attempt: number,
  startedAt: number,
  endedAt: number | null,
];

export function turnOf(row: TurnRow): Turn {
  const [id, conversationId, asked, said, route, engine, attempt, startedAt, endedAt] = row;
  const [messageIds, answerIds] = [JSON.parse(asked), JSON.parse(said)];
  return { id, conversationId, messageIds, answerIds, route, engine, attempt, startedAt, endedAt };
}

export const stepColumns = "turn_id, name, result, at";

export type StepRow = readonly [turnId: Step["turnId"], name: string, result: string, at: number];

export function stepOf([turnId, name, result, at]: StepRow): Step {
  return { turnId, name, result: JSON.parse(result), at };
}

export const verdictColumns = "content_hash, outcome, direction, reviewer, changed, reason, at";

export type VerdictRow = readonly [
  contentHash: ContentHash,
  outcome: VerdictRecord["outcome"],
  direction: VerdictRecord["direction"],
  reviewer: string,
  changed: number,
  reason: string | null,
  at: number,
];

export function verdictOf(row: VerdictRow, messageId: MessageId): VerdictRecord {
  const [contentHash, outcome, direction, reviewer, changed, reason, at] = row;
  return { messageId, contentHash, outcome, direction, reviewer, changed: changed === 1, reason, at };
}

export const attemptColumns = "attempt, outcome, receipts, reason, at";

export type AttemptRow = readonly [
  attempt: number,
  outcome: DeliveryAttempt["outcome"],
  receipts: string,
  reason: string | null,
  at: number,
];

export function attemptOf(row: AttemptRow, messageId: MessageId): DeliveryAttempt {
  const [attempt, outcome, receipts, reason, at] = row;
  return { messageId, attempt, outcome, receipts: JSON.parse(receipts), reason, at };
}

export const apiKeyColumns = "seq, id, key_hash, name, created_at, revoked_at";

export type ApiKeyRow = readonly [
  seq: number,
  id: string,
  keyHash: string,
  name: string,
  createdAt: number,
  revokedAt: number | null,
];

export function apiKeyOf([, id, keyHash, name, createdAt, revokedAt]: ApiKeyRow): ApiKey {
  return { id, keyHash, name, createdAt, revokedAt };
}
