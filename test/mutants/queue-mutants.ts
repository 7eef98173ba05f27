import type { Change } from "../../src/core/change.ts";
import { StorageError } from "../../src/core/errors.ts";
import type { NewJob, QueueName } from "../../src/core/job.ts";
import type { ClaimRequest, Enqueued, Lease, Outcome } from "../../src/core/queue.ts";
import { MemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import { runMicrotasks } from "../contracts/storage-scene.ts";
import type { TestHost } from "../contracts/test-host.ts";
import { type Mutant, replaced } from "./mutant.ts";

/** Keeps what a mutant needs to know of the leases it gave. */
class Remembering extends MemoryStorage {
  protected readonly host: TestHost;
  protected given: Lease[] = [];

  constructor(host: TestHost) {
    super(host);
    this.host = host;
  }

  override async claim(request: ClaimRequest): Promise<readonly Lease[]> {
    const leases = await super.claim(request);
    this.given.push(...leases);
    return leases;
  }

  override async settle(lease: Lease, outcome: Outcome, changes: readonly Change[]): Promise<boolean> {
    const settled = await super.settle(lease, outcome, changes);
    if (settled) this.given = this.given.filter((given) => given.token !== lease.token);
    return settled;
  }
}

/** Changes what a claim gives. */
function claiming(change: (lease: Lease) => Lease): Mutant["storage"] {
  return class extends MemoryStorage {
    override async claim(request: ClaimRequest): Promise<readonly Lease[]> {
      return (await super.claim(request)).map(change);
    }
  };
}

/** Changes what is enqueued. */
function enqueuing(change: (job: NewJob) => NewJob): Mutant["storage"] {
  return class extends MemoryStorage {
    override enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
      return super.enqueue(change(job), changes);
    }
  };
}

/** Changes how leases end. */
function settling(
  change: (lease: Lease, outcome: Outcome, changes: readonly Change[]) => Parameters<MemoryStorage["settle"]>,
) {
  return class extends MemoryStorage {
    override settle(lease: Lease, outcome: Outcome, changes: readonly Change[]): Promise<boolean> {
      return super.settle(...change(lease, outcome, changes));
    }
  };
}

let uniqueCount = 0;
function unique(key: string): string {
  uniqueCount += 1;
  return `${key} ${uniqueCount}`;
}

const keys: Readonly<Record<string, Mutant>> = {
  ForgetsKeys: {
    storage: enqueuing((job) => ({ ...job, key: unique(job.key) })),
    breaks: [
      "the same key is the same job: the first message comes back and nothing is written",
      "enqueued twice at once, a key is still one job",
    ],
  },
  ForgetsKeysOfWrittenJobs: {
    storage: class extends MemoryStorage {
      override apply(changes: readonly Change[]): Promise<boolean> {
        return super.apply(
          replaced(changes, "job", ({ kind, job }) => ({ kind, job: { ...job, key: unique(job.key) } })),
        );
      }
    },
    breaks: ["a job that is written as a change is one job however often it is written"],
  },
  NeverForgetsKeys: {
    storage: class extends MemoryStorage {
      override async maintain(): Promise<void> {
        await Promise.resolve();
      }
    },
    breaks: ["a key is remembered after its job is done, and forgotten once keyMs are over"],
  },
  ForgetsWithoutLimit: {
    storage: class extends MemoryStorage {
      override async maintain(): Promise<void> {
        await super.maintain();
        await super.maintain();
      }
    },
    breaks: ["housekeeping forgets at most 1,000 keys at a time"],
  },
};

