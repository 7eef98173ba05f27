import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import type { FastifyInstance, InjectOptions } from "fastify";
import { newApiKey } from "../../src/api/api-keys.ts";
import type { HttpParts } from "../../src/api/http-parts.ts";
import { createHttpServer } from "../../src/api/http-server.ts";
import { createMetrics } from "../../src/api/metrics.ts";
import type { Bot } from "../../src/core/bot.ts";
import type { Channel, Update, WebhookChannel, WebhookRequest } from "../../src/core/channel.ts";
import type { Engine } from "../../src/core/engine.ts";
import { FileMissingError, FileTooLargeError } from "../../src/core/errors.ts";
import type { Files } from "../../src/core/files.ts";
import type { BotId, ChannelId, ContentHash } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { Log } from "../../src/core/log.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import { Journey } from "../../src/journey/journey.ts";
import { MemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import { TestHost } from "../contracts/test-host.ts";
import { engineOf, lenient } from "../journey/world.ts";

/** A channel that its platform calls, and that takes each body as the text of one message. */
export class HookChannel implements WebhookChannel {
  readonly id = "demo-hook" as ChannelId;
  readonly botId = "demo" as BotId;
  readonly platform = "hook";
  readonly limits = { textMax: 4096, captionMax: 1024, choicesMax: 8, fileBytesMax: 1024 };
  readonly whenUnknown = "stop";
  readonly requests: WebhookRequest[] = [];
  listen = async (): Promise<void> => undefined;
  deliver = async () => [{ platformRef: "p", at: 0 }];

  async handleWebhook(request: WebhookRequest, accept: Parameters<WebhookChannel["handleWebhook"]>[1]) {
    this.requests.push(request);
    const text = Buffer.from(request.body).toString();
    if (text === "bad") return { status: 401, body: "the signature is wrong" };
    await accept(updateOf({ personRef: "hook", clientId: text, parts: [{ kind: "text", text }] }));
    return { status: 200, body: "" };
  }
}

export interface ApiWorld {
  readonly app: FastifyInstance;
  readonly host: TestHost;
  readonly storage: MemoryStorage;
  readonly hook: HookChannel;
  readonly lines: { readonly level: string; readonly data: object; readonly message: string }[];
  /** A key that works, and its name. */
  readonly key: string;
  /** Calls the API with the key. */
  call(method: NonNullable<InjectOptions["method"]>, url: string, body?: object): Promise<Called>;
  /** How many listen to what the storage writes. */
  watching(): number;
  /** Turns and deliveries until there is nothing to do now. */
  rest(): Promise<void>;
  /** Messages are stored from now on, or fail to be. */
  fail(error: Error | undefined): void;
}

export interface Called {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  // biome-ignore lint/suspicious/noExplicitAny: a test reads what it expects, and fails where that is not there.
  readonly body: any;
}

export async function createApiWorld(
  options: { engine?: Engine; reviewers?: readonly Reviewer[]; parts?: Partial<HttpParts> } = {},
): Promise<ApiWorld> {
  const host = new TestHost();
  const storage = new MemoryStorage(host);
  const watching = countWatching(storage);
  const lines: { level: string; data: object; message: string }[] = [];
  const log = keeping(lines);
  const hook = new HookChannel();
  const channels: readonly Channel[] = [webChannel("demo"), webChannel("other"), hook];
  const reviewers = options.reviewers ?? [lenient];
  const engine = options.engine ?? engineOf("agent:echo");
  const bots = ["demo", "other", "mute"].map((id) => botOf(id, engine, reviewers));
  const directory = {
    bots: () => bots,
    channels: () => channels,
    findBot: (id: string) => bots.find((bot) => bot.id === id),
    findChannel: (id: string) => channels.find((channel) => channel.id === id),
  };
  const metrics = createMetrics();
  const files = memoryFiles();
  const journey = new Journey({ storage, files, directory, host, log, meter: metrics, at: () => undefined });
  let failure: Error | undefined;
  const app = createHttpServer({
    store: storage,
    files,
    host,
    log,
    metrics,
    directory,
    accept: (channel, update) =>
      failure === undefined ? journey.acceptFrom(channel)(update) : Promise.reject(failure),
    messageUpdate: updateOf,
    readiness: async () => [{ name: "storage", ok: true, detail: null }],
    registerExtra: async () => undefined,
    ...options.parts,
  });
  await app.ready();
  const { key, apiKey } = newApiKey("tests", host);
  await storage.apply([{ kind: "apiKey", apiKey }]);
  return {
    app,
    host,
    storage,
    hook,
    lines,
    key,
    async call(method, url, body) {
      const headers = { authorization: `Bearer ${key}` };
      const answer = await app.inject({ method, url, headers, ...(body === undefined ? {} : { payload: body }) });
      const isJson = String(answer.headers["content-type"]).includes("json");
      return { status: answer.statusCode, headers: answer.headers, body: isJson ? answer.json() : answer.body };
    },
    watching,
    rest: () => rest(journey, storage),
    fail: (error) => {
      failure = error;
    },
  };
}

function countWatching(storage: MemoryStorage): () => number {
  const watch = storage.watch.bind(storage);
  let count = 0;
  storage.watch = (listener) => {
    const stop = watch(listener);
    count += 1;
    return () => {
      count -= 1;
      stop();
    };
  };
  return () => count;
}

/** Lets everything go on until the condition holds; a test that waits in vain is ended by the runner. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await setImmediate();
}

function updateOf(said: Parameters<HttpParts["messageUpdate"]>[0]): Update {
  return {
    key: `${said.personRef}:${said.clientId}`,
    conversation: { ref: said.personRef, isGroup: false, movedFrom: null },
    person: { ref: said.personRef, name: null, language: null },
    parts: said.parts,
    notice: null,
    platformRef: said.clientId,
    replyTo: null,
  };
}

function webChannel(bot: string): Channel {
  return {
    id: `${bot}-web` as ChannelId,
    botId: bot as BotId,
    platform: "web",
    limits: { textMax: 4096, captionMax: 1024, choicesMax: 8, fileBytesMax: 1024 },
    whenUnknown: "resend",
    listen: async () => undefined,
    deliver: async ({ message }) => [{ platformRef: message.id, at: 0 }],
  };
}

function botOf(id: string, engine: Engine, reviewers: readonly Reviewer[]): Bot {
  const routes = [{ name: "default", when: {}, engine: engine.name, priority: 0 }];
  const engines = new Map([[engine.name, engine]]);
  return { id: id as BotId, name: `The ${id} bot`, reviewers, routes, engines, quietMs: 0 };
}

async function rest(journey: Journey, storage: MemoryStorage): Promise<void> {
  const { signal } = new AbortController();
  for (;;) {
    const wanted = { lanesMax: 100, jobsMax: 1, leaseMs: limits.leaseMs };
    const turns = await storage.claim({ ...wanted, queue: "inbox" });
    for (const lease of turns) await journey.takeTurn(lease, signal);
    const deliveries = await storage.claim({ ...wanted, queue: "outbox" });
    for (const lease of deliveries) await journey.deliver(lease, signal, signal);
    if (turns.length + deliveries.length === 0) return;
  }
}

function memoryFiles(): Files {
  const kept = new Map<string, Buffer>();
  return {
    async save(content, bytesMax) {
      const chunks: Uint8Array[] = [];
      let bytes = 0;
      for await (const chunk of content) {
        bytes += chunk.byteLength;
        if (bytes > bytesMax) throw new FileTooLargeError(`The file has more than ${bytesMax} bytes.`);
        chunks.push(chunk);
      }
      const whole = Buffer.concat(chunks);
      const hash = createHash("sha256").update(whole).digest("hex") as ContentHash;
      kept.set(hash, whole);
      return { hash, bytes };
    },
    async *read(hash) {
      const found = kept.get(hash);
      if (found === undefined) throw new FileMissingError("There is no such file.");
      yield found;
    },
  };
}

function keeping(lines: { level: string; data: object; message: string }[]): Log {
  const at = (level: string) => (data: object, message: string) => void lines.push({ level, data, message });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
