import type { Readable } from "node:stream";
import type { Dispatcher } from "undici";

/** How an HTTP call ended, by whether the other side may have acted on it. */
export type Exchange =
  | { readonly kind: "answered"; readonly status: number; readonly retryAfter: string | null; readonly body: string }
  /** Not a byte was handed to a connection. */
  | { readonly kind: "notSent"; readonly cause: Error }
  /** It was on its way when it broke. */
  | { readonly kind: "broken"; readonly cause: Error };

export interface ExchangeRequest {
  readonly path: string;
  readonly contentType: string;
  readonly body: string | Readable;
  /** Longest wait for the answer to begin. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** Telegram's own limit for an answer is 4 MiB. */
const answerBytesMax = 8 * 1024 * 1024;
const answerMs = 30_000;

/**
 * Posts and reads the answer. Uses `dispatch`, which is many times faster than `fetch` and tells when a request is
 * handed to a connection: what failed before that was certainly not received. Never rejects.
 */
export function exchange(dispatcher: Dispatcher, request: ExchangeRequest): Promise<Exchange> {
  return new Promise((resolve) => {
    const handler = new ExchangeHandler(resolve, request.signal);
    if (handler.isOver) return;
    dispatcher.dispatch(
      {
        method: "POST",
        path: request.path,
        headers: ["content-type", request.contentType],
        body: request.body,
        headersTimeout: request.timeoutMs,
        bodyTimeout: answerMs,
      },
      handler,
    );
  });
}

class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #resolve: (exchange: Exchange) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #onAbort = () => this.#abort(new Error("The call was aborted."));
  #controller: Dispatcher.DispatchController | null = null;
  #status = 0;
  #retryAfter: string | null = null;
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  isOver = false;

  constructor(resolve: (exchange: Exchange) => void, signal: AbortSignal | undefined) {
    this.#resolve = resolve;
    this.#signal = signal;
    if (signal === undefined) return;
    signal.addEventListener("abort", this.#onAbort);
    if (signal.aborted) this.#onAbort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // It was aborted while it waited for a connection: thrown here, it is not written.
    if (this.isOver) throw new Error("The call was aborted before it was sent.");
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#status = status;
    const retryAfter = headers["retry-after"];
    this.#retryAfter = typeof retryAfter === "string" ? retryAfter : null;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#bytes += chunk.length;
    if (this.#bytes > answerBytesMax) this.#abort(new Error(`The answer has more than ${answerBytesMax} bytes.`));
  }

  onResponseEnd(): void {
    const body = (this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks))?.toString("utf8") ?? "";
    this.#end({ kind: "answered", status: this.#status, retryAfter: this.#retryAfter, body });
  }

  onResponseError(_controller: Dispatcher.DispatchController, cause: Error): void {
    this.#end({ kind: this.#controller === null ? "notSent" : "broken", cause });
  }

  #abort(cause: Error): void {
    const controller = this.#controller;
    this.#end({ kind: controller === null ? "notSent" : "broken", cause });
    controller?.abort(cause);
  }

  #end(outcome: Exchange): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    this.#resolve(outcome);
  }
}

type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;
