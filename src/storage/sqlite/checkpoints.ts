import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Worker } from "node:worker_threads";

/** Commits between two looks at the log. */
const lookEvery = 16;

export interface LogBounds {
  /** Pages of the log that have yet to reach the database, from which on the thread brings them there. */
  readonly wantedPages: number;
  /** Pages of the whole log from which on the writer itself brings the rest over, so that it begins anew. */
  readonly pagesMax: number;
}

/** 4 and 64 MB. */
const usual: LogBounds = { wantedPages: 1_024, pagesMax: 16_384 };

/**
 * Keeps the write-ahead log short. Another thread copies its pages into the database while commits go on; only what was
 * written meanwhile is left for the writer, once the log is long.
 */
export class Checkpoints {
  readonly #path: string;
  readonly #bounds: LogBounds;
  readonly #look: StatementSync;
  readonly #copy: StatementSync;
  #commitCount = 0;
  /** Made when it is first needed: commands rarely write that much. */
  #thread: { readonly worker: Worker; readonly exited: Promise<void> } | undefined;
  #isCopying = false;

  constructor(database: DatabaseSync, path: string, bounds = usual) {
    this.#path = path;
    this.#bounds = bounds;
    this.#look = database.prepare("PRAGMA wal_checkpoint(NOOP)");
    this.#copy = database.prepare("PRAGMA wal_checkpoint(PASSIVE)");
  }

  /** To be called after each commit. Never throws: a disk in trouble shows itself in the next commit. */
  committed(): void {
    this.#commitCount += 1;
    if (this.#commitCount % lookEvery !== 0) return;
    try {
      const { log, checkpointed } = this.#look.get() as { log: number; checkpointed: number };
      if (log > this.#bounds.pagesMax) this.#copy.get();
      else if (log - checkpointed > this.#bounds.wantedPages) this.#copyElsewhere();
    } catch {
      // The log is longer for a while.
    }
  }

  /** Waits for what the thread copies. */
  async close(): Promise<void> {
    this.#thread?.worker.postMessage("close");
    await this.#thread?.exited;
  }

  #copyElsewhere(): void {
    if (this.#isCopying) return;
    this.#isCopying = true;
    this.#thread ??= this.#start();
    this.#thread.worker.postMessage("copy");
  }

  #start(): { worker: Worker; exited: Promise<void> } {
    const worker = new Worker(new URL("./checkpoint-thread.ts", import.meta.url), { workerData: { path: this.#path } });
    worker.on("message", () => {
      this.#isCopying = false;
    });
    // Without the thread, the writer does its work when the log is long.
    worker.on("error", () => undefined);
    const exited = new Promise<void>((resolve) => {
      worker.once("exit", () => resolve());
    });
    return { worker, exited };
  }
}
