import type { DatabaseSync } from "node:sqlite";
import type { QueueName } from "../../core/job.ts";
import { limits } from "../../core/limits.ts";
import type { ClaimRequest, Outcome } from "../../core/queue.ts";
import type { QueueStatus } from "../../core/store.ts";
import type { Claimed, ClaimedLane, JobRow, LaneHold, LaneRow } from "./calls.ts";
import type { KnownSeqs } from "./known-seqs.ts";
import { type LaneStatements, prepareLanes } from "./lane-statements.ts";

/** How far the clocks of two processes may seem apart: a call may have waited for a lock of the database since its `now`. */
const clockSlackMs = 60_000;

/** A lane whose lease is good. */
export interface HeldLane {
  /** Its `seq`. */
  readonly conversation: number;
  readonly attempt: number;
  readonly quietUntil: number;
}

/** A job's place. */
interface Place {
  /** The conversation's `seq`. */
  readonly conversation: number;
  /** Its own place in the order of all jobs. */
  readonly seq: number;
  readonly priority: number;
  /** 0 in the outbox. */
  readonly quietMs: number;
}

/** The lanes of one queue that have jobs. Works within the transaction of its caller. */
export class Lanes {
  readonly #statements: LaneStatements;
  readonly #seqs: KnownSeqs;
  readonly #receiptsOf: (message: number) => readonly string[];
  #isClockCompared = false;

  constructor(
    database: DatabaseSync,
    queue: QueueName,
    { seqs, receiptsOf }: { seqs: KnownSeqs; receiptsOf: (message: number) => readonly string[] },
  ) {
    this.#statements = prepareLanes(database, queue);
    this.#seqs = seqs;
    this.#receiptsOf = receiptsOf;
  }

  /** A job was put behind all others of its lane. */
  join({ conversation, seq, priority, quietMs }: Place, now: number): void {
    const { join, joinQuietly } = this.#statements;
    if (quietMs > 0) joinQuietly.run({ conversation, now, priority, seq, quietUntil: now + quietMs });
    else join.run(conversation, now, priority, seq, now);
  }

  claim({ lanesMax, jobsMax, leaseMs }: ClaimRequest, token: string, now: number): Claimed {
    const { wake, ready, lease } = this.#statements;
    this.#compareClock(now);
    let nextDueAt = this.#nextDueAt();
    if (nextDueAt !== null && nextDueAt <= now) {
      wake.run(now);
      nextDueAt = this.#nextDueAt();
    }
    const lanes = ready.all(lanesMax) as unknown as LaneRow[];
    if (lanes.length === 0) return { lanes: [], nextDueAt };
    const readyAt = now + leaseMs;
    lease.run(readyAt, now, token, lanesMax);
    return {
      lanes: lanes.map((lane) => this.#withJobs(lane, jobsMax)),
      nextDueAt: nextDueAt === null ? readyAt : Math.min(nextDueAt, readyAt),
    };
  }

  /** Undefined when the lease was lost. */
  find({ conversationId, token }: LaneHold, now: number): HeldLane | undefined {
    const conversation = this.#seqs.conversation(conversationId);
    return this.#statements.held.get(conversation, token, now) as HeldLane | undefined;
  }

  extend({ conversation }: HeldLane, leaseMs: number, now: number): void {
    this.#statements.extend.run(now + leaseMs, now, conversation);
  }

  /** Ends the lease; `done` and `dead` end the first `jobCount` jobs of the lane. */
  end({ conversation, attempt, quietUntil }: HeldLane, outcome: Outcome, jobCount: number, now: number): void {
    const { giveBack, first, endJobs, remove, goOn } = this.#statements;
    if (outcome.kind === "retry") {
      const { afterMs, isCounted } = outcome;
      giveBack.run(afterMs > 0 ? "held" : "ready", now + afterMs, now, isCounted ? attempt : attempt - 1, conversation);
      return;
    }
    const jobs = first.all(conversation, jobCount + 1) as unknown as { seq: number; at: number }[];
    const [last, next] = [jobs[jobCount - 1], jobs[jobCount]];
    if (last !== undefined) endJobs.run(conversation, last.seq);
    if (next === undefined) {
      remove.run(conversation);
      return;
    }
    const readyAt = Math.min(quietUntil, next.at + limits.quietMaxMs);
    goOn.run(readyAt > now ? "quiet" : "ready", readyAt, now, next.seq, next.at, conversation);
  }

  status(now: number): QueueStatus {
    const { jobs } = this.#statements.countJobs.get() as { jobs: number };
    const row = this.#statements.count.get(now) as { lanes: number; leased: number; oldest: number | null };
    return { jobs, lanes: row.lanes, leased: row.leased, oldestMs: Math.max(0, now - (row.oldest ?? now)) };
  }

  /**
   * A wait that began well after now was begun by the clock of a process before this one, which was ahead: it is over, for
   * nobody knows how long it would last. Within a process the clock never goes back.
   */
  #compareClock(now: number): void {
    if (this.#isClockCompared) return;
    this.#statements.endWaitsFromLater.run(now, now + clockSlackMs);
    this.#isClockCompared = true;
  }

  #nextDueAt(): number | null {
    return (this.#statements.nextDueAt.get() as { at: number | null }).at;
  }

  #withJobs(lane: LaneRow, jobsMax: number): ClaimedLane {
    const [, , conversation] = lane;
    const jobs = this.#statements.jobs.all(conversation, jobsMax) as unknown as JobRow[];
    return { lane, jobs, receipts: jobs.map(([, , message]) => this.#receiptsOf(message)) };
  }
}
