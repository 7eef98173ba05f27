import { must } from "../../core/errors.ts";
import type { ContentHash, ConversationId, MessageId } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { ClaimRequest, Outcome } from "../../core/queue.ts";
import type { QueueStatus } from "../../core/store.ts";

export interface MemoryJob {
  /** Counts up over all jobs of both queues. */
  readonly seq: number;
  readonly key: string;
  readonly conversationId: ConversationId;
  readonly messageId: MessageId;
  readonly priority: number;
  readonly quietMs: number;
  readonly reviewedHash: ContentHash | null;
  readonly enqueuedAt: number;
}

interface Lane {
  /** Oldest first, never empty. */
  readonly jobs: readonly MemoryJob[];
  /** `quiet`: waits for a burst to end. `held`: waits to be retried. */
  readonly state: "ready" | "quiet" | "held" | "leased";
  /** When it becomes ready by itself; no meaning while it is ready, so that ready work never depends on a clock. */
  readonly readyAt: number;
  /** The highest that a job brought since the lane was last empty. */
  readonly priority: number;
  readonly quietUntil: number;
  readonly token: string | null;
  readonly attempt: number;
  readonly wasAbandoned: boolean;
}

export interface ClaimedLane {
  readonly conversationId: ConversationId;
  readonly jobs: readonly MemoryJob[];
  readonly attempt: number;
  readonly wasAbandoned: boolean;
}

/** The lanes of one queue that have jobs. */
export class MemoryLanes {
  readonly #lanes = new Map<ConversationId, Lane>();

  /** Returns what takes it back. */
  add(job: MemoryJob): () => void {
    const { conversationId } = job;
    const before = this.#lanes.get(conversationId);
    const lane = { ...(before ?? emptyLane), jobs: [...(before?.jobs ?? []), job] };
    lane.priority = Math.max(lane.priority, job.priority);
    if (job.quietMs > 0) lane.quietUntil = job.enqueuedAt + job.quietMs;
    const waitsForQuiet = job.quietMs > 0 && (lane.state === "ready" || lane.state === "quiet");
    this.#lanes.set(conversationId, waitsForQuiet ? onceQuiet(lane, job.enqueuedAt) : lane);
    return () => {
      if (before === undefined) this.#lanes.delete(conversationId);
      else this.#lanes.set(conversationId, before);
    };
  }

  claim(request: ClaimRequest, token: string, now: number): readonly ClaimedLane[] {
    this.#wakeDue(now);
    return [...this.#lanes]
      .filter(([, lane]) => lane.state === "ready")
      .sort(([, a], [, b]) => b.priority - a.priority || head(a).seq - head(b).seq)
      .slice(0, request.lanesMax)
      .map(([conversationId, lane]) => {
        const jobs = lane.jobs.slice(0, request.jobsMax);
        const attempt = lane.attempt + 1;
        const readyAt = now + request.leaseMs;
        const leased = { token, readyAt, attempt, wasAbandoned: false };
        this.#lanes.set(conversationId, { ...lane, ...leased, state: "leased" });
        return { conversationId, jobs, attempt, wasAbandoned: lane.wasAbandoned };
      });
  }

  isHeld(conversationId: ConversationId, token: string, now: number): boolean {
    return this.#heldLane(conversationId, token, now) !== undefined;
  }

  extend(conversationId: ConversationId, token: string, leaseMs: number, now: number): boolean {
    const lane = this.#heldLane(conversationId, token, now);
    if (lane !== undefined) this.#lanes.set(conversationId, { ...lane, readyAt: now + leaseMs });
    return lane !== undefined;
  }

  /** Ends a lease that is held; `done` and `dead` end the first `jobCount` jobs of its lane. */
  end(conversationId: ConversationId, outcome: Outcome, jobCount: number, now: number): void {
    const lane = this.#lanes.get(conversationId);
    must(lane !== undefined, `There is no lane of conversation ${conversationId}.`);
    if (outcome.kind === "retry") {
      const { afterMs, isCounted } = outcome;
      const attempt = isCounted ? lane.attempt : lane.attempt - 1;
      const state = afterMs > 0 ? "held" : "ready";
      this.#lanes.set(conversationId, { ...lane, token: null, attempt, state, readyAt: now + afterMs });
      return;
    }
    const jobs = lane.jobs.slice(jobCount);
    if (jobs.length === 0) this.#lanes.delete(conversationId);
    else this.#lanes.set(conversationId, onceQuiet({ ...lane, jobs, token: null, attempt: 0 }, now));
  }

  /** When the next lane becomes ready by itself. */
  nextDueAt(): number | null {
    let next: number | null = null;
    for (const { state, readyAt } of this.#lanes.values()) {
      if (state !== "ready" && (next === null || readyAt < next)) next = readyAt;
    }
    return next;
  }

  status(now: number): QueueStatus {
    let jobs = 0;
    let leased = 0;
    let oldestMs = 0;
    for (const lane of this.#lanes.values()) {
      jobs += lane.jobs.length;
      if (lane.state === "leased" && lane.readyAt > now) leased += 1;
      oldestMs = Math.max(oldestMs, now - head(lane).enqueuedAt);
    }
    return { jobs, lanes: this.#lanes.size, leased, oldestMs };
  }

  #heldLane(conversationId: ConversationId, token: string, now: number): Lane | undefined {
    const lane = this.#lanes.get(conversationId);
    return lane?.state === "leased" && lane.token === token && lane.readyAt > now ? lane : undefined;
  }

  #wakeDue(now: number): void {
    for (const [conversationId, lane] of this.#lanes) {
      if (lane.state === "ready" || lane.readyAt > now) continue;
      const wasAbandoned = lane.wasAbandoned || lane.state === "leased";
      this.#lanes.set(conversationId, { ...lane, state: "ready", token: null, wasAbandoned });
    }
  }
}

const emptyLane: Lane = {
  jobs: [],
  state: "ready",
  readyAt: 0,
  priority: 0,
  quietUntil: 0,
  token: null,
  attempt: 0,
  wasAbandoned: false,
};

/** The lane as it waits for the end of a burst; ready when that is over. */
function onceQuiet(lane: Lane, now: number): Lane {
  const readyAt = Math.min(lane.quietUntil, head(lane).enqueuedAt + limits.quietMaxMs);
  return { ...lane, state: readyAt > now ? "quiet" : "ready", readyAt };
}

function head(lane: Lane): MemoryJob {
  return lane.jobs[0] as MemoryJob;
}
