import type { Cancel, Clock } from "../../core/host.ts";

/**
 * Tells the loops of one queue when a claim may find something. News that nobody waited for is kept for the next wait,
 * unless a claim went out meanwhile, which saw it.
 */
export class WakeUp {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  /** True at first: what the process before left behind is news. */
  #hasNews = true;
  #isClosed = false;
  #dueAt = Number.POSITIVE_INFINITY;
  #cancelDue: Cancel | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Something can be claimed now. Whoever waits goes on in this very tick. */
  wake(): void {
    if (this.#waiting.size === 0) this.#hasNews = true;
    for (const resume of this.#waiting) resume();
  }

  /** Something can be claimed at `dueAt`, milliseconds since 1970. The earliest counts; its claim will tell the next. */
  wakeAt(dueAt: number): void {
    if (dueAt >= this.#dueAt || this.#isClosed) return;
    this.#cancelDue?.();
    this.#dueAt = dueAt;
    this.#cancelDue = this.#clock.after(Math.max(0, dueAt - this.#clock.now()), () => {
      this.#dueAt = Number.POSITIVE_INFINITY;
      this.wake();
    });
  }

  /** A claim goes out: whatever was news is seen by it. */
  beginClaim(): void {
    this.#hasNews = false;
  }

  /** See `Queue.waitForWork`. */
  wait(maxMs: number, signal: AbortSignal): Promise<void> {
    if (this.#hasNews || this.#isClosed || signal.aborted) {
      this.#hasNews = false;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const resume = () => {
        cancel();
        signal.removeEventListener("abort", resume);
        this.#waiting.delete(resume);
        resolve();
      };
      const cancel = this.#clock.after(maxMs, resume);
      signal.addEventListener("abort", resume);
      this.#waiting.add(resume);
    });
  }

  /** Nobody waits any more, now or later. */
  close(): void {
    this.#isClosed = true;
    this.#cancelDue?.();
    this.wake();
  }
}
