import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Child, expectOk, freePort, newFolder, startChild } from "./child.ts";
import type { FakeBotApi } from "./fake-bot-api.ts";
import type { Webhook } from "./load-generator.ts";
import { findRedis, startRedis } from "./redis.ts";

/** A bot that is measured: fresh processes for every run. */
export interface System {
  readonly name: SystemName;
  /** What it is, with the versions of its parts. */
  readonly title: string;
  readonly needsRedis: boolean;
  start(api: FakeBotApi): Promise<RunningSystem>;
}

export type SystemName = "parley" | "grammy-bullmq" | "grammy-bullmq-in-process" | "grammy-plain" | "chat-sdk";

export interface RunningSystem {
  readonly webhook: Webhook;
  /** Resident memory of its process, without Redis. */
  rssMb(): number;
  stop(): Promise<void>;
}

export const root = fileURLToPath(new URL("..", import.meta.url));
const token = "1:bench-token";
const secret = "bench-webhook-secret";

export const systems: Readonly<Record<SystemName, System>> = {
  parley: { name: "parley", title: "Parley, local storage", needsRedis: false, start: startParley },
  "grammy-bullmq": peer({
    name: "grammy-bullmq",
    title: `grammY ${version("grammy")}, two BullMQ ${version("bullmq")} queues, order per chat by sharding`,
    needsRedis: true,
  }),
  "grammy-bullmq-in-process": peer({
    name: "grammy-bullmq-in-process",
    title: "the same, order per chat kept in the process",
    needsRedis: true,
  }),
  "grammy-plain": peer({
    name: "grammy-plain",
    title: `grammY ${version("grammy")} alone, nothing durable`,
    needsRedis: false,
  }),
  "chat-sdk": peer({
    name: "chat-sdk",
    title: `Vercel Chat SDK ${version("chat")}, \`queue\` strategy`,
    needsRedis: true,
  }),
};

async function startParley(api: FakeBotApi): Promise<RunningSystem> {
  const folder = newFolder();
  const port = await freePort();
  const child = await startChild({
    command: process.execPath,
    args: [join(root, "src/cli/main.ts"), "start", "--config", writeParleyConfig(folder, api)],
    env: parleyEnv(folder, port),
    folder,
    ready: () => expectOk(`http://127.0.0.1:${port}/readyz`),
  });
  return running(child, parleyWebhook(port), child.stop);
}

export function parleyEnv(folder: string, port: number): Record<string, string> {
  return { PARLEY_DATA_DIR: join(folder, "data"), PARLEY_PORT: String(port) };
}

export function parleyWebhook(port: number): Webhook {
  return { port, path: "/webhooks/bench-telegram", secret };
}

/** One bot on a webhook that answers with the `local` model. Only the rates are lifted, as the load is far over them. */
export function writeParleyConfig(folder: string, api: FakeBotApi): string {
  const path = join(folder, "parley.yaml");
  const config = {
    bots: {
      bench: {
        channels: {
          telegram: {
            platform: "telegram",
            token,
            apiRoot: api.url,
            mode: "webhook",
            webhookSecret: secret,
            rates: { perSecond: 1e6, perChatPerSecond: 1e6, perGroupPerMinute: 1e6 },
          },
        },
        routes: [{ agent: "assistant" }],
        review: { rules: { rate: { per_minute: 0, per_hour: 0 } } },
      },
    },
    agents: { assistant: { persona: { name: "Bench", role: "Assistant" }, engine: "local" } },
    engines: { local: { type: "local" } },
  };
  // JSON is YAML.
  writeFileSync(path, JSON.stringify(config, undefined, 2));
  return path;
}

function peer(what: { name: SystemName; title: string; needsRedis: boolean }): System {
  const script = fileURLToPath(new URL(`./peers/${what.name}.ts`, import.meta.url));
  const start = async (api: FakeBotApi): Promise<RunningSystem> => {
    const found = findRedis();
    if (what.needsRedis && found === undefined) throw new Error(`${what.name} needs a Redis.`);
    const redis = what.needsRedis && found !== undefined ? await startRedis(found) : undefined;
    const port = await freePort();
    const child = await startChild({
      command: process.execPath,
      args: [script],
      env: {
        NODE_ENV: "production",
        BENCH_API_ROOT: api.url,
        BENCH_PORT: String(port),
        BENCH_TOKEN: token,
        BENCH_SECRET: secret,
        BENCH_REDIS_URL: redis?.url ?? "",
      },
      ready: () => expectOk(`http://127.0.0.1:${port}/readyz`),
    });
    return running(child, { port, path: "/webhook", secret }, async () => {
      await child.stop();
      await redis?.stop();
    });
  };
  return { ...what, start };
}

function running(child: Child, webhook: Webhook, stop: () => Promise<void>): RunningSystem {
  return { webhook, stop, rssMb: () => rssMb(child.pid) };
}

function rssMb(pid: number): number {
  return Number(execFileSync("ps", ["-o", "rss=", "-p", String(pid)], { encoding: "utf8" })) / 1_024;
}

function version(name: string): string {
  const manifest = readFileSync(join(root, "node_modules", name, "package.json"), "utf8");
  return (JSON.parse(manifest) as { version: string }).version;
}
