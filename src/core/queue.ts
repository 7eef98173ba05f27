import type { Change } from "./change.ts";
import type { Conversation } from "./conversation.ts";
import type { Receipt } from "./delivery.ts";
import type { ContentHash, ConversationId, MessageId } from "./ids.ts";
import type { NewJob, QueueName } from "./job.ts";
import type { Message } from "./message.ts";

export interface LeasedJob {
  readonly key: string;
  readonly message: Message;
  /** What arrived of it in earlier tries; empty in the inbox. */
  readonly receipts: readonly Receipt[];
  /** In the outbox, the content that its verdict passed; null in the inbox. */
  readonly reviewedHash: ContentHash | null;
}

/** Our fenced hold on a lane and its waiting jobs. Once it ran out or was settled, nothing is written with it. */
export interface Lease {
  readonly queue: QueueName;
  /** New with every claim. */
  readonly token: string;
  readonly conversation: Conversation;
  /** Oldest first, never empty. */
  readonly jobs: readonly LeasedJob[];
  /** The how-manyth claim of this first job, from 1; claims that were retried uncounted do not count. */
  readonly attempt: number;
  /** True when the holder before neither settled nor handed back: what it did is not known. */
  readonly wasAbandoned: boolean;
}

/** How a lease ends. */
export type Outcome =
  | { readonly kind: "done" }
  /** The lane waits, with these jobs at its head. `isCounted`: whether this claim counts as an attempt. */
  | { readonly kind: "retry"; readonly afterMs: number; readonly isCounted: boolean }
  /** Given up; the changes say why. */
  | { readonly kind: "dead" };

/**
 * The two queues. Jobs of one lane (a conversation) are leased in the order they were enqueued, one lease at a time per
 * lane and queue; lanes never wait for each other. Times are the storage's own clock: callers give durations.
 * Every method rejects with `StorageError` when the storage cannot do its work now; then nothing was written.
 */
export interface Queue {
  /**
   * Writes the job and its changes, durably, or neither when the key is known: then the message of the first job comes
   * back and nothing is written.
   */
  enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued>;
  /** Leases up to `lanesMax` lanes, by priority, then longest waiting. Never waits: an empty list means "nothing now". */
  claim(request: ClaimRequest): Promise<readonly Lease[]>;
  /** Prolongs leases to `leaseMs` from now. Answers for each whether it is still held. */
  extend(leases: readonly Lease[], leaseMs: number): Promise<readonly boolean[]>;
  /** Writes changes and keeps the lease. False: it was lost, and nothing was written. */
  save(lease: Lease, changes: readonly Change[]): Promise<boolean>;
  /**
   * Ends the lease and writes what the work produced, together. False: it was lost, and nothing was written.
   * `done` and `dead` end the jobs in `lease.jobs`: who took only the first few passes `{ ...lease, jobs: [those] }`,
   * and the others stay in the lane, next in line.
   */
  settle(lease: Lease, outcome: Outcome, changes: readonly Change[]): Promise<boolean>;
  /**
   * Resolves when a claim may find something that it did not before, or at the latest after `maxMs`, or on abort.
   * May resolve for nothing. What other processes enqueue may be noticed only after `maxMs`.
   */
  waitForWork(queue: QueueName, maxMs: number, signal: AbortSignal): Promise<void>;
}

export interface Enqueued {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  readonly isDuplicate: boolean;
}

export interface ClaimRequest {
  readonly queue: QueueName;
  readonly lanesMax: number;
  /** Jobs of one lane, oldest first. */
  readonly jobsMax: number;
  readonly leaseMs: number;
}
