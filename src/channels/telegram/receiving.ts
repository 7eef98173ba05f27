import type { Accept } from "../../core/channel.ts";
import type { Log } from "../../core/log.ts";
import type { Fields } from "./json-fields.ts";
import type { TelegramApi } from "./telegram-api.ts";
import { callbackQueryId } from "./update-mapping.ts";

/** Presses of buttons that are being answered at once; over it one stays unanswered and its button shines a while. */
const answersMax = 1_000;

/**
 * Tells Telegram that a button's press arrived, so that the button stops shining: after the press is on disk, and without
 * anybody waiting for it. Telegram takes the answer only for a short while, and it says nothing, so a failure is no harm.
 */
export class PressAnswers {
  readonly #api: TelegramApi;
  readonly #log: Log;
  #running = 0;

  constructor(api: TelegramApi, log: Log) {
    this.#api = api;
    this.#log = log;
  }

  answer(raw: Fields): void {
    const id = callbackQueryId(raw);
    if (id === null || this.#running >= answersMax) return;
    this.#running += 1;
    void this.#api.call("answerCallbackQuery", { callback_query_id: id }).then((answer) => {
      this.#running -= 1;
      if (answer.kind !== "ok") this.#log.debug({ outcome: answer.kind }, "The press of a button was not answered.");
    });
  }
}

export interface Receiving {
  readonly accept: Accept;
  readonly presses: PressAnswers;
  readonly log: Log;
  /** The bot's own id at Telegram, to know its own messages by; null when the token does not tell. */
  readonly botUserId: string | null;
}
