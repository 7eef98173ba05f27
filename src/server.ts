import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Readiness } from "./api/http-parts.ts";
import { createHttpServer } from "./api/http-server.ts";
import { createMetrics, type Metrics } from "./api/metrics.ts";
import { createTelegramChannel, telegramOptions } from "./channels/telegram/telegram-channel.ts";
import { createWebChannel, type WebChannel, webOptions, webUpdate } from "./channels/web/web-channel.ts";
import { webRoutes } from "./channels/web/web-routes.ts";
import type { BotConfig, ChannelConfig, Config } from "./config/config.ts";
import type { AdapterSchemas } from "./config/config-schema.ts";
import { loadSecrets, type Secrets } from "./config/secrets.ts";
import { watchConfig } from "./config/watch-config.ts";
import type { Bot } from "./core/bot.ts";
import type { Channel } from "./core/channel.ts";
import type { Engine } from "./core/engine.ts";
import { must, SetupError } from "./core/errors.ts";
import type { Files } from "./core/files.ts";
import type { Cancel, Host } from "./core/host.ts";
import type { BotId } from "./core/ids.ts";
import { limits } from "./core/limits.ts";
import type { Log } from "./core/log.ts";
import type { Model } from "./core/model.ts";
import type { Reviewer } from "./core/reviewer.ts";
import type { Storage } from "./core/store.ts";
import { createAgentEngine } from "./engines/agent/agent-engine.ts";
import { Journey } from "./journey/journey.ts";
import type { At } from "./journey/meter.ts";
import { Worker } from "./journey/worker.ts";
import { createLogger, type Logger } from "./logger.ts";
import { createMachine } from "./machine.ts";
import { createLocalModel, localModelOptions } from "./models/local/local-model.ts";
import { rulesOptions } from "./reviewers/rules/rules-options.ts";
import { createRulesReviewer } from "./reviewers/rules/rules-reviewer.ts";
import { Roster } from "./roster.ts";
import { createFileFolder } from "./storage/files/file-folder.ts";
import { MemoryStorage } from "./storage/memory/memory-storage.ts";
import { openSqliteStorage } from "./storage/sqlite/sqlite-storage.ts";

/** What each adapter lets be configured. */
export const adapterSchemas: AdapterSchemas = {
  platforms: { web: webOptions, telegram: telegramOptions },
  reviewers: { rules: rulesOptions },
  models: { local: localModelOptions },
};

/** What commands need that look at the data, or decide on it, beside a running server or without one. */
export interface Data {
  readonly storage: Storage;
  readonly files: Files;
  readonly host: Host;
}

/**
 * Opens the data that a configuration names. Throws `SetupError`. Close `storage` when done.
 *
 * @param as The one server of a data folder, or a command beside it.
 */
export async function openData(config: Config, as: "server" | "command"): Promise<Data> {
  const host = createMachine();
  const folder = config.dataFolder;
  const storage =
    config.storage.kind === "memory" ? new MemoryStorage(host) : await openSqliteStorage({ folder, host, as });
  return { storage, files: createFileFolder(join(folder, "files")), host };
}

/** The channels that a configuration names, not listening: for `doctor`. */
export async function openChannels(config: Config, host: Host, log: Log): Promise<readonly Channel[]> {
  const secrets = await loadSecrets(config.dataFolder);
  return config.bots.flatMap((bot) =>
    bot.channels.map((channel) => createChannel(channel, bot.id, { host, log, secrets })),
  );
}

export interface RunningServer {
  readonly url: string;
  /** Takes in nothing more, finishes what it began within `limits.stopMs`, and lets go of everything. */
  stop(): Promise<void>;
}

export interface ServerOptions {
  /** For the crash tests: see `At`. */
  readonly at?: At;
  readonly env: NodeJS.ProcessEnv;
  readonly logger?: Logger;
}

/** Runs everything that a configuration names, in this process. Throws `SetupError` when that cannot be. */
export async function startServer(config: Config, options: ServerOptions): Promise<RunningServer> {
  let current = config;
  let configSecrets = secretsOf(config);
  const log = options.logger ?? createLogger(config.log.level, () => configSecrets);
  const data = await openData(config, "server");
  const { storage, host } = data;
  const secrets = await loadSecrets(config.dataFolder);
  const metrics = createMetrics();
  const webChannels = new Map<BotId, WebChannel>();
  const roster: Roster = new Roster({
    host,
    log,
    createBot,
    createChannel: (channel, botId) => {
      const created = createChannel(channel, botId, { host, log, secrets });
      if (isWebChannel(created)) webChannels.set(botId, created);
      return created;
    },
    acceptFrom: (channel) => journey.acceptFrom(channel),
  });
  const at = options.at ?? (() => undefined);
  const journey = new Journey({ ...data, directory: roster, log, meter: metrics, at });
  await journey.open();
  const housekeeping = keepHouse(storage, host, log);
  const http = await createHttp(journey, { ...data, roster, metrics, log, webChannels, secrets, housekeeping });
  await listen(http, config);
  await roster.become(config);

  const stopping = new AbortController();
  const loops = createWorkers(journey, data, log).map((worker) => worker.run(stopping.signal));
  const stopWatching = watchConfig({
    config,
    env: options.env,
    schemas: adapterSchemas,
    clock: host.clock,
    changed: (changed) => {
      warnOfRestart(current, changed, log);
      current = changed;
      configSecrets = secretsOf(changed);
      roster.become(changed).then(
        () => log.info({ path: changed.path }, "the changed configuration is in use"),
        (error: unknown) => log.error({ err: error }, "the changed configuration could not be put to use"),
      );
    },
    failed: (error) => log.error({ err: error }, "the changed configuration is not used; the last good one stays"),
  });
  return {
    url: urlOf(http.server.address(), config),
    stop: once(async () => {
      stopWatching();
      await roster.stop();
      stopping.abort();
      await Promise.all(loops);
      await http.close();
      housekeeping.stop();
      await storage.close();
      log.flush();
    }),
  };
}