const order: Readonly<Record<string, Mutant>> = {
  IgnoresLaneOrder: {
    storage: claiming((lease) => ({ ...lease, jobs: lease.jobs.toReversed() })),
    breaks: ["jobs of a lane come in the order they were enqueued, whatever their priority"],
  },
  IgnoresPriority: {
    storage: enqueuing((job) => ({ ...job, priority: 5 })),
    breaks: [
      "lanes of the highest priority come first, then those that wait longest",
      "a job of higher priority lifts its whole lane",
      "a priority that is not a whole number from 1 to 10 is refused",
    ],
  },
  LeasesTwice: {
    storage: class extends Remembering {
      override async claim(request: ClaimRequest): Promise<readonly Lease[]> {
        const again = this.given.filter((lease) => lease.queue === request.queue);
        return [...again, ...(await super.claim(request))];
      }
    },
    breaks: ["a lane is leased once at a time, and jobs that arrive meanwhile wait behind"],
  },
  ClaimsInARace: {
    storage: class extends MemoryStorage {
      #running: Promise<readonly Lease[]> | undefined;
      override async claim(request: ClaimRequest): Promise<readonly Lease[]> {
        this.#running ??= super.claim(request);
        const leases = await this.#running;
        this.#running = undefined;
        return leases;
      }
    },
    breaks: ["claims at the same moment never share a lane"],
  },
  HoldsOtherLanes: {
    storage: class extends Remembering {
      override async claim(request: ClaimRequest): Promise<readonly Lease[]> {
        return this.given.some((lease) => lease.queue === request.queue) ? [] : super.claim(request);
      }
    },
    breaks: ["a lane never waits for another"],
  },
  HoldsTheOtherQueue: {
    storage: class extends Remembering {
      override async claim(request: ClaimRequest): Promise<readonly Lease[]> {
        return this.given.some((lease) => lease.queue !== request.queue) ? [] : super.claim(request);
      }
    },
    breaks: ["the two queues of a conversation do not wait for each other"],
  },
  TakesTooMuch: {
    storage: class extends MemoryStorage {
      override claim(request: ClaimRequest): Promise<readonly Lease[]> {
        return super.claim({ ...request, lanesMax: request.lanesMax + 1, jobsMax: request.jobsMax + 1 });
      }
    },
    breaks: ["a claim takes at most the lanes it asked for, and at most that many jobs of each"],
  },
  IgnoresQuiet: {
    storage: enqueuing((job) => (job.queue === "inbox" ? { ...job, quietMs: 0 } : job)),
    breaks: [
      "a lane waits until it was quiet, each job anew, but no longer than quietMaxMs",
      "jobs that arrived while their lane was leased wait until it was quiet",
    ],
  },
  QuietEndsLeases: {
    storage: class extends Remembering {
      override async enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
        const enqueued = await super.enqueue(job, changes);
        if (job.queue === "outbox" || job.quietMs === 0) return enqueued;
        const retry = { kind: "retry", afterMs: job.quietMs, isCounted: true } as const;
        for (const lease of this.given) await this.settle(lease, retry, []);
        return enqueued;
      }
    },
    breaks: ["a quiet time neither shortens nor prolongs a lease or the wait for a retry"],
  },
  ReadyByClock: {
    storage: class extends Remembering {
      #enqueuedAt = 0;
      override enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
        this.#enqueuedAt = this.host.clock.now();
        return super.enqueue(job, changes);
      }
      override async claim(request: ClaimRequest): Promise<readonly Lease[]> {
        return this.host.clock.now() < this.#enqueuedAt ? [] : super.claim(request);
      }
    },
    breaks: ["what is ready is claimed even when the clock was set back"],
  },
};

