import { Pool } from "undici";
import type { Host } from "../../core/host.ts";
import { type Exchange, exchange } from "./http-exchange.ts";
import { type Fields, fieldsOf, idOf, numberOf, textOf } from "./json-fields.ts";
import { multipartBody, type Upload } from "./multipart.ts";

/** What came of a call, by what is known of its effect. */
export type Answer = { readonly kind: "ok"; readonly result: unknown } | Failure;

export type Failure =
  /** Telegram said no, and did nothing. */
  | Refusal
  /** Telegram did not get it, or something before it turned it away. */
  | { readonly kind: "notTaken"; readonly reason: string; readonly cause?: Error }
  /** Telegram may have done it. */
  | { readonly kind: "unclear"; readonly reason: string; readonly cause?: Error };

interface Refusal {
  readonly kind: "refused";
  /** Telegram's `error_code`, an HTTP status. */
  readonly code: number;
  readonly description: string;
  /** With code 429. */
  readonly retryAfterMs: number;
  /** The chat's new id, where it has one. */
  readonly movedTo: string | null;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  /** Longest wait for the answer to begin. */
  readonly timeoutMs?: number;
  readonly upload?: Upload;
}

const callMs = 30_000;
const connectionsMax = 128;
/** When Telegram, or something before it, asks to wait and does not say how long. */
const retryDefaultMs = 5_000;

/** Telegram's Bot API. Its addresses hold the token, so none is in any answer, error or log line. */
export class TelegramApi {
  readonly #token: string;
  readonly #root: string;
  readonly #pool: Pool;
  readonly #host: Pick<Host, "newId">;

  /** @param apiRoot `https://api.telegram.org`, or where a local Bot API server listens; may have a path. */
  constructor(token: string, apiRoot: string, host: Pick<Host, "newId">) {
    const url = new URL(apiRoot);
    this.#token = token;
    this.#root = url.pathname.replace(/\/+$/, "");
    this.#host = host;
    this.#pool = new Pool(url.origin, { connections: connectionsMax, allowH2: false });
  }

  /** Never rejects. */
  async call(method: string, params: Fields, options: CallOptions = {}): Promise<Answer> {
    const { signal, timeoutMs = callMs, upload } = options;
    const path = `${this.#root}/bot${this.#token}/${method}`;
    if (upload === undefined) {
      const body = JSON.stringify(params);
      return this.#answer(
        await exchange(this.#pool, { path, contentType: "application/json", body, timeoutMs, signal }),
      );
    }
    const boundary = this.#host.newId("parley");
    const body = multipartBody(params, upload, boundary);
    const contentType = `multipart/form-data; boundary=${boundary}`;
    const outcome = await exchange(this.#pool, { path, contentType, body, timeoutMs, signal });
    body.destroy();
    return this.#answer(outcome);
  }

  /**
   * The content of a file, as it comes.
   *
   * @param filePath From `getFile`.
   * @throws Error where the connection breaks, in the middle as well.
   */
  async download(
    filePath: string,
    signal: AbortSignal,
  ): Promise<{ readonly status: number; readonly body: AsyncIterable<Uint8Array> }> {
    const name = filePath.split("/").map(encodeURIComponent).join("/");
    const path = `${this.#root}/file/bot${this.#token}/${name}`;
    const { statusCode, body } = await this.#pool.request({ method: "GET", path, signal });
    // Frees the connection where nobody reads the body.
    if (statusCode !== 200) await body.dump();
    return { status: statusCode, body };
  }

  #answer(outcome: Exchange): Answer {
    if (outcome.kind === "notSent") {
      return { kind: "notTaken", reason: "Telegram could not be reached", cause: outcome.cause };
    }
    if (outcome.kind === "broken") {
      return { kind: "unclear", reason: "the connection broke before Telegram answered", cause: outcome.cause };
    }
    const body = parsed(outcome.body);
    if (body?.ok === true) return { kind: "ok", result: body.result };
    if (body?.ok === false) return this.#refusal(body, outcome);
    return unreadable(outcome);
  }

  /** Of 5xx only 503 says that nothing was done: on a restart calls in flight are answered 500, and done or not. */
  #refusal(body: Fields, { status, retryAfter }: { status: number; retryAfter: string | null }): Answer {
    const parameters = fieldsOf(body.parameters);
    const code = numberOf(body.error_code) ?? status;
    const description = this.#redacted(textOf(body.description) ?? `HTTP ${status}`);
    if (code >= 500 && code !== 503) return { kind: "unclear", reason: `Telegram failed: ${description}` };
    return {
      kind: "refused",
      code,
      description,
      retryAfterMs: retryMs(numberOf(parameters?.retry_after) ?? retryAfter),
      movedTo: idOf(parameters?.migrate_to_chat_id),
    };
  }

  /** Telegram has no reason to repeat the token; a gateway in between may. */
  #redacted(text: string): string {
    return text.replaceAll(this.#token, "…").slice(0, 300);
  }
}

function parsed(body: string): Fields | null {
  try {
    return fieldsOf(JSON.parse(body));
  } catch {
    return null;
  }
}

/** An answer that is not Telegram's: from a proxy, or from a wrong `apiRoot`. */
function unreadable({ status, retryAfter }: { status: number; retryAfter: string | null }): Answer {
  const reason = `the answer was HTTP ${status} without the Bot API's JSON`;
  if (status === 429 || status === 503 || status === 413) {
    return { kind: "refused", code: status, description: reason, retryAfterMs: retryMs(retryAfter), movedTo: null };
  }
  const isTurnedAway = status >= 300 && status < 500;
  return isTurnedAway ? { kind: "notTaken", reason } : { kind: "unclear", reason };
}

function retryMs(seconds: number | string | null): number {
  const ms = Number(seconds ?? Number.NaN) * 1_000;
  return ms > 0 && Number.isFinite(ms) ? ms : retryDefaultMs;
}
