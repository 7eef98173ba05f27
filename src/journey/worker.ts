import { LeaseLostError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { QueueName } from "../core/job.ts";
import { limits } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Lease, Queue } from "../core/queue.ts";

export interface WorkerParts {
  readonly queue: Queue;
  readonly name: QueueName;
  /** Lanes worked on at once. */
  readonly lanesMax: number;
  /** Jobs taken of one lane at once. */
  readonly jobsMax: number;
  /**
   * Does the work of one lease and settles it. `signal` aborts when it must end at once; `stopping` when nothing more is
   * to be begun.
   */
  work(lease: Lease, signal: AbortSignal, stopping: AbortSignal): Promise<void>;
  readonly host: Host;
  readonly log: Log;
}

/** The loop: claim what is free, work on it, wait for more. Keeps its leases alive while it works. */
export class Worker {
  readonly #parts: WorkerParts;
  readonly #busy = new Map<Lease, { readonly controller: AbortController; readonly ended: Promise<void> }>();
  /** Resolves when a lane is free again; made anew for each wait. */
  #freed = Promise.withResolvers<void>();

  constructor(parts: WorkerParts) {
    this.#parts = parts;
  }

  /** Works until `signal` aborts, then resolves when what had begun is finished, or `limits.stopMs` later. */
  async run(signal: AbortSignal): Promise<void> {
    const { queue, name, lanesMax, jobsMax, log } = this.#parts;
    const stopExtending = this.#extendRegularly();
    signal.addEventListener("abort", () => this.#freed.resolve(), { once: true });
    while (!signal.aborted) {
      const free = lanesMax - this.#busy.size;
      if (free === 0) {
        await this.#freed.promise;
        continue;
      }
      try {
        const leases = await queue.claim({
          queue: name,
          lanesMax: Math.min(free, limits.claimLanesMax),
          jobsMax,
          leaseMs: limits.leaseMs,
        });
        for (const lease of leases) this.#start(lease, signal);
        if (leases.length === 0) await queue.waitForWork(name, limits.idleMs, signal);
      } catch (error) {
        log.error({ queue: name, err: error }, "could not claim work; trying again");
        await this.#pause();
      }
    }
    await this.#finish();
    stopExtending();
  }

  #start(lease: Lease, stopping: AbortSignal): void {
    const { work, log } = this.#parts;
    const controller = new AbortController();
    const ended = work(lease, controller.signal, stopping)
      .catch((error: unknown) => {
        if (error instanceof LeaseLostError) {
          log.warn({ conversation: lease.conversation.id, err: error }, "lost a lease; whoever takes it next goes on");
        } else if (!controller.signal.aborted) {
          // The lease runs out and the work is tried again; nothing was written.
          log.error({ conversation: lease.conversation.id, err: error }, "work ended with an error");
        }
      })
      .finally(() => {
        this.#busy.delete(lease);
        this.#freed.resolve();
        this.#freed = Promise.withResolvers();
      });
    this.#busy.set(lease, { controller, ended });
  }

  /** Waits for what goes on; past the limit it is stopped, and turns are handed back for whoever comes next. */
  async #finish(): Promise<void> {
    const { queue, name } = this.#parts;
    await this.#ended(limits.stopMs);
    const left = [...this.#busy];
    for (const [, { controller }] of left) controller.abort(new LeaseLostError("Parley is stopping."));
    if (name === "inbox") {
      await Promise.all(
        left.map(([lease]) => queue.settle(lease, { kind: "retry", afterMs: 0, isCounted: false }, [])),
      );
    }
    // A delivery that was stopped still has to say that it may have arrived.
    await this.#ended(limits.idleMs);
  }

  /** Resolves when all work ended, at the latest after `ms`. */
  async #ended(ms: number): Promise<void> {
    const overdue = Promise.withResolvers<void>();
    const cancel = this.#parts.host.clock.after(ms, overdue.resolve);
    await Promise.race([Promise.all([...this.#busy.values()].map(({ ended }) => ended)), overdue.promise]);
    cancel();
  }

  #extendRegularly(): () => void {
    const { queue, host, log } = this.#parts;
    let cancel = (): void => undefined;
    const extend = async (): Promise<void> => {
      const leases = [...this.#busy.keys()];
      try {
        const held = leases.length === 0 ? [] : await queue.extend(leases, limits.leaseMs);
        leases.forEach((lease, index) => {
          if (held[index] === false) this.#busy.get(lease)?.controller.abort(new LeaseLostError("The lease ran out."));
        });
      } catch (error) {
        log.error({ err: error }, "could not extend leases");
      }
    };
    const tick = (): void => {
      cancel = host.clock.after(limits.leaseMs / 3, tick);
      void extend();
    };
    cancel = host.clock.after(limits.leaseMs / 3, tick);
    return () => cancel();
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => {
      this.#parts.host.clock.after(limits.idleMs, resolve);
    });
  }
}
