import type { Accept, Channel } from "../core/channel.ts";
import { SetupError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Log } from "../core/log.ts";
import { backoffMs } from "./backoff.ts";

/** One channel that is being listened to. */
export class Listening {
  readonly #channel: Channel;
  readonly #controller = new AbortController();
  readonly #ended: Promise<void>;
  #trouble: string | null = null;

  constructor(channel: Channel, accept: Accept, { host, log }: { readonly host: Host; readonly log: Log }) {
    this.#channel = channel;
    this.#ended = this.#listen(accept, host, log);
  }

  /** Why it brings nothing in at the moment; null when all is well. */
  get trouble(): string | null {
    return this.#trouble;
  }

  /** Resolves when no update can come in any more. */
  async stop(): Promise<void> {
    this.#controller.abort();
    await this.#ended;
  }

  /** Listens until stopped: again after an unexpected error, not after one that only an operator can mend. */
  async #listen(accept: Accept, host: Host, log: Log): Promise<void> {
    const { signal } = this.#controller;
    for (let failures = 1; !signal.aborted; failures += 1) {
      try {
        await this.#channel.listen(async (update) => {
          const accepted = await accept(update);
          this.#trouble = null;
          failures = 1;
          return accepted;
        }, signal);
        return;
      } catch (error) {
        if (signal.aborted) return;
        this.#trouble = error instanceof Error ? error.message : String(error);
        log.error({ channel: this.#channel.id, err: error }, "the channel stopped listening");
        if (error instanceof SetupError) return;
        await pause(backoffMs(failures, host), host, signal);
      }
    }
  }
}

function pause(ms: number, host: Host, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const cancel = host.clock.after(ms, resolve);
    signal.addEventListener(
      "abort",
      () => {
        cancel();
        resolve();
      },
      { once: true },
    );
  });
}
