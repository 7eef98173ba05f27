import type { Clock } from "../../../src/core/host.ts";
import { BotApiError } from "./bot-method.ts";

export interface RawUpdate {
  readonly update_id: number;
  readonly [kind: string]: unknown;
}

/** The kinds that come only when asked for. */
const onlyWhenAsked = new Set(["chat_member", "message_reaction", "message_reaction_count"]);
const keptMs = 24 * 60 * 60 * 1_000;
const timeoutMaxSeconds = 50;

export interface PollRequest {
  readonly offset: number | undefined;
  readonly limit: number;
  readonly timeoutSeconds: number;
}

interface Waiting {
  readonly request: PollRequest;
  answer(updates: readonly RawUpdate[] | BotApiError): void;
}

interface Kept {
  readonly update: RawUpdate;
  readonly expiresAt: number;
}

/** Updates that wait for the bot, as `getUpdates` gives them: kept a day, forgotten when the offset moves over them. */
export class UpdateQueue {
  readonly #clock: Clock;
  #kept: Kept[] = [];
  #waiting: Waiting | null = null;
  #allowed: ReadonlySet<string> | null = null;
  /** The last batch that was given, to give it again. */
  lastBatch: readonly RawUpdate[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#current().length;
  }

  /** Whether a long poll waits just now. */
  get isPolled(): boolean {
    return this.#waiting !== null;
  }

  /** Empty: the kinds that Telegram sends by itself. Counts for what comes later. */
  allow(kinds: readonly string[]): void {
    this.#allowed = kinds.length === 0 ? null : new Set(kinds);
  }

  /** False: the bot did not ask for this kind. */
  wants(update: RawUpdate): boolean {
    const kind = Object.keys(update).find((name) => name !== "update_id") ?? "";
    return this.#allowed === null ? !onlyWhenAsked.has(kind) : this.#allowed.has(kind);
  }

  push(update: RawUpdate): void {
    this.#kept.push({ update, expiresAt: this.#clock.now() + keptMs });
    const waiting = this.#waiting;
    if (waiting !== null) waiting.answer(this.#batch(waiting.request));
  }

  /** All that wait, which are then no longer here: for a webhook that is set, or to be dropped. */
  takeAll(): readonly RawUpdate[] {
    const updates = this.#current().map(({ update }) => update);
    this.#kept = [];
    return updates;
  }

  /** Ends the long poll that waits, if one does. */
  terminate(by: "other getUpdates" | "setWebhook"): void {
    const advice = by === "setWebhook" ? "" : "; make sure that only one bot instance is running";
    this.#waiting?.answer(new BotApiError(409, `Conflict: terminated by ${by} request${advice}`));
  }

  /** Resolves when there are updates or the time is over. `onGone` is given what to call when the caller hung up. */
  poll(request: PollRequest, onGone: (gone: () => void) => void): Promise<readonly RawUpdate[]> {
    this.terminate("other getUpdates");
    const { offset } = request;
    if (offset !== undefined && offset > 0) this.#kept = this.#kept.filter(({ update }) => update.update_id >= offset);
    if (offset !== undefined && offset < 0) this.#kept = this.#kept.slice(offset);
    const batch = this.#batch(request);
    if (batch.length > 0 || request.timeoutSeconds === 0) return Promise.resolve(batch);
    return new Promise((resolve, reject) => {
      const end = () => {
        cancel();
        this.#waiting = null;
      };
      const answer = (updates: readonly RawUpdate[] | BotApiError) => {
        end();
        if (updates instanceof BotApiError) reject(updates);
        else resolve(updates);
      };
      const waitMs = Math.min(request.timeoutSeconds, timeoutMaxSeconds) * 1_000;
      const cancel = this.#clock.after(waitMs, () => answer([]));
      const waiting: Waiting = { request, answer };
      this.#waiting = waiting;
      onGone(() => {
        if (this.#waiting === waiting) end();
      });
    });
  }

  #batch({ limit }: PollRequest): readonly RawUpdate[] {
    const batch = this.#current()
      .slice(0, limit)
      .map(({ update }) => update);
    if (batch.length > 0) this.lastBatch = batch;
    return batch;
  }

  #current(): readonly Kept[] {
    const now = this.#clock.now();
    this.#kept = this.#kept.filter(({ expiresAt }) => expiresAt > now);
    return this.#kept;
  }
}
