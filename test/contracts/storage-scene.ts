import assert from "node:assert/strict";
import type { Change } from "../../src/core/change.ts";
import type { Conversation } from "../../src/core/conversation.ts";
import type { BotId, ChannelId, ContentHash, ConversationId, MessageId, PersonId, TurnId } from "../../src/core/ids.ts";
import type { NewJob, QueueName } from "../../src/core/job.ts";
import type { Message } from "../../src/core/message.ts";
import type { ClaimRequest, Enqueued, Lease } from "../../src/core/queue.ts";
import type { Storage } from "../../src/core/store.ts";
import type { Turn } from "../../src/core/turn.ts";
import type { VerdictRecord } from "../../src/core/verdict.ts";
import type { TestHost } from "./test-host.ts";

export const done = { kind: "done" } as const;

/** A storage, its clock, and short ways to put things into it. */
export class Scene {
  readonly storage: Storage;
  readonly host: TestHost;

  constructor(storage: Storage, host: TestHost) {
    this.storage = storage;
    this.host = host;
  }

  conversation(name: string, fields: Partial<Conversation> = {}): Conversation {
    return {
      id: `conversation_${name}` as ConversationId,
      botId: "bot" as BotId,
      channelId: "bot-telegram" as ChannelId,
      ref: name,
      isGroup: false,
      personId: `person_${name}` as PersonId,
      createdAt: this.host.clock.now(),
      engineState: null,
      ...fields,
    };
  }

  /** What a person said. */
  message(conversation: Conversation, fields: Partial<Message> = {}): Message {
    const id = this.host.newId("message") as MessageId;
    const parts = fields.parts ?? [{ kind: "text", text: `this is ${id}` }];
    return {
      id,
      conversationId: conversation.id,
      from: "person",
      personId: conversation.personId,
      parts,
      contentHash: this.host.hash(JSON.stringify(parts)) as ContentHash,
      state: "received",
      reason: null,
      turnId: null,
      notice: null,
      platformRef: `ref of ${id}`,
      replyTo: null,
      at: this.host.clock.now(),
      ...fields,
    };
  }

  /** What the bot says. */
  answer(conversation: Conversation, fields: Partial<Message> = {}): Message {
    return this.message(conversation, { from: "bot", personId: null, state: "queued", platformRef: null, ...fields });
  }

  /** That it may go out. */
  verdict(message: Message, fields: Partial<VerdictRecord> = {}): VerdictRecord {
    return {
      messageId: message.id,
      contentHash: message.contentHash,
      outcome: "pass",
      direction: "outbound",
      reviewer: "rules",
      changed: false,
      reason: null,
      at: this.host.clock.now(),
      ...fields,
    };
  }

  turn(conversation: Conversation, fields: Partial<Turn> = {}): Turn {
    return {
      id: this.host.newId("turn") as TurnId,
      conversationId: conversation.id,
      messageIds: [],
      answerIds: [],
      route: "everything",
      engine: "agent:assistant",
      attempt: 1,
      startedAt: this.host.clock.now(),
      endedAt: null,
      ...fields,
    };
  }

  inboxJob(message: Message, fields: Partial<Extract<NewJob, { queue: "inbox" }>> = {}): NewJob {
    const { id: messageId, conversationId } = message;
    return { queue: "inbox", key: `in ${messageId}`, conversationId, messageId, priority: 5, quietMs: 0, ...fields };
  }

  outboxJob(message: Message, fields: Partial<Extract<NewJob, { queue: "outbox" }>> = {}): NewJob {
    const { id: messageId, conversationId, contentHash } = message;
    return { queue: "outbox", key: `out ${messageId}`, conversationId, messageId, priority: 5, contentHash, ...fields };
  }

  /** Enqueues what a person said. */
  async receive(
    conversation: Conversation,
    job: Partial<Extract<NewJob, { queue: "inbox" }>> = {},
    message: Message = this.message(conversation),
  ): Promise<{ message: Message; enqueued: Enqueued }> {
    const changes: Change[] = [
      { kind: "conversation", conversation },
      { kind: "message", message },
    ];
    return { message, enqueued: await this.storage.enqueue(this.inboxJob(message, job), changes) };
  }

  /** All that it takes to send what the bot says. */
  sending(message: Message, job: Partial<Extract<NewJob, { queue: "outbox" }>> = {}): Change[] {
    return [
      { kind: "message", message },
      { kind: "verdict", verdict: this.verdict(message) },
      { kind: "job", job: this.outboxJob(message, job) },
    ];
  }

  /** Sends something that the bot says. */
  async send(conversation: Conversation, job: Partial<Extract<NewJob, { queue: "outbox" }>> = {}): Promise<Message> {
    const message = this.answer(conversation);
    assert.equal(
      await this.storage.apply([{ kind: "conversation", conversation }, ...this.sending(message, job)]),
      true,
    );
    return message;
  }

  claim(queue: QueueName, request: Partial<Omit<ClaimRequest, "queue">> = {}): Promise<readonly Lease[]> {
    return this.storage.claim({ queue, lanesMax: 10, jobsMax: 10, leaseMs: 1_000, ...request });
  }

  /** Claims, and expects exactly one lane. */
  async claimOne(queue: QueueName, request: Partial<Omit<ClaimRequest, "queue">> = {}): Promise<Lease> {
    const leases = await this.claim(queue, request);
    const [lease] = leases;
    assert.ok(lease !== undefined && leases.length === 1, `expected one lease, got ${leases.length}`);
    return lease;
  }

  async claimNone(queue: QueueName): Promise<void> {
    assert.deepEqual(await this.claim(queue), []);
  }

  async settle(lease: Lease, changes: readonly Change[] = []): Promise<void> {
    assert.equal(await this.storage.settle(lease, done, changes), true);
  }
}

/** The ids of the messages of a lease, in its order. */
export function messageIds(lease: Lease): readonly MessageId[] {
  return lease.jobs.map((job) => job.message.id);
}

/** Lets everything run that waits only for other promises, and nothing that waits for a disk or a timer. */
export async function runMicrotasks(): Promise<void> {
  for (let round = 0; round < 20; round += 1) await Promise.resolve();
}
