import type { Clock } from "../../core/host.ts";

export interface Rates {
  readonly perSecond: number;
  readonly perChatPerSecond: number;
  readonly perGroupPerMinute: number;
}

/** Somebody who was told to wait, and until when: then it is their turn. */
interface Reservation {
  readonly at: number;
  readonly of: "chat" | "all";
}

/** A turn that nobody takes is lost after this long. */
const reservationMs = 60_000;
const reservationsMax = 10_000;
const chatBurst = 3;

/**
 * Keeps sends below Telegram's limits (about 1 a second in a chat with short bursts, 20 a minute in a group, 30 a second
 * in all: core.telegram.org/bots/faq). Who must wait gets a turn of their own, so that a thousand who wait do not come
 * back all at once. Counts by theoretical arrival times (GCRA): one number per chat that was written to lately.
 */
export class Governor {
  readonly #rates: Rates;
  readonly #clock: Clock;
  /** When the next send would be due if all had been sent at the exact rate. */
  readonly #chats = new Map<string, number>();
  #all = 0;
  readonly #reservations = new Map<string, Reservation>();
  /** Until when Telegram asked to wait. */
  readonly #pauses = new Map<string, number>();
  #pausedUntil = 0;
  #sweepAt = 1_024;

  constructor(rates: Rates, clock: Clock) {
    this.#rates = rates;
    this.#clock = clock;
  }

  /**
   * Asks for one send.
   *
   * @param key The same for every try of it.
   * @returns Milliseconds to wait before asking again; 0: send now.
   */
  take(chat: { readonly id: string; readonly isGroup: boolean }, key: string): number {
    const now = this.#clock.now();
    const pausedUntil = Math.max(this.#pausedUntil, this.#pauses.get(chat.id) ?? 0);
    if (pausedUntil > now) return Math.ceil(pausedUntil - now);

    const reserved = this.#reservations.get(key);
    if (reserved !== undefined && reserved.at > now) return Math.ceil(reserved.at - now);
    if (reserved === undefined) {
      if (this.#reservations.size >= reservationsMax) this.#sweep(now);
      if (this.#reservations.size >= reservationsMax) return reservationMs;
      const at = this.#takeChat(chat, now);
      if (isAhead(at, now)) return this.#reserve(key, { at, of: "chat" }, now);
    }
    if (reserved?.of !== "all") {
      const at = this.#takeAll(now);
      if (isAhead(at, now)) return this.#reserve(key, { at, of: "all" }, now);
    }
    this.#reservations.delete(key);
    if (this.#chats.size + this.#pauses.size + this.#reservations.size > this.#sweepAt) this.#sweep(now);
    return 0;
  }

  /**
   * Telegram asked to wait. When two chats are asked at the same time it means the bot, not the chats: then all wait.
   */
  throttled(chatId: string, retryAfterMs: number): void {
    const now = this.#clock.now();
    const isAnotherPaused = [...this.#pauses].some(([id, until]) => id !== chatId && until > now);
    this.#pauses.set(chatId, now + retryAfterMs);
    if (isAnotherPaused) this.#pausedUntil = Math.max(this.#pausedUntil, now + retryAfterMs);
    this.#sweep(now);
  }

  #takeChat(chat: { readonly id: string; readonly isGroup: boolean }, now: number): number {
    const { perChatPerSecond, perGroupPerMinute } = this.#rates;
    const chatMs = 1_000 / perChatPerSecond;
    const intervalMs = chat.isGroup ? Math.max(chatMs, 60_000 / perGroupPerMinute) : chatMs;
    const due = this.#chats.get(chat.id) ?? 0;
    const at = Math.max(now, due - (chatBurst - 1) * intervalMs);
    this.#chats.set(chat.id, Math.max(due, at) + intervalMs);
    return at;
  }

  /** A tenth of a second's sends may go at once. */
  #takeAll(now: number): number {
    const intervalMs = 1_000 / this.#rates.perSecond;
    const at = Math.max(now, this.#all - Math.max(0, 100 - intervalMs));
    this.#all = Math.max(this.#all, at) + intervalMs;
    return at;
  }

  #reserve(key: string, reservation: Reservation, now: number): number {
    this.#reservations.set(key, reservation);
    return Math.ceil(reservation.at - now);
  }

  /** Forgets what no longer counts. Each sweep waits for twice as many entries as the last one left. */
  #sweep(now: number): void {
    for (const [id, due] of this.#chats) if (due <= now) this.#chats.delete(id);
    for (const [id, until] of this.#pauses) if (until <= now) this.#pauses.delete(id);
    for (const [key, { at }] of this.#reservations) if (at + reservationMs <= now) this.#reservations.delete(key);
    this.#sweepAt = Math.max(1_024, 2 * (this.#chats.size + this.#pauses.size + this.#reservations.size));
  }
}

/** Less than a millisecond is not worth a wait: at a local server's rates nothing else would come of it. */
function isAhead(at: number, now: number): boolean {
  return at >= now + 1;
}