const leases: Readonly<Record<string, Mutant>> = {
  IgnoresLostLease: {
    storage: class extends MemoryStorage {
      override async save(lease: Lease, changes: readonly Change[]): Promise<boolean> {
        return (await super.save(lease, changes)) || this.apply(changes);
      }
    },
    breaks: [
      "a lease that ran out writes nothing, even when nobody took over",
      "a lease that somebody took over writes nothing, and harms not the new one",
      "a settled lease writes nothing more",
    ],
  },
  SettlesAgain: {
    storage: class extends MemoryStorage {
      override async settle(lease: Lease, outcome: Outcome, changes: readonly Change[]): Promise<boolean> {
        await super.settle(lease, outcome, changes);
        return true;
      }
    },
    breaks: ["settled twice at once, a lease ends once"],
  },
  ExtendsWhatIsLost: {
    storage: class extends MemoryStorage {
      override async extend(held: readonly Lease[], leaseMs: number): Promise<readonly boolean[]> {
        await super.extend(held, leaseMs);
        return held.map(() => true);
      }
    },
    breaks: ["extend prolongs the leases that are held and tells which are not"],
  },
  SaveEndsTheLease: {
    storage: class extends MemoryStorage {
      override save(lease: Lease, changes: readonly Change[]): Promise<boolean> {
        return this.settle(lease, { kind: "done" }, changes);
      }
    },
    breaks: ["save writes its changes and keeps the lease"],
  },
  KeepsLeaseOnSettle: {
    storage: class extends MemoryStorage {
      override settle(lease: Lease, _outcome: Outcome, changes: readonly Change[]): Promise<boolean> {
        return this.save(lease, changes);
      }
    },
    breaks: ["done and dead end exactly the jobs that were leased"],
  },
  EndsTheWholeLane: {
    storage: settling((lease, outcome, changes) => {
      const jobs = Array.from({ length: 9 }, () => lease.jobs).flat();
      return [{ ...lease, jobs }, outcome, changes];
    }),
    breaks: [
      "done and dead end exactly the jobs that were leased",
      "who took only the first few ends those, and the others come next, in their order",
    ],
  },
  DropsChangesOnSettle: {
    storage: settling((lease, outcome) => [lease, outcome, []]),
    breaks: ["settle writes its changes and ends the lease together", "a retry writes its changes too"],
  },
  RetriesAtOnce: {
    storage: settling((lease, outcome, changes) => [
      lease,
      outcome.kind === "retry" ? { ...outcome, afterMs: 0 } : outcome,
      changes,
    ]),
    breaks: ["a retry holds its lane for as long as it says, its jobs at the head"],
  },
  RetriesLate: {
    storage: settling((lease, outcome, changes) => [
      lease,
      outcome.kind === "retry" ? { ...outcome, afterMs: outcome.afterMs + 1 } : outcome,
      changes,
    ]),
    breaks: ["a retry without delay is ready at once"],
  },
  LosesAttempt: {
    storage: claiming((lease) => ({ ...lease, attempt: 1 })),
    breaks: ["attempts count the claims of the head, but for those retried uncounted"],
  },
  ForgetsAbandoned: {
    storage: claiming((lease) => ({ ...lease, wasAbandoned: false })),
    breaks: ["a lease that ran out counts as an attempt, and the next holder knows that it was abandoned"],
  },
  ForgetsReceipts: {
    storage: claiming((lease) => ({ ...lease, jobs: lease.jobs.map((job) => ({ ...job, receipts: [] })) })),
    breaks: ["a claim in the outbox brings the receipts of earlier tries, in order"],
  },
  ForgetsEngineState: {
    storage: claiming((lease) => ({ ...lease, conversation: { ...lease.conversation, engineState: null } })),
    breaks: [
      "a claim brings the lane's conversation, messages and keys as they were written",
      "the state of the engine comes back as it was written, with the next claim too",
    ],
  },
  FailsTogether: {
    storage: class extends MemoryStorage {
      #hasFailed = false;
      override async enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
        const enqueued = await super.enqueue(job, changes);
        await runMicrotasks();
        if (this.#hasFailed) throw new StorageError("one of the batch failed");
        return enqueued;
      }
      override async apply(changes: readonly Change[]): Promise<boolean> {
        this.#hasFailed = true;
        const applied = await super.apply(changes);
        this.#hasFailed = false;
        return applied;
      }
    },
    breaks: ["one call that fails does not harm those made at the same moment"],
  },
};

const wakes: Readonly<Record<string, Mutant>> = {
  WakesAfterTheCommit: {
    storage: class extends MemoryStorage {
      override async waitForWork(queue: QueueName, maxMs: number, signal: AbortSignal): Promise<void> {
        await super.waitForWork(queue, maxMs, signal);
        await runMicrotasks();
        await runMicrotasks();
      }
    },
    breaks: [
      "a wait ends in the very tick that submits a job, so that a claim can follow it into its commit",
      "a wait ends after its longest time, on abort, and when the storage is closed",
    ],
  },
  NeverWakes: {
    storage: class extends Remembering {
      override waitForWork(_queue: QueueName, maxMs: number): Promise<void> {
        return new Promise((resolve) => {
          this.host.clock.after(maxMs, resolve);
        });
      }
    },
    breaks: [
      "news that came before the wait is not lost",
      "a wait ends when a lease is settled, for its lane may have more",
      "a wait does not begin while a claim left lanes behind",
      "a wait ends when a retry falls due",
      "a wait ends when a lane was quiet for long enough",
      "a wait ends when a lease runs out",
    ],
  },
};

export const queueMutants: Readonly<Record<string, Mutant>> = { ...keys, ...order, ...leases, ...wakes };
