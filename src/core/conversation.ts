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
