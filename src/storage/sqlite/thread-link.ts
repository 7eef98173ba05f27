import { Worker } from "node:worker_threads";
import { BugError, SetupError, StorageError } from "../../core/errors.ts";
import type { Answers, Call, CallOf, Reply } from "./calls.ts";

/** Each call and each reply is JSON of its own: many short texts cross more cheaply than a long one or than objects. */
export type ToThread = { readonly kind: "calls"; readonly calls: readonly string[] } | { readonly kind: "close" };

export type FromThread =
  | { readonly kind: "opened" }
  | { readonly kind: "refused"; readonly message: string; readonly cause: string }
  /** JSON of `Reply`, for the oldest calls without one. */
  | { readonly kind: "replies"; readonly replies: readonly string[] };

interface Asked {
  resolve(answer: Answers[Call["kind"]]): void;
  reject(error: Error): void;
}

/** Calls that may wait for the database at once. */
const askedMax = 50_000;

/**
 * Batches that the thread may have at once: what waits there when a commit ends goes into the next one. What is asked
 * beyond that goes over together when one is done, so that the busier it is, the more calls share a message.
 */
const batchesMax = 4;

/** So many calls go over before the turn of the event loop ends, so that both threads work at once. */
const earlyBatch = 64;

/** The main thread's end of the database's thread. Calls go over in order, those of one turn of the event loop together. */
export class ThreadLink {
  readonly #worker: Worker;
  /** Without a reply, oldest first. */
  #asked: Asked[] = [];
  /** Calls as JSON that have yet to go over. */
  #unsent: string[] = [];
  /** How many calls each batch has that is over there. */
  readonly #batches: number[] = [];
  /** Why nothing more can be asked. */
  #ended: StorageError | undefined;
  readonly #exited: Promise<void>;

  private constructor(worker: Worker) {
    this.#worker = worker;
    worker.on("message", (message: FromThread) => {
      if (message.kind === "replies") this.#receive(message.replies);
    });
    worker.on("error", (cause) => this.#end("The database's thread failed: restart Parley.", cause));
    this.#exited = new Promise((resolve) => {
      worker.on("exit", () => {
        this.#end("The database's thread has ended: restart Parley.");
        resolve();
      });
    });
  }

  /**
   * Throws `SetupError` when the database cannot be opened.
   *
   * @param isOnlyServer No other process can hold a lease: those that there are were left behind.
   */
  static async open(path: string, isOnlyServer: boolean): Promise<ThreadLink> {
    const worker = new Worker(new URL("./database-thread.ts", import.meta.url), { workerData: { path, isOnlyServer } });
    await new Promise<void>((resolve, reject) => {
      worker.once("error", reject);
      worker.once("message", (message: FromThread) => {
        worker.off("error", reject);
        if (message.kind !== "refused") return resolve();
        reject(new SetupError(message.message, { cause: message.cause }));
      });
    });
    return new ThreadLink(worker);
  }

  /** Rejects with `BugError` or `StorageError`; then nothing was written. */
  ask<Kind extends Call["kind"]>(call: CallOf<Kind>): Promise<Answers[Kind]> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    if (this.#asked.length >= askedMax) {
      return Promise.reject(new StorageError(`${askedMax} calls wait for the database already: try again later.`));
    }
    return new Promise((resolve, reject) => {
      this.#asked.push({ resolve: resolve as Asked["resolve"], reject });
      // Now, not when it goes over: the caller may change what it gave as soon as it has the promise.
      this.#unsent.push(JSON.stringify(call));
      if (this.#unsent.length === 1) setImmediate(() => this.#sendWhenFree());
      if (this.#unsent.length === earlyBatch) this.#sendWhenFree();
    });
  }

  /** Waits for the replies to what was asked before; what is asked later is rejected. */
  async close(): Promise<void> {
    this.#send();
    this.#ended ??= new StorageError("The storage was closed: nothing can be read or written any more.");
    this.#worker.postMessage({ kind: "close" } satisfies ToThread);
    await this.#exited;
  }

  #sendWhenFree(): void {
    if (this.#batches.length < batchesMax) this.#send();
  }

  #send(): void {
    if (this.#unsent.length === 0) return;
    this.#batches.push(this.#unsent.length);
    this.#worker.postMessage({ kind: "calls", calls: this.#unsent } satisfies ToThread);
    this.#unsent = [];
  }

  #receive(replies: readonly string[]): void {
    const asked = this.#asked.splice(0, replies.length);
    for (let left = replies.length; left > 0; ) left -= this.#batches.shift() ?? left;
    for (const [index, json] of replies.entries()) {
      const reply = JSON.parse(json) as Reply;
      if (reply.kind === "answer") asked[index]?.resolve(reply.answer);
      else asked[index]?.reject(errorOf(reply));
    }
    // After what these answers lead to, so that it goes along.
    if (this.#unsent.length > 0) setImmediate(() => this.#sendWhenFree());
  }

  #end(message: string, cause?: unknown): void {
    this.#ended ??= new StorageError(message, { cause });
    const unanswered = this.#asked;
    this.#asked = [];
    for (const { reject } of unanswered) reject(this.#ended);
  }
}

function errorOf({ kind, message, cause }: Exclude<Reply, { kind: "answer" }>): Error {
  return kind === "storage" ? new StorageError(message, { cause }) : new BugError(message, { cause });
}
