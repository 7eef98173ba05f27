import { emitWarning } from "node:process";
import type { Change } from "../../core/change.ts";

type Listener = (changes: readonly Change[]) => void;

/** Who wants to hear what was written: see `Store.watch`. */
export class Watchers {
  readonly #listeners = new Set<Listener>();

  get isEmpty(): boolean {
    return this.#listeners.size === 0;
  }

  /** Returns what ends it. */
  add(listener: Listener): () => void {
    // A function of our own, so that the same listener can watch twice and end once.
    const entry: Listener = (changes) => listener(changes);
    this.#listeners.add(entry);
    return () => {
      this.#listeners.delete(entry);
    };
  }

  /** A listener that throws is reported and harms neither the others nor the writer. */
  tell(changes: readonly Change[]): void {
    if (changes.length === 0) return;
    for (const listener of this.#listeners) {
      try {
        listener(changes);
      } catch (error) {
        emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }
}
