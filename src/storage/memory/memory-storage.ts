import type { ApiKey, Change } from "../../core/change.ts";
import type { Conversation } from "../../core/conversation.ts";
import { must, StorageError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import type { BotId, ConversationId, MessageId, TurnId } from "../../core/ids.ts";
import type { NewJob, QueueName } from "../../core/job.ts";
import { limits } from "../../core/limits.ts";
import type { Message, MessageState } from "../../core/message.ts";
import type { ClaimRequest, Enqueued, Lease, LeasedJob, Outcome } from "../../core/queue.ts";
import type { MessagePath, MovedAddress, Page, PageRequest, Storage, StorageStatus } from "../../core/store.ts";
import type { Step, Turn } from "../../core/turn.ts";
import {
  checkChanges,
  checkClaim,
  checkJob,
  checkLease,
  movedMeanwhile,
  noSuchMessage,
  notReviewed,
} from "../shared/checked-call.ts";
import { checkedLimit, pageOf, pageStart } from "../shared/page-cursor.ts";
import { storageLimits } from "../shared/storage-limits.ts";
import { WakeUp } from "../shared/wake-up.ts";
import { Watchers } from "../shared/watchers.ts";
import { type ClaimedLane, MemoryLanes } from "./memory-lanes.ts";
import { MemoryRecords, put, type Undo } from "./memory-records.ts";

interface KnownKey {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly at: number;
}

/**
 * Keeps everything in this process, and loses it with it: for tests, and for trying things out. Lists are searched from
 * the start. Results are frozen.
 */
export class MemoryStorage implements Storage {
  readonly #host: Host;
  readonly #kept = new MemoryRecords();
  readonly #lanes: Record<QueueName, MemoryLanes> = { inbox: new MemoryLanes(), outbox: new MemoryLanes() };
  readonly #wakeUps: Record<QueueName, WakeUp>;
  readonly #watchers = new Watchers();
  readonly #keys = new Map<string, KnownKey>();
  #jobCount = 0;
  #isClosed = false;

  constructor(host: Host) {
    this.#host = host;
    this.#wakeUps = { inbox: new WakeUp(host.clock), outbox: new WakeUp(host.clock) };
  }

  async enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
    this.#mustBeOpen();
    checkJob(job);
    checkChanges(changes);
    const known = this.#keys.get(job.key);
    if (known !== undefined) {
      return { messageId: known.messageId, conversationId: known.conversationId, isDuplicate: true };
    }
    this.#mustWrite([...changes, { kind: "job", job }]);
    return { messageId: job.messageId, conversationId: job.conversationId, isDuplicate: false };
  }

  async claim(request: ClaimRequest): Promise<readonly Lease[]> {
    this.#mustBeOpen();
    checkClaim(request);
    const { queue } = request;
    const wakeUp = this.#wakeUps[queue];
    wakeUp.beginClaim();
    const token = this.#host.newId("lease");
    const lanes = this.#lanes[queue].claim(request, token, this.#now());
    if (lanes.length === request.lanesMax) wakeUp.wake();
    this.#wakeWhenDue(queue);
    return lanes.map((lane) => this.#lease(queue, token, lane));
  }

  async extend(leases: readonly Lease[], leaseMs: number): Promise<readonly boolean[]> {
    this.#mustBeOpen();
    checkLease(leaseMs);
    const now = this.#now();
    return leases.map(({ queue, conversation, token }) =>
      this.#lanes[queue].extend(conversation.id, token, leaseMs, now),
    );
  }

  async save(lease: Lease, changes: readonly Change[]): Promise<boolean> {
    return this.#saveHeld(lease, changes);
  }

  async settle(lease: Lease, outcome: Outcome, changes: readonly Change[]): Promise<boolean> {
    const { queue, conversation, jobs } = lease;
    if (!this.#saveHeld(lease, changes)) return false;
    this.#lanes[queue].end(conversation.id, outcome, jobs.length, this.#now());
    this.#wakeUps[queue].wake();
    this.#wakeWhenDue(queue);
    return true;
  }

  waitForWork(queue: QueueName, maxMs: number, signal: AbortSignal): Promise<void> {
    return this.#wakeUps[queue].wait(maxMs, signal);
  }

  async apply(changes: readonly Change[]): Promise<boolean> {
    this.#mustBeOpen();
    checkChanges(changes);
    return this.#write(changes);
  }

  async findConversation(id: ConversationId): Promise<Conversation | undefined> {
    return this.#records().conversations.get(id);
  }

  async findMessage(id: MessageId): Promise<Message | undefined> {
    return this.#records().messages.get(id);
  }

  async findMessages(ids: readonly MessageId[]): Promise<readonly Message[]> {
    const { messages } = this.#records();
    if (ids.length > 0) checkedLimit(ids.length);
    return ids.flatMap((id) => messages.get(id) ?? []);
  }

  async findTurn(id: TurnId): Promise<Turn | undefined> {
    return this.#records().turns.get(id);
  }

  async steps(turnId: TurnId): Promise<readonly Step[]> {
    return this.#records().steps(turnId);
  }

  async findPath(id: MessageId): Promise<MessagePath | undefined> {
    const records = this.#records();
    const message = records.messages.get(id);
    if (message === undefined) return undefined;
    const turn = message.turnId === null ? undefined : records.turns.get(message.turnId);
    return {
      message,
      conversation: records.conversation(message.conversationId),
      verdicts: records.verdicts(id),
      turn,
      steps: turn === undefined ? [] : records.steps(turn.id),
      attempts: records.attempts(id),
    };
  }

  async transcript(conversationId: ConversationId, limit: number): Promise<readonly Message[]> {
    const all = [...this.#records().messages.values()].filter((message) => message.conversationId === conversationId);
    return all.slice(-checkedLimit(limit));
  }

  async messages(conversationId: ConversationId, page: PageRequest): Promise<Page<Message>> {
    return listed(this.#records().messages, (message) => message.conversationId === conversationId, page);
  }

  async conversations(filter: { readonly botId?: BotId }, page: PageRequest): Promise<Page<Conversation>> {
    const { botId } = filter;
    const isAsked = (conversation: Conversation) => botId === undefined || conversation.botId === botId;
    return listed(this.#records().conversations, isAsked, page, "newest first");
  }

  async undecided(state: "held" | "dead" | "unknown", page: PageRequest): Promise<Page<Message>> {
    return listed(this.#records().messages, (message) => message.state === state, page);
  }

  async movedAddresses(): Promise<readonly MovedAddress[]> {
    return [...this.#records().moved.values()].slice(-storageLimits.movedMax);
  }

  async findApiKey(keyHash: string): Promise<ApiKey | undefined> {
    return [...this.#records().apiKeys.values()].find((apiKey) => apiKey.keyHash === keyHash);
  }

  async apiKeys(page: PageRequest): Promise<Page<ApiKey>> {
    return listed(this.#records().apiKeys, () => true, page);
  }

  async status(): Promise<StorageStatus> {
    const { messages, conversations } = this.#records();
    const now = this.#now();
    const count = (state: MessageState) => [...messages.values()].filter((message) => message.state === state).length;
    return {
      queues: { inbox: this.#lanes.inbox.status(now), outbox: this.#lanes.outbox.status(now) },
      held: count("held"),
      dead: count("dead"),
      unknown: count("unknown"),
      conversations: conversations.size,
      messages: messages.size,
    };
  }

  watch(listener: (changes: readonly Change[]) => void): () => void {
    return this.#watchers.add(listener);
  }

  async maintain(): Promise<void> {
    const { moved } = this.#records();
    const before = this.#now() - limits.keyMs;
    const expired = [...this.#keys].filter(([, { at }]) => at <= before).slice(0, storageLimits.forgottenMax);
    for (const [key] of expired) this.#keys.delete(key);
    const surplus = [...moved.keys()].slice(0, Math.max(0, moved.size - storageLimits.movedMax));
    for (const address of surplus) moved.delete(address);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#wakeUps.inbox.close();
    this.#wakeUps.outbox.close();
  }

  #now(): number {
    return Math.floor(this.#host.clock.now());
  }

  #mustBeOpen(): void {
    if (this.#isClosed) throw new StorageError("The storage was closed: nothing can be read or written any more.");
  }

  #records(): MemoryRecords {
    this.#mustBeOpen();
    return this.#kept;
  }

  #lease(queue: QueueName, token: string, { conversationId, jobs, attempt, wasAbandoned }: ClaimedLane): Lease {
    const conversation = this.#kept.conversation(conversationId);
    const leased = jobs.map(
      ({ key, messageId, reviewedHash }): LeasedJob => ({
        key,
        reviewedHash,
        message: this.#kept.message(messageId),
        receipts: queue === "outbox" ? this.#kept.receipts(messageId) : [],
      }),
    );
    return { queue, token, conversation, jobs: leased, attempt, wasAbandoned };
  }

  #wakeWhenDue(queue: QueueName): void {
    const dueAt = this.#lanes[queue].nextDueAt();
    if (dueAt !== null) this.#wakeUps[queue].wakeAt(dueAt);
  }

  #saveHeld(lease: Lease, changes: readonly Change[]): boolean {
    this.#mustBeOpen();
    checkChanges(changes);
    if (!this.#lanes[lease.queue].isHeld(lease.conversation.id, lease.token, this.#now())) return false;
    this.#mustWrite(changes);
    return true;
  }

  #mustWrite(changes: readonly Change[]): void {
    must(this.#write(changes), movedMeanwhile);
  }

  /** All or none, like every call. False: a message was no longer in the state that a change starts from. */
  #write(changes: readonly Change[]): boolean {
    const undos: Undo[] = [];
    const takeBack = () => {
      for (const undo of undos.reverse()) undo();
    };
    try {
      for (const change of JSON.parse(JSON.stringify(changes)) as Change[]) {
        const undo = change.kind === "job" ? this.#writeJob(change.job) : this.#kept.write(change);
        if (undo === undefined) {
          takeBack();
          return false;
        }
        undos.push(undo);
      }
    } catch (error) {
      takeBack();
      throw error;
    }
    this.#watchers.tell(changes);
    return true;
  }

  #writeJob(job: NewJob): Undo {
    const { key, messageId, conversationId, priority } = job;
    if (this.#keys.has(key)) return () => undefined;
    const message = this.#kept.messages.get(messageId);
    must(message?.conversationId === conversationId, noSuchMessage(job));
    if (job.queue === "outbox") must(this.#kept.hasPassed(message, job.contentHash), notReviewed(messageId));
    this.#jobCount += 1;
    const enqueuedAt = this.#now();
    const basics = { seq: this.#jobCount, key, conversationId, messageId, priority, enqueuedAt };
    const undoLane =
      job.queue === "inbox"
        ? this.#lanes.inbox.add({ ...basics, quietMs: job.quietMs, reviewedHash: null })
        : this.#lanes.outbox.add({ ...basics, quietMs: 0, reviewedHash: job.contentHash });
    const undoKey = put(this.#keys, key, { messageId, conversationId, at: enqueuedAt });
    this.#wakeUps[job.queue].wake();
    this.#wakeWhenDue(job.queue);
    return () => {
      undoKey();
      undoLane();
    };
  }
}

/** A page of a map's values, in the order in which they were first written. */
function listed<Value>(
  map: ReadonlyMap<string, Value>,
  isAsked: (value: Value) => boolean,
  page: PageRequest,
  order: "oldest first" | "newest first" = "oldest first",
): Page<Value> {
  const { limit, after } = pageStart(page);
  const rows = [...map.values()].map((item, index) => ({ seq: index + 1, item })).filter((row) => isAsked(row.item));
  if (order === "newest first") rows.reverse();
  const isAfter = ({ seq }: { seq: number }) =>
    after === null || (order === "newest first" ? seq < after : seq > after);
  return pageOf(rows.filter(isAfter), limit);
}
