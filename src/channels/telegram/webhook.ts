import { hash, timingSafeEqual } from "node:crypto";
import type { WebhookRequest, WebhookResponse } from "../../core/channel.ts";
import { SetupError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import { type Fields, fieldsOf } from "./json-fields.ts";
import { pause } from "./pause.ts";
import type { Receiving } from "./receiving.ts";
import type { TelegramApi } from "./telegram-api.ts";
import { mapUpdate, updateIdOf, wantedUpdates } from "./update-mapping.ts";

const secretHeader = "x-telegram-bot-api-secret-token";
const connectionsMax = 100;
const retryMs = 5_000;

/** Whether a request carries the secret that Telegram was given with the webhook. Takes the same time for any guess. */
export class WebhookSecret {
  readonly #digest: Buffer;

  constructor(secret: string) {
    this.#digest = hash("sha256", secret, "buffer");
  }

  isIn(headers: WebhookRequest["headers"]): boolean {
    const given = headers[secretHeader];
    return typeof given === "string" && timingSafeEqual(hash("sha256", given, "buffer"), this.#digest);
  }
}

/**
 * See `WebhookChannel.handleWebhook`. Anything but 2xx makes Telegram send the update again, later updates of the same
 * chat waiting behind it.
 */
export async function receiveWebhook(
  receiving: Receiving,
  secret: WebhookSecret,
  request: WebhookRequest,
): Promise<WebhookResponse> {
  const { accept, presses, log, botUserId } = receiving;
  if (!secret.isIn(request.headers)) return { status: 401, body: "The secret token is missing or wrong." };
  const raw = parsed(request.body);
  const updateId = updateIdOf(raw);
  if (raw === null || updateId === null) return { status: 400, body: "The body is not an update." };
  const update = mapUpdate(raw, updateId, botUserId);
  try {
    if (update !== null) await accept(update);
  } catch (error) {
    log.warn({ err: error, updateId }, "An update could not be stored; Telegram is told to send it again.");
    return { status: 503, body: "The update could not be stored; send it again." };
  }
  presses.answer(raw);
  return { status: 200, body: "" };
}

function parsed(body: Uint8Array): Fields | null {
  try {
    return fieldsOf(JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8")));
  } catch {
    return null;
  }
}

export interface WebhookAddress {
  readonly url: string;
  readonly secret: string;
}

/**
 * Tells Telegram where to send updates, as often as it takes.
 *
 * @throws SetupError when Telegram will not have the address, or does not know the token.
 */
export async function setWebhook(
  { api, host, log }: { readonly api: TelegramApi; readonly host: Pick<Host, "clock">; readonly log: Receiving["log"] },
  { url, secret }: WebhookAddress,
  signal: AbortSignal,
): Promise<void> {
  const params = { url, secret_token: secret, allowed_updates: wantedUpdates, max_connections: connectionsMax };
  while (!signal.aborted) {
    const answer = await api.call("setWebhook", params, { signal });
    if (answer.kind === "ok") return log.info({}, "The webhook is set: Telegram sends its updates here.");
    if (signal.aborted) return;
    const isRefused = answer.kind === "refused";
    if (isRefused && answer.code !== 429 && answer.code !== 503) {
      const remedy = answer.code === 400 ? 'Check "webhookUrl"' : 'Check "token"';
      throw new SetupError(`Telegram did not take the webhook (${answer.code}: ${answer.description}). ${remedy}.`);
    }
    const reason = isRefused ? answer.description : answer.reason;
    log.warn({ reason }, "The webhook could not be set; it is tried again.");
    await pause(isRefused && answer.code === 429 ? answer.retryAfterMs : retryMs, host.clock, signal);
  }
}
