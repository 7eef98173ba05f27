/**
 * What the machine gives and the journey must not take for itself: time, randomness, hashing. Handed in everywhere,
 * so that a test can stand still, jump and repeat.
 */
export interface Host {
  readonly clock: Clock;
  /** SHA-256 in hexadecimal of the text's UTF-8 bytes. */
  hash(text: string): string;
  /** A new id that sorts by the time it was made: `<prefix>_…`. Unique across processes. */
  newId(prefix: string): string;
  /** At least 0, below 1. */
  random(): number;
}

export interface Clock {
  /** Milliseconds since 1970. Never goes backwards within a process, even when the machine's clock does. */
  now(): number;
  /** Runs `work` once after `ms` unless cancelled first. */
  after(ms: number, work: () => void): Cancel;
}

export type Cancel = () => void;
