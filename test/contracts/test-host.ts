import { createHash } from "node:crypto";
import type { Cancel, Clock, Host } from "../../src/core/host.ts";

interface Timer {
  readonly at: number;
  readonly work: () => void;
}

/** A host that stands still: its clock moves only when told, its ids count up, its randomness repeats. */
export class TestHost implements Host {
  readonly clock: Clock = {
    now: () => this.#now,
    after: (ms, work) => this.#after(ms, work),
  };
  #now: number;
  #idCount = 0;
  #seed = 1;
  readonly #timers = new Set<Timer>();

  /** @param now Where its clock stands at first, milliseconds since 1970. */
  constructor(now = Date.UTC(2026, 0, 1)) {
    this.#now = now;
  }

  hash(text: string): string {
    return createHash("sha256").update(text).digest("hex");
  }

  newId(prefix: string): string {
    this.#idCount += 1;
    return `${prefix}_${String(this.#idCount).padStart(9, "0")}`;
  }

  /** The same row of numbers in every test (mulberry32). */
  random(): number {
    this.#seed = (this.#seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#seed ^ (this.#seed >>> 15), 1 | this.#seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** Moves the clock on and runs what falls due meanwhile, in order, each at its own time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let timer = this.#nextTimer(end); timer !== undefined; timer = this.#nextTimer(end)) {
      this.#timers.delete(timer);
      this.#now = Math.max(this.#now, timer.at);
      timer.work();
    }
    this.#now = end;
  }

  /** What a restart may see after the machine's clock was set back. Waiting timers stay where they were. */
  setBack(ms: number): void {
    this.#now -= ms;
  }

  /** How many timers wait: 0 once everything was closed. */
  get timerCount(): number {
    return this.#timers.size;
  }

  #after(ms: number, work: () => void): Cancel {
    const timer: Timer = { at: this.#now + ms, work };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  #nextTimer(end: number): Timer | undefined {
    let next: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= end && (next === undefined || timer.at < next.at)) next = timer;
    }
    return next;
  }
}
