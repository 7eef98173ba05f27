import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as wait } from "node:timers/promises";

/** A program that is measured, or that a measured one needs. */
export interface Child {
  readonly pid: number;
  /** Asks it to end, ends it when it does not, and removes its folder. */
  stop(): Promise<void>;
}

export interface ChildOptions {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Where it runs, removed with it; a new one when it is not given. */
  readonly folder?: string;
  /** Asked until it does not throw. */
  readonly ready: () => Promise<void>;
}

const readyMaxMs = 20_000;
const stopMaxMs = 5_000;
/** With their folders. */
const running = new Map<ChildProcess, string>();

process.on("exit", () => {
  for (const [child, folder] of running) {
    signalGroup(child, "SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(1));

/** Starts a program with its output in `<folder>/log` and resolves when it is ready. Throws with that output when it ends. */
export async function startChild(options: ChildOptions): Promise<Child> {
  const folder = options.folder ?? newFolder();
  const log = openSync(join(folder, "log"), "a");
  const child = spawn(options.command, options.args, {
    cwd: folder,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", log, log],
    // A process group of its own, so that a signal reaches what it starts as well.
    detached: true,
  });
  closeSync(log);
  running.set(child, folder);
  const exited = once(child, "exit").catch(() => undefined);
  const stop = async (): Promise<void> => {
    signalGroup(child, "SIGTERM");
    const force = setTimeout(() => signalGroup(child, "SIGKILL"), stopMaxMs);
    await exited;
    clearTimeout(force);
    // What it started and left behind, if anything.
    signalGroup(child, "SIGKILL");
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    running.delete(child);
  };
  try {
    await untilReady(options.ready, child);
  } catch (error) {
    const output = readFileSync(join(folder, "log"), "utf8").slice(-2_000);
    await stop();
    throw new Error(`${options.command} ${options.args.join(" ")} did not get ready. It said: ${output}`, {
      cause: error,
    });
  }
  return { pid: child.pid!, stop };
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended.
  }
}

async function untilReady(ready: () => Promise<void>, child: ChildProcess): Promise<void> {
  const lastTryAt = performance.now() + readyMaxMs;
  for (;;) {
    try {
      return await ready();
    } catch (error) {
      const hasEnded = child.exitCode !== null || child.signalCode !== null;
      if (hasEnded || performance.now() > lastTryAt) throw error;
      await wait(10);
    }
  }
}

/** For `ChildOptions.ready`: passes when a GET answers 200. */
export async function expectOk(url: string): Promise<void> {
  const response = await fetch(url);
  await response.arrayBuffer();
  if (response.status !== 200) throw new Error(`${url} answers ${response.status}.`);
}

export function newFolder(): string {
  return mkdtempSync(join(tmpdir(), "parley-bench-"));
}

/** Listens on loopback and returns the port. */
export async function listenOnFreePort(server: Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("The server has no port.");
  return address.port;
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOnFreePort(server);
  server.close();
  await once(server, "close");
  return port;
}
