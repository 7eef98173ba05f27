import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { limits } from "../../src/core/limits.ts";

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
/** A start on a machine with much else to do; whoever takes longer hangs. */
const startMs = 60_000;
/** What the server gives itself, and some more for a machine with much else to do. */
const stopMs = limits.stopMs + 20_000;
const lastLinesMax = 40;

/** A server in a process of its own, watched from outside: what it prints, and how it ends. */
export class ChildServer {
  /** The address that it printed when it was up. Rejects when it ended before. */
  readonly ready: Promise<string>;
  readonly ended: Promise<Ended>;
  readonly #process: ChildProcess;
  readonly #lastLines: string[] = [];
  /** Called with each line of its log. */
  readonly #listeners = new Set<() => void>();

  /** @param args Of Node: a program, then its arguments. It prints one line of JSON, `{url}`, when it is up. */
  constructor(args: readonly string[]) {
    // Nothing of this machine's settings: the configuration says it all.
    const env = { PATH: process.env.PATH, HOME: process.env.HOME };
    const child = spawn(process.execPath, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    this.#process = child;
    this.ended = once(child, "close").then(([code, signal]) => ({ code, signal }));
    createInterface(child.stderr).on("line", (line) => {
      this.#lastLines.push(line);
      if (this.#lastLines.length > lastLinesMax) this.#lastLines.shift();
      for (const listener of this.#listeners) listener();
    });
    const overdue = AbortSignal.timeout(startMs);
    const line = once(createInterface(child.stdout), "line", { signal: overdue }).catch(() => {
      child.kill("SIGKILL");
      throw this.error(`was not up within ${startMs / 1_000} seconds`);
    });
    const tooEarly = this.ended.then(({ code, signal }) => {
      throw this.error(`ended with ${signal ?? code} before it was up`);
    });
    this.ready = Promise.race([line.then(([text]) => this.#urlIn(String(text))), tooEarly]);
    this.ready.catch(() => undefined);
  }

  /** Ends it as a crash would. */
  async kill(): Promise<Ended> {
    this.#process.kill("SIGKILL");
    return this.ended;
  }

  /** Asks it to end, and rejects when it does not, or not well. */
  async stop(): Promise<void> {
    this.#process.kill("SIGTERM");
    const overdue = AbortSignal.timeout(stopMs);
    const tooLate = once(overdue, "abort").then(() => {
      throw this.error(`did not stop within ${stopMs / 1_000} seconds`);
    });
    const { code, signal } = await Promise.race([this.ended, tooLate]);
    if (code !== 0) throw this.error(`did not stop well: it ended with ${signal ?? code}`);
  }

  /**
   * Resolves when the condition holds, which is looked at whenever the server logs something, or after `limitMs`: then the
   * account of what was done shows what was not. Rejects when the server ends before.
   */
  async until(condition: () => boolean, limitMs: number): Promise<void> {
    const held = Promise.withResolvers<void>();
    const look = (): void => {
      try {
        if (condition()) held.resolve();
      } catch (error) {
        held.reject(error);
      }
    };
    const overdue = setTimeout(held.resolve, limitMs);
    this.#listeners.add(look);
    look();
    const tooEarly = this.ended.then(({ code, signal }) => {
      throw this.error(`ended with ${signal ?? code} before its work was done`);
    });
    try {
      await Promise.race([held.promise, tooEarly]);
    } finally {
      clearTimeout(overdue);
      this.#listeners.delete(look);
    }
  }

  #urlIn(line: string): string {
    const { url, error } = JSON.parse(line);
    if (typeof url !== "string") throw this.error(`did not start: ${error?.message}`);
    return url;
  }

  /** With the end of its log, which says why. */
  error(what: string): Error {
    return new Error(`The server ${what}. It said last:\n${this.#lastLines.join("\n")}`);
  }
}
