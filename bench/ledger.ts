/** What a run sent, and what came back of it. */
export interface Tally {
  readonly sent: number;
  /** Messages whose text came back in at least one answer. */
  readonly answered: number;
  /** Texts that came back more than once. */
  readonly duplicates: number;
  /** Texts that came back after a later one of the same conversation. */
  readonly outOfOrder: number;
  /** Answers that quoted no message. */
  readonly strangers: number;
  /** Calls of `sendMessage`. Fewer than `answered` where one answer quotes several messages. */
  readonly answers: number;
  /** From the sending of a message to the arrival of its answer, in milliseconds. */
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const marker = /message (\d+) of conversation \d/g;

/**
 * Numbers the messages of a run, knows them again in the answers by their numbers, and keeps count. Message 0 is numbered
 * `first`, so that the late answer to a message of an earlier run is not taken for one of this run; message `n` belongs
 * to conversation `n % conversations`, so that the numbers of one conversation rise.
 */
export class Ledger {
  readonly #first: number;
  readonly #conversations: number;
  readonly #sentAt: Float64Array;
  readonly #latencyMs: Float64Array;
  readonly #newest: Int32Array;
  #sent = 0;
  #answered = 0;
  #duplicates = 0;
  #outOfOrder = 0;
  #strangers = 0;
  #answers = 0;

  constructor(run: { readonly first: number; readonly messages: number; readonly conversations: number }) {
    this.#first = run.first;
    this.#conversations = run.conversations;
    this.#sentAt = new Float64Array(run.messages);
    this.#latencyMs = new Float64Array(run.messages).fill(-1);
    this.#newest = new Int32Array(run.conversations).fill(-1);
  }

  get answered(): number {
    return this.#answered;
  }

  text(message: number): string {
    const conversation = message % this.#conversations;
    return `message ${this.#first + message} of conversation ${conversation} is about as long as what people write`;
  }

  sent(message: number, atMs: number): void {
    this.#sentAt[message] = atMs;
    this.#sent++;
  }

  /** Takes an answer and calls `firstTime` for each message that it is the first to quote. */
  take(text: string, atMs: number, firstTime: (message: number) => void): void {
    this.#answers++;
    const numbers = Array.from(text.matchAll(marker), (match) => Number(match[1]) - this.#first);
    if (numbers.length === 0) this.#strangers++;
    for (const message of numbers) {
      const latencyMs = this.#latencyMs[message];
      if (latencyMs === undefined) continue;
      if (latencyMs >= 0) {
        this.#duplicates++;
        continue;
      }
      const conversation = message % this.#conversations;
      if (message < this.#newest[conversation]!) this.#outOfOrder++;
      else this.#newest[conversation] = message;
      this.#latencyMs[message] = atMs - this.#sentAt[message]!;
      this.#answered++;
      firstTime(message);
    }
  }

  tally(): Tally {
    const latencies = this.#latencyMs.filter((ms) => ms >= 0).sort();
    return {
      sent: this.#sent,
      answered: this.#answered,
      duplicates: this.#duplicates,
      outOfOrder: this.#outOfOrder,
      strangers: this.#strangers,
      answers: this.#answers,
      p50Ms: quantile(latencies, 0.5),
      p99Ms: quantile(latencies, 0.99),
    };
  }
}

/** The smallest value that a share of `share` does not exceed; `values` are sorted. NaN when there are none. */
function quantile(values: ArrayLike<number>, share: number): number {
  return values[Math.max(0, Math.ceil(values.length * share) - 1)] ?? Number.NaN;
}
