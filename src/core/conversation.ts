import type { Host } from "./host.ts";
import type { BotId, ChannelId, ConversationId, PersonId } from "./ids.ts";
import type { Json } from "./json.ts";

/** One thread of messages with one person or group on one channel of one bot: the unit of order. */
export interface Conversation {
  readonly id: ConversationId;
  readonly botId: BotId;
  readonly channelId: ChannelId;
  /** The platform's own address of it. Only its channel reads meaning into it. */
  readonly ref: string;
  readonly isGroup: boolean;
  /** The one person it is with; null in a group. */
  readonly personId: PersonId | null;
  readonly createdAt: number;
  /** What the engine wants to know again in the next turn. */
  readonly engineState: Json;
}

/** Someone who writes from a platform. */
export interface Person {
  readonly id: PersonId;
  readonly channelId: ChannelId;
  /** The platform's own id of the person. */
  readonly ref: string;
  readonly name: string | null;
  /** As the platform says, like `en` or `pt-BR`. */
  readonly language: string | null;
}

/** The same thread has the same conversation, without anybody having to look it up. */
export function conversationIdOf(channelId: ChannelId, ref: string, host: Pick<Host, "hash">): ConversationId {
  return `cnv_${host.hash(`${channelId}\n${ref}`).slice(0, 24)}` as ConversationId;
}

export function personIdOf(channelId: ChannelId, ref: string, host: Pick<Host, "hash">): PersonId {
  return `psn_${host.hash(`${channelId}\n${ref}`).slice(0, 24)}` as PersonId;
}
