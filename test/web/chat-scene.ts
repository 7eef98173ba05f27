import { mkdtempSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import Fastify, { type FastifyInstance } from "fastify";
import { type ClientOptions, WebSocket } from "ws";
import { createWebChannel, type WebChannel, type WebOptions } from "../../src/channels/web/web-channel.ts";
import { webRoutes } from "../../src/channels/web/web-routes.ts";
import type { Change } from "../../src/core/change.ts";
import { contentHash } from "../../src/core/content.ts";
import type { Host } from "../../src/core/host.ts";
import type { BotId, ChannelId, ConversationId, MessageId } from "../../src/core/ids.ts";
import type { Message, MessageState } from "../../src/core/message.ts";
import type { Part } from "../../src/core/part.ts";
import { receive } from "../../src/journey/1-receive.ts";
import { createFileFolder } from "../../src/storage/files/file-folder.ts";
import { MemoryStorage } from "../../src/storage/memory/memory-storage.ts";

export interface ChatScene {
  readonly app: FastifyInstance;
  readonly url: string;
  readonly storage: MemoryStorage;
  readonly channels: ReadonlyMap<BotId, WebChannel>;
  /** Writes a message of the bot in a state, and returns its id. */
  say(conversationId: ConversationId, parts: readonly Part[] | string, state?: MessageState): Promise<MessageId>;
  /** Moves a message on. */
  move(id: MessageId, to: MessageState): Promise<void>;
  files(): ReturnType<typeof createFileFolder>;
  /** Takes no update in any more. */
  stopListening(): Promise<void>;
}

/** What a scripted bot does with each message of a person, in place of the journey. */
export type Script = (message: Message, scene: ChatScene) => Promise<void>;

/**
 * A server on 127.0.0.1 with the chat pages of the bots `demo` and `other`, a storage in memory and a folder of files.
 * All of it goes away with the test. A deaf one is not told what the storage writes.
 */
export async function openChat(
  context: Pick<TestContext, "after">,
  {
    host,
    options = {},
    script,
    isDeaf = false,
  }: { host: Host; options?: Partial<WebOptions>; script?: Script; isDeaf?: boolean },
): Promise<ChatScene> {
  const folder = mkdtempSync(join(tmpdir(), "parley-chat-"));
  const storage = new MemoryStorage(host);
  const files = createFileFolder(folder);
  const channels = new Map(
    ["demo", "other"].map((name) => {
      const ids = { id: `${name}-web` as ChannelId, botId: name as BotId };
      return [ids.botId, createWebChannel({ ...ids, options: { allowedOrigins: [], ...options }, host })];
    }),
  );
  const store = new Proxy(storage, {
    get(target, name) {
      if (name === "watch" && isDeaf) return () => () => undefined;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  // A browser opens connections that it never uses; nobody is to wait for those.
  const app = Fastify({ forceCloseConnections: true });
  await app.register(webRoutes({ channels, store, files, host, cookieSecret: "a secret of the tests, long enough" }));
  const url = await app.listen({ host: "127.0.0.1", port: 0 });

  const stop = new AbortController();
  const listening = [...channels.values()].map((channel) =>
    channel.listen(async (update) => {
      const { job, changes } = receive(update, channel, { quietMs: 0 }, () => undefined, host);
      const accepted = await storage.enqueue(job, changes);
      const message = await storage.findMessage(accepted.messageId);
      if (!accepted.isDuplicate && message !== undefined) script?.(message, scene).catch(failLoudly);
      return accepted;
    }, stop.signal),
  );
  const scene: ChatScene = {
    app,
    url,
    storage,
    channels,
    files: () => files,
    async say(conversationId, said, state = "delivered") {
      const id = host.newId("msg") as MessageId;
      const parts = typeof said === "string" ? [{ kind: "text" as const, text: said }] : said;
      const at = Math.floor(host.clock.now());
      const basics = {
        id,
        conversationId,
        personId: null,
        turnId: null,
        notice: null,
        platformRef: null,
        replyTo: null,
      };
      const first = state === "held" ? "held" : "queued";
      const hash = contentHash(parts, host);
      const message: Message = { ...basics, from: "bot", parts, contentHash: hash, state: first, reason: null, at };
      await storage.apply([{ kind: "message", message }]);
      if (state !== first) await scene.move(id, state);
      return id;
    },
    async move(messageId, to) {
      const message = (await storage.findMessage(messageId))!;
      const state: Change = { kind: "state", messageId, from: message.state, to, reason: null };
      const isGoingOut = message.from !== "person" && to !== "rejected";
      await storage.apply(isGoingOut ? [passed(message), state] : [state]);
    },
    async stopListening() {
      stop.abort();
      await Promise.all(listening);
    },
  };
  context.after(async () => {
    await scene.stopListening();
    await app.close();
    await storage.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return scene;
}

/** What the gate writes of a message that it lets out. */
function passed({ id, contentHash, at }: Message): Change {
  const judged = { messageId: id, contentHash, outcome: "pass", direction: "outbound" } as const;
  return { kind: "verdict", verdict: { ...judged, reviewer: "script", changed: false, reason: null, at } };
}

function failLoudly(error: unknown): void {
  // A script that fails fails its test, wherever that waits now.
  setImmediate(() => {
    throw error;
  });
}

/** Somebody with a browser: keeps the cookie that the server gave. */
export interface Visitor {
  readonly cookie: string;
  ask(path: string, init?: RequestInit): Promise<Response>;
  post(body: object): Promise<{ message: MessageId; conversation: ConversationId }>;
  list(query?: string): Promise<{ items: WebMessageText[]; next: string | null; live?: string }>;
  live(after?: string, options?: ClientOptions): Promise<LiveReader>;
}

export interface WebMessageText {
  readonly id: string;
  readonly from: string;
  readonly state: string;
  readonly at: string;
  readonly clientId?: string;
  readonly parts: readonly { readonly kind: string; readonly text?: string; readonly url?: string | null }[];
}

export async function visit(scene: ChatScene, bot = "demo"): Promise<Visitor> {
  const page = await fetch(`${scene.url}/chat/${bot}`);
  const cookie = page.headers.getSetCookie()[0]!.split(";")[0]!;
  const ask = (path: string, init: RequestInit = {}) =>
    fetch(`${scene.url}/chat/${bot}/${path}`, { ...init, headers: { cookie, ...init.headers } });
  return {
    cookie,
    ask,
    async post(body) {
      const headers = { "content-type": "application/json" };
      const response = await ask("messages", { method: "POST", headers, body: JSON.stringify(body) });
      if (response.status !== 202) throw new Error(await response.text());
      return response.json() as ReturnType<Visitor["post"]>;
    },
    async list(query = "") {
      return (await ask(`messages${query}`)).json() as ReturnType<Visitor["list"]>;
    },
    live: (after, options) => openLive(scene, bot, { headers: { cookie }, ...options }, after),
  };
}

export interface LiveEventText {
  readonly type: string;
  readonly message?: WebMessageText;
  readonly id?: string;
  readonly state?: string;
  readonly cursor?: string;
}

/** A socket, read event by event. */
export interface LiveReader {
  readonly socket: WebSocket;
  next(): Promise<LiveEventText>;
  /** Everything that came and was not read. */
  rest(): readonly LiveEventText[];
  readonly closed: Promise<number>;
}

/** Rejects with the status when the handshake is refused. */
export async function openLive(
  scene: ChatScene,
  bot: string,
  { protocols = [], ...options }: ClientOptions & { protocols?: string[] },
  after?: string,
): Promise<LiveReader> {
  const { port } = scene.app.server.address() as AddressInfo;
  const query = after === undefined ? "" : `?after=${after}`;
  const socket = new WebSocket(`ws://127.0.0.1:${port}/chat/${bot}/live${query}`, protocols, options);
  const events: LiveEventText[] = [];
  let arrived: () => void = () => undefined;
  socket.on("message", (data) => {
    events.push(JSON.parse(String(data)));
    arrived();
  });
  const closed = new Promise<number>((resolve) => socket.on("close", resolve));
  await new Promise<void>((resolve, reject) => {
    socket.on("open", resolve);
    socket.on("error", reject);
    socket.on("unexpected-response", (_request, response) => reject(new Error(`refused: ${response.statusCode}`)));
  });
  return {
    socket,
    closed,
    rest: () => events,
    async next() {
      while (events.length === 0) {
        await new Promise<void>((resolve) => {
          arrived = resolve;
        });
      }
      return events.shift()!;
    },
  };
}
