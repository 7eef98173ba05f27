/**
 * Remembers the entries set last: at least `keptMin`, at most twice as many. Two generations instead of a queue, because
 * a `Map` that is emptied at its front gets slow.
 */
export class RecentMap<Key, Value> {
  readonly #keptMin: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(keptMin: number) {
    this.#keptMin = keptMin;
  }

  get(key: Key): Value | undefined {
    const value = this.#young.get(key);
    return value === undefined ? this.#old.get(key) : value;
  }

  set(key: Key, value: Value): void {
    this.#young.set(key, value);
    if (this.#young.size < this.#keptMin) return;
    this.#old = this.#young;
    this.#young = new Map();
  }
}
