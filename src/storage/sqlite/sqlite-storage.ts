import { closeSync, mkdirSync, openSync } from "node:fs";
import { join } from "node:path";
import type { ApiKey, Change } from "../../core/change.ts";
import type { Conversation } from "../../core/conversation.ts";
import { SetupError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import type { BotId, ConversationId, MessageId, TurnId } from "../../core/ids.ts";
import type { NewJob, QueueName } from "../../core/job.ts";
import type { Message } from "../../core/message.ts";
import type { ClaimRequest, Enqueued, Lease, LeasedJob, Outcome } from "../../core/queue.ts";
import type { MessagePath, MovedAddress, Page, PageRequest, Storage, StorageStatus } from "../../core/store.ts";
import type { Step, Turn } from "../../core/turn.ts";
import { checkChanges, checkClaim, checkJob, checkLease } from "../shared/checked-call.ts";
import { checkedLimit, pageStart } from "../shared/page-cursor.ts";
import { WakeUp } from "../shared/wake-up.ts";
import { Watchers } from "../shared/watchers.ts";
import type { ClaimedLane, LaneHold } from "./calls.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { conversationOf, messageOf } from "./rows.ts";
import { ThreadLink } from "./thread-link.ts";

export interface SqliteOptions {
  /** The data folder; made when it is not there. The database is its `parley.db`. */
  readonly folder: string;
  readonly host: Host;
  /** The one server of the folder, which frees what a server before it left leased; or a command beside it. */
  readonly as: "server" | "command";
}

/**
 * Everything in one SQLite file, on the disk before a promise resolves.
 * Throws `SetupError` when the folder or the database cannot be used, naming it and the remedy.
 */
export async function openSqliteStorage({ folder, host, as }: SqliteOptions): Promise<Storage> {
  const path = join(folder, "parley.db");
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    // Made here, so that nobody else can read it; SQLite gives its other files the same mode.
    closeSync(openSync(path, "a", 0o600));
  } catch (cause) {
    throw new SetupError(
      `The data folder ${folder} cannot be written: give the user that runs Parley the right to, or name another folder.`,
      { cause },
    );
  }
  const lock = as === "server" ? lockFolder(folder) : undefined;
  try {
    return new SqliteStorage(await ThreadLink.open(path, as === "server"), { host, lock });
  } catch (error) {
    lock?.release();
    throw error;
  }
}

class SqliteStorage implements Storage {
  readonly #link: ThreadLink;
  readonly #host: Host;
  readonly #lock: FolderLock | undefined;
  readonly #wakeUps: Readonly<Record<QueueName, WakeUp>>;
  readonly #watchers = new Watchers();
  #closed: Promise<void> | undefined;

  constructor(link: ThreadLink, { host, lock }: { host: Host; lock: FolderLock | undefined }) {
    this.#link = link;
    this.#host = host;
    this.#lock = lock;
    this.#wakeUps = { inbox: new WakeUp(host.clock), outbox: new WakeUp(host.clock) };
  }