interface HttpSources extends Data {
  readonly roster: Roster;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly webChannels: ReadonlyMap<BotId, WebChannel>;
  readonly secrets: Secrets;
  readonly housekeeping: Housekeeping;
}

async function createHttp(journey: Journey, sources: HttpSources): Promise<FastifyInstance> {
  const { storage, files, host, roster, metrics, log, webChannels, secrets, housekeeping } = sources;
  return createHttpServer({
    store: storage,
    files,
    host,
    log,
    metrics,
    directory: roster,
    accept: (channel, update) => journey.acceptFrom(channel)(update),
    messageUpdate: webUpdate,
    registerExtra: async (app) => {
      const { cookieSecret } = secrets;
      await app.register(webRoutes({ channels: webChannels, store: storage, files, host, cookieSecret }));
    },
    readiness: async () => [
      await storageReadiness(storage, housekeeping.trouble),
      ...roster
        .troubles()
        .map(({ channelId, trouble }) => ({ name: channelId, ok: trouble === null, detail: trouble })),
    ],
  });
}

function createWorkers(journey: Journey, { storage, host }: Data, log: Log): readonly Worker[] {
  const parts = { queue: storage, host, log };
  return [
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
  ];
}

function createBot(config: BotConfig, all: Config): Bot {
  return {
    id: config.id,
    name: config.name,
    reviewers: config.reviewers.map(({ name, options }) => createReviewer(name, options)),
    routes: config.routes,
    engines: new Map(all.agents.map((agent) => createAgent(agent, all)).map((engine) => [engine.name, engine])),
    quietMs: config.quietMs,
  };
}

function createReviewer(name: string, options: unknown): Reviewer {
  must(name === "rules", `There is no reviewer "${name}".`);
  return createRulesReviewer(rulesOptions.parse(options));
}

function createAgent({ id, persona, engine }: Config["agents"][number], { engines }: Config): Engine {
  const model = engines.find((candidate) => candidate.id === engine);
  must(model !== undefined, `The agent ${id} names the engine ${engine}, which is not there.`);
  return createAgentEngine({ id, persona, model: createModel(model.type, model.options) });
}

function createModel(type: string, options: unknown): Model {
  must(type === "local", `There is no engine of the type "${type}".`);
  return createLocalModel(localModelOptions.parse(options));
}

function createChannel(
  { id, platform, options }: ChannelConfig,
  botId: BotId,
  { host, log, secrets }: { readonly host: Host; readonly log: Log; readonly secrets: Secrets },
): Channel {
  if (platform === "web") return createWebChannel({ id, botId, options: webOptions.parse(options), host });
  must(platform === "telegram", `There is no platform "${platform}".`);
  const webhookSecret = secrets.webhookSecret(id);
  return createTelegramChannel({ id, botId, options: telegramOptions.parse(options), host, log, webhookSecret });
}

function isWebChannel(channel: Channel): channel is WebChannel {
  return channel.platform === "web";
}

async function listen(http: ReturnType<typeof createHttpServer>, { server }: Config): Promise<void> {
  try {
    await http.listen({ host: server.host, port: server.port });
  } catch (cause) {
    throw new SetupError(
      `Cannot listen on ${server.host}:${server.port}. Is another program there? Choose another port with PARLEY_PORT.`,
      { cause },
    );
  }
}

function urlOf(address: AddressInfo | string | null, { server }: Config): string {
  const port = typeof address === "object" && address !== null ? address.port : server.port;
  const host = server.host.includes(":") ? `[${server.host}]` : server.host;
  return server.publicUrl ?? `http://${host}:${port}`;
}

const maintainEveryMs = 5_000;

interface Housekeeping {
  /** What the last round could not do: it writes, so it notices a full disk where a read would not. */
  readonly trouble: string | null;
  stop(): void;
}

function keepHouse(storage: Storage, host: Host, log: Log): Housekeeping {
  let cancel: Cancel;
  let trouble: string | null = null;
  const tick = (): void => {
    cancel = host.clock.after(maintainEveryMs, tick);
    storage.maintain().then(
      () => {
        trouble = null;
      },
      (error: unknown) => {
        trouble = messageOf(error);
        log.error({ err: error }, "housekeeping of the storage failed");
      },
    );
  };
  cancel = host.clock.after(maintainEveryMs, tick);
  return {
    get trouble() {
      return trouble;
    },
    stop: () => cancel(),
  };
}

async function storageReadiness(storage: Storage, trouble: string | null): Promise<Readiness> {
  const detail = await storage.status().then(() => trouble, messageOf);
  return { name: "storage", ok: detail === null, detail };
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function warnOfRestart(before: Config, now: Config, log: Log): void {
  const isSame =
    JSON.stringify([before.server, before.storage, before.dataFolder, before.log]) ===
    JSON.stringify([now.server, now.storage, now.dataFolder, now.log]);
  if (!isSame) log.warn({ path: now.path }, "changes to server, storage and log take effect at the next start");
}

/** Whatever a channel's configuration calls a token or a secret. */
function secretsOf(config: Config): readonly string[] {
  return config.bots
    .flatMap(({ channels }) => channels)
    .flatMap(({ options }) => Object.entries(options))
    .filter(([name]) => /token|secret|key/i.test(name))
    .map(([, value]) => value)
    .filter((value) => typeof value === "string")
    .filter((value) => value.length >= 8);
}

function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => (done ??= work());
}
