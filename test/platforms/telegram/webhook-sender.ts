import { Agent } from "undici";
import type { Cancel, Clock } from "../../../src/core/host.ts";
import type { RawUpdate } from "./update-queue.ts";

export interface Webhook {
  readonly url: string;
  readonly secret: string | null;
  readonly connectionsMax: number;
}

const retryLongestMs = 60_000;
const callMs = 50_000;

interface Line {
  readonly waiting: RawUpdate[];
  isBusy: boolean;
}

/**
 * Sends updates to a webhook as Telegram's server does: one queue per chat for messages, another per person for presses
 * of buttons; one at a time in a queue; again until it is answered with 2xx, at once first, then after 1, 2, 4 … seconds.
 */
export class WebhookSender {
  readonly #webhook: Webhook;
  readonly #clock: Clock;
  readonly #agent: Agent;
  readonly #lines = new Map<string, Line>();
  readonly #cancels = new Set<Cancel>();
  #isStopped = false;
  #running = 0;
  readonly #waitingForTurn: (() => void)[] = [];
  lastError: { readonly at: number; readonly message: string } | null = null;
  /** How often the next updates are sent once more after they were acknowledged. */
  repeats = 0;

  constructor(webhook: Webhook, clock: Clock) {
    this.#webhook = webhook;
    this.#clock = clock;
    this.#agent = new Agent({ connections: webhook.connectionsMax, headersTimeout: callMs, bodyTimeout: callMs });
  }

  get pending(): number {
    return [...this.#lines.values()].reduce((sum, { waiting }) => sum + waiting.length, 0);
  }

  push(update: RawUpdate): void {
    const id = lineOf(update);
    const line = this.#lines.get(id) ?? { waiting: [], isBusy: false };
    this.#lines.set(id, line);
    line.waiting.push(update);
    if (!line.isBusy) void this.#drain(id, line);
  }

  /** Stops sending; returns what was not acknowledged. */
  async stop(): Promise<readonly RawUpdate[]> {
    this.#isStopped = true;
    for (const cancel of this.#cancels) cancel();
    for (const start of this.#waitingForTurn.splice(0)) start();
    await this.#agent.destroy();
    return [...this.#lines.values()].flatMap(({ waiting }) => waiting).sort((a, b) => a.update_id - b.update_id);
  }

  async #drain(id: string, line: Line): Promise<void> {
    line.isBusy = true;
    let tries = 0;
    for (let head = line.waiting[0]; head !== undefined && !this.#isStopped; head = line.waiting[0]) {
      const isTaken = await this.#send(head);
      if (this.#isStopped) return;
      if (isTaken) {
        tries = 0;
        if (this.repeats === 0) line.waiting.shift();
        else this.repeats -= 1;
        continue;
      }
      if (tries > 0) await this.#pause(Math.min(retryLongestMs, 1_000 * 2 ** (tries - 1)));
      tries += 1;
    }
    line.isBusy = false;
    if (line.waiting.length === 0) this.#lines.delete(id);
  }

  async #send(update: RawUpdate): Promise<boolean> {
    while (this.#running >= this.#webhook.connectionsMax && !this.#isStopped) {
      await new Promise<void>((resolve) => this.#waitingForTurn.push(resolve));
    }
    if (this.#isStopped) return false;
    this.#running += 1;
    try {
      return await this.#post(update);
    } catch (error) {
      this.lastError = { at: this.#clock.now(), message: `Connection failed: ${(error as Error).message}` };
      return false;
    } finally {
      this.#running -= 1;
      this.#waitingForTurn.shift()?.();
    }
  }

  async #post(update: RawUpdate): Promise<boolean> {
    const { origin, pathname, search } = new URL(this.#webhook.url);
    const { secret } = this.#webhook;
    const { statusCode, body } = await this.#agent.request({
      origin,
      path: pathname + search,
      method: "POST",
      headers: {
        "content-type": "application/json",
        ...(secret === null ? {} : { "x-telegram-bot-api-secret-token": secret }),
      },
      body: JSON.stringify(update),
    });
    await body.dump();
    if (statusCode >= 200 && statusCode < 300) return true;
    this.lastError = { at: this.#clock.now(), message: `Wrong response from the webhook: ${statusCode}` };
    return false;
  }

  #pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        cancel();
        this.#cancels.delete(wake);
        resolve();
      };
      const cancel = this.#clock.after(ms, wake);
      this.#cancels.add(wake);
    });
  }
}

/** Which updates wait for each other. */
function lineOf(update: RawUpdate): string {
  const [kind = ""] = Object.keys(update).filter((name) => name !== "update_id");
  const body = update[kind] as { chat?: { id: number }; from?: { id: number } } | null;
  const isQuery = kind === "callback_query" || kind.endsWith("_query");
  if (isQuery) return `query ${body?.from?.id}`;
  const isMessage = kind.endsWith("message") || kind.endsWith("post");
  return isMessage ? `chat ${body?.chat?.id}` : `${kind} ${body?.chat?.id}`;
}
