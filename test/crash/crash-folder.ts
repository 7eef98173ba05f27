import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FakeTelegram } from "../platforms/telegram/fake-telegram.ts";

export const webhookSecret = "a-secret-of-the-crash-tests";

/** A folder with the configuration of one bot, which is also where its server keeps its data. */
export interface CrashFolder {
  readonly path: string;
  readonly config: string;
  /** For `ParleyDatabase`. */
  readonly database: string;
  remove(): Promise<void>;
}

/** The bot repeats each message, on Telegram (the fake one) and on the web. */
export async function makeCrashFolder(fake: FakeTelegram, mode: "poll" | "webhook"): Promise<CrashFolder> {
  const path = await mkdtemp(join(tmpdir(), "parley-crash-"));
  const config = join(path, "parley.yaml");
  const fast = { perSecond: 100_000, perChatPerSecond: 100_000, perGroupPerMinute: 6_000_000 };
  const telegram = {
    platform: "telegram",
    token: fake.token,
    apiRoot: fake.url,
    mode,
    rates: fast,
    ...(mode === "webhook" ? { webhookSecret } : {}),
  };
  const parley = {
    server: { port: 0 },
    storage: { local: { base_path: "." } },
    bots: {
      demo: {
        channels: { telegram, web: { platform: "web" } },
        routes: [{ agent: "echo" }],
        review: { rules: { rate: { per_minute: 0, per_hour: 0 } } },
      },
    },
    agents: { echo: { persona: { name: "Echo", role: "echo" }, engine: "local" } },
    engines: { local: { type: "local" } },
  };
  // JSON is YAML.
  await writeFile(config, JSON.stringify(parley));
  return {
    path,
    config,
    database: join(path, "parley.db"),
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
