import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Redis } from "ioredis";
import { freePort, startChild } from "./child.ts";

export interface RedisServer {
  readonly url: string;
  stop(): Promise<void>;
}

/** `REDIS_URL`, or the server program that is started for each run, or undefined when there is neither. */
export function findRedis(): string | undefined {
  return process.env.REDIS_URL ?? findProgram("redis-server") ?? findProgram("valkey-server");
}

/**
 * An empty server that keeps its data as its makers advise: an append-only file, synced every second. One that was given
 * by `REDIS_URL` keeps it as it was told to, and is left with the peers' keys, which begin with `parley-bench-`.
 */
export async function startRedis(found: string): Promise<RedisServer> {
  if (found === process.env.REDIS_URL) return { url: found, stop: async () => undefined };
  const port = await freePort();
  const url = `redis://127.0.0.1:${port}`;
  const settings = { port, bind: "127.0.0.1", dir: ".", save: "", appendonly: "yes", appendfsync: "everysec" };
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const server = await startChild({ command: found, args, ready: () => ping(url) });
  return { url, stop: server.stop };
}

async function ping(url: string): Promise<void> {
  const client = new Redis(url, { lazyConnect: true, retryStrategy: () => null });
  client.on("error", () => undefined);
  try {
    await client.connect();
    await client.ping();
  } finally {
    client.disconnect();
  }
}

function findProgram(name: string): string | undefined {
  return (process.env.PATH ?? "")
    .split(delimiter)
    .map((folder) => join(folder, name))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
