import type { Change } from "../core/change.ts";
import type { Clock } from "../core/host.ts";
import type { MessageId } from "../core/ids.ts";
import type { Message } from "../core/message.ts";
import type { Store } from "../core/store.ts";
import { apiLimits } from "./api-limits.ts";
import { ProblemError } from "./problems.ts";

/** A person's message that came to rest, and what the bot said to it. */
export interface Answered {
  readonly message: Message;
  readonly answers: readonly Message[];
}

/** Waits for turns to end and their answers to be out. Told by the storage, so that nobody asks it again and again. */
export class AnswerWaits {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #waits = new Set<Wait>();
  readonly #waitsOf = new Map<MessageId, Set<Wait>>();
  #stopWatching: (() => void) | undefined;

  constructor(store: Store, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /**
   * The message and its answers as soon as none of them is on its way any more; one that is held is not. Undefined when
   * that takes longer than `waitMs`, the signal aborts, or Parley stops.
   *
   * @throws ProblemError `too_many` over `apiLimits.waitsMax` at once
   */
  async answersTo(messageId: MessageId, waitMs: number, signal: AbortSignal): Promise<Answered | undefined> {
    if (this.#waits.size >= apiLimits.waitsMax) {
      throw new ProblemError("too_many", `${apiLimits.waitsMax} calls wait for answers already: send without "wait".`);
    }
    const wait = new Wait();
    this.#waits.add(wait);
    this.#stopWatching ??= this.#store.watch((changes) => this.#tell(changes));
    const cancel = this.#clock.after(waitMs, wait.end);
    signal.addEventListener("abort", wait.end);
    if (signal.aborted) wait.end();
    try {
      return await this.#settled(messageId, wait);
    } finally {
      cancel();
      signal.removeEventListener("abort", wait.end);
      this.#forget(wait);
    }
  }

  /** Ends every wait now. */
  close(): void {
    for (const wait of this.#waits) wait.end();
  }

  async #settled(messageId: MessageId, wait: Wait): Promise<Answered | undefined> {
    this.#listen(wait, [messageId]);
    for (;;) {
      // Asked for before it is looked up: whatever moves from here on wakes this wait.
      const moved = wait.moved();
      const wasOver = wait.isOver;
      const message = await this.#store.findMessage(messageId);
      if (message !== undefined && isAtRest(message)) {
        const turn = message.turnId === null ? undefined : await this.#store.findTurn(message.turnId);
        const answerIds = turn?.answerIds ?? [];
        this.#listen(wait, answerIds);
        const answers = await this.#store.findMessages(answerIds);
        if (answers.every(isAtRest)) return { message, answers };
      }
      if (wasOver) return undefined;
      await moved;
    }
  }

  #listen(wait: Wait, ids: readonly MessageId[]): void {
    for (const id of ids) {
      wait.ids.add(id);
      this.#waitsOf.set(id, (this.#waitsOf.get(id) ?? new Set()).add(wait));
    }
  }

  #tell(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind !== "state") continue;
      for (const wait of this.#waitsOf.get(change.messageId) ?? []) wait.wake();
    }
  }

  #forget(wait: Wait): void {
    this.#waits.delete(wait);
    for (const id of wait.ids) {
      const waits = this.#waitsOf.get(id);
      waits?.delete(wait);
      if (waits?.size === 0) this.#waitsOf.delete(id);
    }
    if (this.#waits.size > 0) return;
    this.#stopWatching?.();
    this.#stopWatching = undefined;
  }
}

/** One caller that waits. */
class Wait {
  readonly ids = new Set<MessageId>();
  isOver = false;
  #next = Promise.withResolvers<void>();

  /** Resolves at the first `wake` from now on. */
  moved(): Promise<void> {
    if (!this.isOver) this.#next = Promise.withResolvers();
    return this.#next.promise;
  }

  wake(): void {
    this.#next.resolve();
  }

  readonly end = (): void => {
    this.isOver = true;
    this.wake();
  };
}

function isAtRest({ state }: Message): boolean {
  return state !== "received" && state !== "queued";
}