  async enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
    checkJob(job);
    checkChanges(changes);
    const now = this.#now();
    const enqueued = this.#link.ask<"enqueue">({ kind: "enqueue", now, job, changes });
    this.#wakeForJob(job, now);
    this.#wakeForJobs(changes, now);
    if (!(await enqueued).isDuplicate) this.#tell(changes, job);
    return enqueued;
  }

  async claim(request: ClaimRequest): Promise<readonly Lease[]> {
    checkClaim(request);
    const wakeUp = this.#wakeUps[request.queue];
    wakeUp.beginClaim();
    const token = this.#host.newId("lease");
    try {
      const claimed = await this.#link.ask<"claim">({ kind: "claim", now: this.#now(), request, token });
      if (claimed.nextDueAt !== null) wakeUp.wakeAt(claimed.nextDueAt);
      if (claimed.lanes.length === request.lanesMax) wakeUp.wake();
      return claimed.lanes.map((lane) => leaseOf(request.queue, token, lane));
    } catch (error) {
      // What it would have found is still there.
      wakeUp.wake();
      throw error;
    }
  }

  async extend(leases: readonly Lease[], leaseMs: number): Promise<readonly boolean[]> {
    checkLease(leaseMs);
    return this.#link.ask<"extend">({ kind: "extend", now: this.#now(), leases: leases.map(holdOf), leaseMs });
  }

  async save(lease: Lease, changes: readonly Change[]): Promise<boolean> {
    checkChanges(changes);
    const now = this.#now();
    const saved = this.#link.ask<"save">({ kind: "save", now, lease: holdOf(lease), changes });
    this.#wakeForJobs(changes, now);
    if (await saved) this.#tell(changes);
    return saved;
  }

  async settle(lease: Lease, outcome: Outcome, changes: readonly Change[]): Promise<boolean> {
    checkChanges(changes);
    const now = this.#now();
    const jobCount = lease.jobs.length;
    const settled = this.#link.ask<"settle">({
      kind: "settle",
      now,
      lease: holdOf(lease),
      outcome,
      jobCount,
      changes,
    });
    const wakeUp = this.#wakeUps[lease.queue];
    // The lane may have more jobs.
    if (outcome.kind === "retry" && outcome.afterMs > 0) wakeUp.wakeAt(now + outcome.afterMs);
    else wakeUp.wake();
    this.#wakeForJobs(changes, now);
    if (await settled) this.#tell(changes);
    return settled;
  }

  waitForWork(queue: QueueName, maxMs: number, signal: AbortSignal): Promise<void> {
    return this.#wakeUps[queue].wait(maxMs, signal);
  }

  async apply(changes: readonly Change[]): Promise<boolean> {
    checkChanges(changes);
    const now = this.#now();
    const applied = this.#link.ask<"apply">({ kind: "apply", now, changes });
    this.#wakeForJobs(changes, now);
    if (await applied) this.#tell(changes);
    return applied;
  }

  async findConversation(id: ConversationId): Promise<Conversation | undefined> {
    return (await this.#link.ask<"findConversation">({ kind: "findConversation", id })) ?? undefined;
  }

  async findMessage(id: MessageId): Promise<Message | undefined> {
    const [message] = await this.#link.ask<"findMessages">({ kind: "findMessages", ids: [id] });
    return message;
  }

  async findMessages(ids: readonly MessageId[]): Promise<readonly Message[]> {
    if (ids.length > 0) checkedLimit(ids.length);
    return this.#link.ask<"findMessages">({ kind: "findMessages", ids });
  }

  async findTurn(id: TurnId): Promise<Turn | undefined> {
    return (await this.#link.ask<"findTurn">({ kind: "findTurn", id })) ?? undefined;
  }

  async steps(turnId: TurnId): Promise<readonly Step[]> {
    return this.#link.ask<"steps">({ kind: "steps", turnId });
  }

  async findPath(id: MessageId): Promise<MessagePath | undefined> {
    const path = await this.#link.ask<"findPath">({ kind: "findPath", id });
    return path === null ? undefined : { ...path, turn: path.turn ?? undefined };
  }

  async transcript(conversationId: ConversationId, limit: number): Promise<readonly Message[]> {
    return this.#link.ask<"transcript">({ kind: "transcript", conversationId, limit: checkedLimit(limit) });
  }

  async messages(conversationId: ConversationId, page: PageRequest): Promise<Page<Message>> {
    return this.#link.ask<"messages">({ kind: "messages", conversationId, page: pageStart(page) });
  }

  async conversations({ botId = null }: { botId?: BotId | null }, page: PageRequest): Promise<Page<Conversation>> {
    return this.#link.ask<"conversations">({ kind: "conversations", botId, page: pageStart(page) });
  }

  async undecided(state: "held" | "dead" | "unknown", page: PageRequest): Promise<Page<Message>> {
    return this.#link.ask<"undecided">({ kind: "undecided", state, page: pageStart(page) });
  }

  async movedAddresses(): Promise<readonly MovedAddress[]> {
    return this.#link.ask<"movedAddresses">({ kind: "movedAddresses" });
  }

  async findApiKey(keyHash: string): Promise<ApiKey | undefined> {
    return (await this.#link.ask<"findApiKey">({ kind: "findApiKey", keyHash })) ?? undefined;
  }

  async apiKeys(page: PageRequest): Promise<Page<ApiKey>> {
    return this.#link.ask<"apiKeys">({ kind: "apiKeys", page: pageStart(page) });
  }

  async status(): Promise<StorageStatus> {
    return this.#link.ask<"status">({ kind: "status", now: this.#now() });
  }

  watch(listener: (changes: readonly Change[]) => void): () => void {
    return this.#watchers.add(listener);
  }

  async maintain(): Promise<void> {
    await this.#link.ask<"maintain">({ kind: "maintain", now: this.#now() });
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#wakeUps.inbox.close();
    this.#wakeUps.outbox.close();
    await this.#link.close();
    this.#lock?.release();
  }

  #now(): number {
    return Math.floor(this.#host.clock.now());
  }

  #wakeForJobs(changes: readonly Change[], now: number): void {
    for (const change of changes) if (change.kind === "job") this.#wakeForJob(change.job, now);
  }

  /** As soon as the job is on its way: a claim that follows now gets into the same commit, behind it. */
  #wakeForJob(job: NewJob, now: number): void {
    const wakeUp = this.#wakeUps[job.queue];
    if (job.queue === "inbox" && job.quietMs > 0) wakeUp.wakeAt(now + job.quietMs);
    else wakeUp.wake();
  }

  #tell(changes: readonly Change[], job?: NewJob): void {
    if (this.#watchers.isEmpty) return;
    this.#watchers.tell(job === undefined ? changes : [...changes, { kind: "job", job }]);
  }
}

function holdOf({ queue, conversation, token }: Lease): LaneHold {
  return { queue, conversationId: conversation.id, token };
}

function leaseOf(queue: QueueName, token: string, { lane, jobs, receipts }: ClaimedLane): Lease {
  const [attempt, wasAbandoned, ...row] = lane;
  const conversation = conversationOf(row);
  const leased = jobs.map(([key, reviewedHash, ...message], index): LeasedJob => {
    const kept = receipts[index] ?? [];
    return {
      key,
      message: messageOf(message, conversation.id),
      receipts: kept.flatMap((list) => JSON.parse(list)),
      reviewedHash,
    };
  });
  return { queue, token, conversation, jobs: leased, attempt: attempt + 1, wasAbandoned: wasAbandoned === 1 };
}
