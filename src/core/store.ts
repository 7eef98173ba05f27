import type { ApiKey, Change } from "./change.ts";
import type { Conversation } from "./conversation.ts";
import type { DeliveryAttempt } from "./delivery.ts";
import type { BotId, ChannelId, ConversationId, MessageId, TurnId } from "./ids.ts";
import type { QueueName } from "./job.ts";
import type { Message } from "./message.ts";
import type { Queue } from "./queue.ts";
import type { Step, Turn } from "./turn.ts";
import type { VerdictRecord } from "./verdict.ts";

/**
 * What the journey, the API and the commands need to know. Every list has a limit. Rejects with `StorageError` when the
 * storage cannot answer; "not there" is never an error.
 */
export interface Store {
  /**
   * Writes changes that no lease guards: an operator's, the API's. All or none. False when a message was no longer in
   * the state that a `state` change starts from: then nothing was written.
   */
  apply(changes: readonly Change[]): Promise<boolean>;

  findConversation(id: ConversationId): Promise<Conversation | undefined>;
  findMessage(id: MessageId): Promise<Message | undefined>;
  /** Those that are there, in the order of `ids`. At most `limits.pageMax`. */
  findMessages(ids: readonly MessageId[]): Promise<readonly Message[]>;
  findTurn(id: TurnId): Promise<Turn | undefined>;
  /** In the order they were saved. */
  steps(turnId: TurnId): Promise<readonly Step[]>;
  /** Everything kept about a message. */
  findPath(id: MessageId): Promise<MessagePath | undefined>;

  /** The newest messages of a conversation, newest last. */
  transcript(conversationId: ConversationId, limit: number): Promise<readonly Message[]>;
  /** Oldest first. */
  messages(conversationId: ConversationId, page: PageRequest): Promise<Page<Message>>;
  /** Newest first. */
  conversations(filter: { readonly botId?: BotId }, page: PageRequest): Promise<Page<Conversation>>;
  /** Messages that want a decision, oldest first. */
  undecided(state: "held" | "dead" | "unknown", page: PageRequest): Promise<Page<Message>>;

  /** Addresses that conversations got by `moved`. At most `limits.pageMax` × 50, newest kept. */
  movedAddresses(): Promise<readonly MovedAddress[]>;
  findApiKey(keyHash: string): Promise<ApiKey | undefined>;
  apiKeys(page: PageRequest): Promise<Page<ApiKey>>;
  status(): Promise<StorageStatus>;

  /** Calls `listener` with what was written, after each commit of this process. May miss some; never truth. */
  watch(listener: (changes: readonly Change[]) => void): () => void;
  /** One small step of housekeeping: forgets expired keys, returns space. Called every few seconds; never blocks for long. */
  maintain(): Promise<void>;
  /** Waits for what was asked before, then lets go of everything. Twice is once. */
  close(): Promise<void>;
}

/** One adapter is both, because a job and its data commit together. */
export interface Storage extends Queue, Store {}

export interface PageRequest {
  /** 1 to `limits.pageMax`. */
  readonly limit: number;
  /** `next` of the page before; null for the first. Throws `InputError` when it is not one of ours. */
  readonly cursor: string | null;
}

export interface Page<Item> {
  readonly items: readonly Item[];
  /** Null on the last page. */
  readonly next: string | null;
}

export interface MessagePath {
  readonly message: Message;
  readonly conversation: Conversation;
  readonly verdicts: readonly VerdictRecord[];
  /** The turn that took it or said it. */
  readonly turn: Turn | undefined;
  readonly steps: readonly Step[];
  readonly attempts: readonly DeliveryAttempt[];
}

export interface MovedAddress {
  readonly channelId: ChannelId;
  readonly ref: string;
  readonly conversationId: ConversationId;
}

export interface StorageStatus {
  readonly queues: Readonly<Record<QueueName, QueueStatus>>;
  readonly held: number;
  readonly dead: number;
  readonly unknown: number;
  readonly conversations: number;
  readonly messages: number;
}

export interface QueueStatus {
  readonly jobs: number;
  readonly lanes: number;
  readonly leased: number;
  /** Age of the oldest waiting job; 0 when there is none. */
  readonly oldestMs: number;
}
