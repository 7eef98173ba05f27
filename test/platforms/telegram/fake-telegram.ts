import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "../../../src/core/host.ts";
import { BotChats, type FakeChat, type FakeFile, type Sent } from "./bot-chats.ts";
import { BotApiError, botMethods, checkedParams, type Params } from "./bot-method.ts";
import { sendJson } from "./json-answer.ts";
import { type Misbehavior, Misbehaviors, type Occasion } from "./misbehavior.ts";
import { requestParams } from "./request-params.ts";
import { type RawUpdate, UpdateQueue } from "./update-queue.ts";
import { WebhookSender } from "./webhook-sender.ts";

export interface FakeTelegramOptions {
  readonly token?: string;
  /** 0: any that is free. */
  readonly port?: number;
  readonly clock?: Clock;
  /** Answers what is under `/control/`. */
  readonly onControl?: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
}

/** A call as it came, right or wrong. */
export interface Call {
  readonly method: string;
  readonly params: Params;
}

const machineClock: Clock = {
  now: () => Date.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

/**
 * A Bot API server for one bot, as strict as Telegram's: it checks every call, remembers what was sent, keeps updates until
 * the offset moves over them or the webhook takes them, and fails when told to.
 */
export class FakeTelegram {
  readonly token: string;
  readonly chats: BotChats;
  /** All but `getUpdates`, oldest first. */
  readonly calls: Call[] = [];
  readonly #port: number;
  readonly #clock: Clock;
  readonly #onControl: FakeTelegramOptions["onControl"];
  readonly #server: Server;
  readonly #bot: Params;
  readonly #updates: UpdateQueue;
  readonly #misbehaviors = new Misbehaviors();
  readonly #presses = new Set<string>();
  readonly #waitingForSent = new Set<() => void>();
  #webhook: { readonly url: string; readonly sender: WebhookSender } | null = null;
  #lastUpdateId = 1_000;

  constructor(options: FakeTelegramOptions = {}) {
    const { token = "123456789:fake-token-of-a-test", port = 0, clock = machineClock } = options;
    this.token = token;
    this.#port = port;
    this.#clock = clock;
    this.#onControl = options.onControl;
    this.#bot = { id: Number(token.split(":")[0]), is_bot: true, first_name: "Fake", username: "fake_parley_bot" };
    this.chats = new BotChats(this.#bot, clock);
    this.#updates = new UpdateQueue(clock);
    this.#server = createServer((request, response) => void this.#handle(request, response));
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject).listen(this.#port, "127.0.0.1", resolve);
    });
  }

  async stop(): Promise<void> {
    await this.#webhook?.sender.stop();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** A person writes. In a group it is person 1 who does, when `from` says nothing else. */
  say(
    chatId: number,
    text: string,
    from = chatId > 0 ? chatId : 1,
  ): { readonly updateId: number; readonly messageId: number } {
    return this.pushMessage(chatId, { text }, from);
  }

  /** A person sends something else than text. */
  pushMessage(
    chatId: number,
    content: Params,
    from = chatId > 0 ? chatId : 1,
  ): { updateId: number; messageId: number } {
    const chat = this.chats.open(chatId);
    const messageId = this.chats.nextMessageId();
    const message = { message_id: messageId, from: person(from), chat, date: this.#seconds(), ...content };
    this.chats.keep(messageId, message);
    return { updateId: this.push({ message }), messageId };
  }

  /** A person presses a button of a message that the bot sent. Throws where there is no such button. */
  press(chatId: number, messageId: number, data: string, from = chatId > 0 ? chatId : 1): number {
    const message = this.chats.message(messageId);
    const markup = message?.reply_markup as { inline_keyboard?: { callback_data?: string }[][] } | undefined;
    const hasButton = markup?.inline_keyboard?.flat().some(({ callback_data }) => callback_data === data);
    if (hasButton !== true) throw new Error(`Message ${messageId} of chat ${chatId} has no button with "${data}".`);
    const id = `press-${this.#lastUpdateId + 1}`;
    this.#presses.add(id);
    return this.push({ callback_query: { id, from: person(from), message, chat_instance: String(chatId), data } });
  }

  /** An update of any kind; gets the next id when it has none. Opens its chat. Returns its id. */
  push(update: Params): number {
    const updateId = typeof update.update_id === "number" ? update.update_id : this.#lastUpdateId + 1;
    this.#lastUpdateId = Math.max(this.#lastUpdateId, updateId);
    this.#openChatOf(update);
    const raw: RawUpdate = { ...update, update_id: updateId };
    if (!this.#updates.wants(raw)) return updateId;
    if (this.#webhook === null) this.#updates.push(raw);
    else this.#webhook.sender.push(raw);
    return updateId;
  }

  addFile(content: Uint8Array, claimedBytes?: number): FakeFile {
    return this.chats.addFile(content, claimedBytes);
  }

  openChat(chatId: number): FakeChat {
    return this.chats.open(chatId);
  }

  /** The person blocks the bot; `reason` for what else Telegram may say. */
  block(chatId: number, reason = "bot was blocked by the user"): void {
    this.chats.close(chatId, new BotApiError(403, `Forbidden: ${reason}`));
  }

  /** The group becomes a supergroup with another id. */
  migrate(fromId: number, toId: number): void {
    const description = "Bad Request: group chat was upgraded to a supergroup chat";
    this.chats.open(toId);
    this.chats.close(fromId, new BotApiError(400, description, { migrate_to_chat_id: toId }));
  }

  misbehave(misbehavior: Misbehavior, occasion: Occasion = {}): void {
    if (misbehavior.kind === "repeatUpdates" && this.#webhook !== null)
      this.#webhook.sender.repeats += occasion.times ?? 1;
    else this.#misbehaviors.plan(misbehavior, occasion);
  }

  /** What the bot sent, oldest first. */
  sent(chatId?: number): readonly Sent[] {
    return chatId === undefined ? this.chats.sent : this.chats.sent.filter((one) => one.chatId === chatId);
  }

  /** What was sent a second time to the same chat, word for word. */
  duplicates(chatId?: number): readonly Sent[] {
    const seen = new Set<string>();
    return this.sent(chatId).filter(({ method, chatId: chat, params, file }) => {
      const key = JSON.stringify([method, chat, params, file?.sha256]);
      return seen.size === seen.add(key).size;
    });
  }

  /** Resolves once the bot has sent `count` messages, in all or to one chat. */
  async waitForSent(count: number, chatId?: number): Promise<readonly Sent[]> {
    while (this.sent(chatId).length < count) {
      await new Promise<void>((resolve) => this.#waitingForSent.add(resolve));
    }
    return this.sent(chatId);
  }

  /** For a test to see where things stand. */
  state(): { readonly pending: number; readonly isPolled: boolean; readonly webhook: string | null } {
    const pending = this.#webhook?.sender.pending ?? this.#updates.size;
    return { pending, isPolled: this.#updates.isPolled, webhook: this.#webhook?.url ?? null };
  }

  #openChatOf(update: Params): void {
    for (const body of Object.values(update)) {
      const chatId = (body as { chat?: { id?: unknown } } | null)?.chat?.id;
      if (typeof chatId === "number") this.chats.open(chatId);
    }
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://fake");
    try {
      if (pathname.startsWith("/control/")) return await this.#onControl?.(request, response);
      if (pathname.startsWith("/file/bot")) return this.#download(pathname, response);
      const [, token, method = ""] = /^\/bot([^/]+)\/(?:test\/)?(\w+)$/.exec(pathname) ?? [];
      if (token === undefined) throw new BotApiError(404, "Not Found");
      if (token !== this.token) throw new BotApiError(401, "Unauthorized");
      await this.#answerCall(method, await requestParams(request, searchParams), response);
    } catch (error) {
      sendError(response, error);
    }
  }

  async #answerCall(method: string, given: Params, response: ServerResponse): Promise<void> {
    const misbehavior = this.#misbehaviors.next(method);
    if (misbehavior?.kind === "dropBefore") return void response.socket?.destroy();
    if (misbehavior?.kind === "throttle") {
      const seconds = misbehavior.retryAfterSeconds;
      response.setHeader("retry-after", String(seconds));
      throw new BotApiError(429, `Too Many Requests: retry after ${seconds}`, { retry_after: seconds });
    }
    if (misbehavior?.kind === "status" && misbehavior.isDone !== true) return sendStatus(response, misbehavior);

    const spec = botMethods[method];
    if (spec === undefined) throw new BotApiError(404, "Not Found: method not found");
    if (method !== "getUpdates") this.calls.push({ method, params: given });
    const params = checkedParams(method, spec, given);
    const result = await this.#perform(method, params, misbehavior, response);

    if (misbehavior?.kind === "dropAfter") response.socket?.destroy();
    else if (misbehavior?.kind === "garbage") response.end('{"ok":true,"result":{"mess');
    else if (misbehavior?.kind === "status") sendStatus(response, misbehavior);
    else if (misbehavior?.kind === "slow")
      this.#clock.after(misbehavior.ms, () => sendJson(response, 200, { ok: true, result }));
    else if (misbehavior?.kind !== "hang") sendJson(response, 200, { ok: true, result });
    if (!method.startsWith("send")) return;
    for (const wake of this.#waitingForSent) wake();
    this.#waitingForSent.clear();
  }

  async #perform(
    method: string,
    params: Params,
    misbehavior: Misbehavior | undefined,
    response: ServerResponse,
  ): Promise<unknown> {
    switch (method) {
      case "getMe":
        return {
          ...this.#bot,
          can_join_groups: true,
          can_read_all_group_messages: false,
          supports_inline_queries: false,
        };
      case "getUpdates":
        return await this.#getUpdates(params, misbehavior, response);
      case "setWebhook":
        return await this.#setWebhook(params);
      case "deleteWebhook":
        return await this.#deleteWebhook(params.drop_pending_updates === true);
      case "getWebhookInfo":
        return this.#webhookInfo();
      case "getFile":
        return this.chats.getFile(params.file_id as string);
      case "sendChatAction":
        this.chats.sendable(params.chat_id as number);
        return true;
      case "answerCallbackQuery": {
        if (this.#presses.delete(params.callback_query_id as string)) return true;
        throw new BotApiError(400, "Bad Request: query is too old and response timeout expired or query ID is invalid");
      }
      default:
        return this.chats.send(method, params);
    }
  }

  async #getUpdates(
    params: Params,
    misbehavior: Misbehavior | undefined,
    response: ServerResponse,
  ): Promise<readonly RawUpdate[]> {
    if (this.#webhook !== null) {
      const advice = "use deleteWebhook to delete the webhook first";
      throw new BotApiError(409, `Conflict: can't use getUpdates method while webhook is active; ${advice}`);
    }
    if (Array.isArray(params.allowed_updates)) this.#updates.allow(params.allowed_updates);
    if (misbehavior?.kind === "repeatUpdates") return this.#updates.lastBatch;
    const request = {
      offset: params.offset as number | undefined,
      limit: Math.min(100, Math.max(1, (params.limit as number | undefined) ?? 100)),
      timeoutSeconds: Math.max(0, (params.timeout as number | undefined) ?? 0),
    };
    const updates = await this.#updates.poll(request, (gone) => response.once("close", gone));
    return misbehavior?.kind === "reverseUpdates" ? updates.toReversed() : updates;
  }

  async #setWebhook(params: Params): Promise<boolean> {
    const url = params.url as string;
    if (url === "") return await this.#deleteWebhook(params.drop_pending_updates === true);
    // The one thing that is looser than Telegram: a test has no certificate.
    if (!URL.canParse(url)) throw new BotApiError(400, "Bad Request: bad webhook: invalid webhook URL specified");
    const secret = (params.secret_token as string | undefined) ?? null;
    if (secret !== null && !/^[\w-]{1,256}$/.test(secret)) {
      throw new BotApiError(400, "Bad Request: secret token contains unallowed characters");
    }
    await this.#deleteWebhook(params.drop_pending_updates === true);
    this.#updates.terminate("setWebhook");
    if (Array.isArray(params.allowed_updates)) this.#updates.allow(params.allowed_updates);
    const connectionsMax = (params.max_connections as number | undefined) ?? 40;
    const sender = new WebhookSender({ url, secret, connectionsMax }, this.#clock);
    this.#webhook = { url, sender };
    for (const update of this.#updates.takeAll()) sender.push(update);
    return true;
  }

  async #deleteWebhook(isDropping: boolean): Promise<boolean> {
    const left = (await this.#webhook?.sender.stop()) ?? [];
    this.#webhook = null;
    for (const update of left) this.#updates.push(update);
    if (isDropping) this.#updates.takeAll();
    return true;
  }

  #webhookInfo(): Params {
    const error = this.#webhook?.sender.lastError ?? null;
    return {
      url: this.#webhook?.url ?? "",
      has_custom_certificate: false,
      pending_update_count: this.state().pending,
      ...(error === null ? {} : { last_error_date: Math.floor(error.at / 1_000), last_error_message: error.message }),
    };
  }

  #download(pathname: string, response: ServerResponse): void {
    const path = pathname.slice(`/file/bot${this.token}/`.length);
    const isOurs = pathname.startsWith(`/file/bot${this.token}/`);
    const misbehavior = this.#misbehaviors.next("download");
    if (misbehavior?.kind === "dropBefore") return void response.socket?.destroy();
    if (misbehavior?.kind === "status") {
      sendStatus(response, misbehavior);
      return;
    }
    const file = isOurs ? this.chats.fileAt(path) : undefined;
    if (file === undefined) throw new BotApiError(404, "Not Found");
    response.writeHead(200, { "content-type": "application/octet-stream", "content-length": file.content.length });
    if (misbehavior?.kind !== "dropAfter") return void response.end(file.content);
    response.write(file.content.subarray(0, Math.ceil(file.content.length / 2)), () => response.socket?.destroy());
  }

  #seconds(): number {
    return Math.floor(this.#clock.now() / 1_000);
  }
}

function person(id: number): Params {
  return { id, is_bot: false, first_name: `Person ${id}`, language_code: "en" };
}

function sendStatus(
  response: ServerResponse,
  { status, description, isJson = true }: Misbehavior & { kind: "status" },
): void {
  if (isJson)
    sendJson(response, status, { ok: false, error_code: status, description: description ?? `Error ${status}` });
  else response.writeHead(status, { "content-type": "text/html" }).end(`<html>${status}</html>`);
}

function sendError(response: ServerResponse, error: unknown): void {
  const { code, message, parameters } =
    error instanceof BotApiError ? error : new BotApiError(500, `Internal Server Error: ${String(error)}`);
  const body = {
    ok: false,
    error_code: code,
    description: message,
    ...(parameters === undefined ? {} : { parameters }),
  };
  sendJson(response, code, body);
}
