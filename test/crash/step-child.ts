/**
 * The journey behind the configured Telegram bot with an engine that takes steps, which kills itself like `crash-child.ts`:
 * `node step-child.ts <configuration> <point> <count> <marker>`. What a step does is a line in `steps.txt` beside the
 * configuration.
 */
import { appendFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createTelegramChannel, telegramOptions } from "../../src/channels/telegram/telegram-channel.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import type { Bot } from "../../src/core/bot.ts";
import type { Engine } from "../../src/core/engine.ts";
import { limits } from "../../src/core/limits.ts";
import { Journey } from "../../src/journey/journey.ts";
import { Listening } from "../../src/journey/listening.ts";
import { Worker } from "../../src/journey/worker.ts";
import { createLogger } from "../../src/logger.ts";
import { createMachine } from "../../src/machine.ts";
import { adapterSchemas } from "../../src/server.ts";
import { createFileFolder } from "../../src/storage/files/file-folder.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { lenient } from "../journey/world.ts";
import { crashAt } from "./crash-point.ts";
import { answerTo, markOf } from "./said.ts";

const [path = "", point = "", count = "", marker = ""] = process.argv.slice(2);
const config = await loadConfig({ path, env: process.env, schemas: adapterSchemas });
const folder = dirname(path);
const host = createMachine();
const log = createLogger("info", () => []);
const storage = await openSqliteStorage({ folder, host, as: "server" });

/** Looks something up and books it, for the messages of a turn, then answers each. */
const engine: Engine = {
  name: "agent:steps",
  async takeTurn({ messages, step }) {
    const texts = messages.map(({ parts }) => parts.map((part) => (part.kind === "text" ? part.text : "")).join(""));
    for (const name of ["look up", "book"]) {
      await step(name, async () => {
        appendFileSync(join(folder, "steps.txt"), `${name} ${texts.map(markOf).join()}\n`);
        return name;
      });
    }
    const answers = texts.map((text) => answerTo({ chat: "", mark: "", text }));
    return { drafts: answers.map((text) => ({ parts: [{ kind: "text", text }], replyTo: null })) };
  },
};

const [telegram] = config.bots.flatMap(({ id, channels }) =>
  channels
    .filter(({ platform }) => platform === "telegram")
    .map((channel) => ({ ...channel, botId: id, options: telegramOptions.parse(channel.options) })),
);
const channel = createTelegramChannel({ ...telegram!, host, log, webhookSecret: "" });
const bot: Bot = {
  id: telegram!.botId,
  name: "Steps",
  reviewers: [lenient],
  routes: [{ name: "default", when: {}, engine: engine.name, priority: 0 }],
  engines: new Map([[engine.name, engine]]),
  quietMs: 0,
};
const journey = new Journey({
  storage,
  files: createFileFolder(join(folder, "files")),
  directory: { findBot: () => bot, findChannel: () => channel },
  host,
  log,
  meter: { received: () => undefined, moved: () => undefined, stage: () => undefined, attempted: () => undefined },
  at: crashAt({ point, count: Number(count), marker }),
});
await journey.open();

const stopping = new AbortController();
const parts = { queue: storage, host, log };
const loops = [
  new Worker({
    ...parts,
    name: "inbox",
    lanesMax: limits.turnsMax,
    jobsMax: limits.turnMessagesMax,
    work: (lease, signal) => journey.takeTurn(lease, signal),
  }),
  new Worker({
    ...parts,
    name: "outbox",
    lanesMax: limits.deliveriesMax,
    jobsMax: limits.laneDeliveriesMax,
    work: (lease, signal, stopping) => journey.deliver(lease, signal, stopping),
  }),
].map((worker) => worker.run(stopping.signal));
const listening = new Listening(channel, journey.acceptFrom(channel), { host, log });

process.once("SIGTERM", async () => {
  await listening.stop();
  stopping.abort();
  await Promise.all(loops);
  await storage.close();
});
console.log(JSON.stringify({ url: "" }));
