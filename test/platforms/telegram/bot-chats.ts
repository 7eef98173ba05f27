import { createHash } from "node:crypto";
import type { Clock } from "../../../src/core/host.ts";
import { BotApiError, type Params, type UploadedFile } from "./bot-method.ts";

export interface FakeChat {
  readonly id: number;
  readonly type: "private" | "group" | "supergroup" | "channel";
  readonly [field: string]: unknown;
}

/** A message that the bot sent. */
export interface Sent {
  readonly method: string;
  readonly chatId: number;
  readonly messageId: number;
  readonly params: Params;
  readonly file: {
    readonly name: string;
    readonly mimeType: string;
    readonly bytes: number;
    readonly sha256: string;
  } | null;
  readonly at: number;
}

export interface FakeFile {
  readonly id: string;
  readonly path: string;
  readonly content: Uint8Array;
  /** What `getFile` says; a test may claim more than there is. */
  readonly bytes: number;
  isExpired: boolean;
}

const downloadBytesMax = 20_000_000;
const photoBytesMax = 10_000_000;

/** The chats of the bot, what is in them, and Telegram's rules for sending to them. */
export class BotChats {
  readonly #clock: Clock;
  readonly #bot: Params;
  readonly #chats = new Map<number, FakeChat>();
  readonly #closed = new Map<number, BotApiError>();
  readonly #files = new Map<string, FakeFile>();
  readonly #messages = new Map<number, Params>();
  #lastMessageId = 0;
  readonly sent: Sent[] = [];

  constructor(bot: Params, clock: Clock) {
    this.#bot = bot;
    this.#clock = clock;
  }

  /** The chat with this id, made when there is none: a person's when the id is positive, else a group's. */
  open(id: number): FakeChat {
    const known = this.#chats.get(id);
    if (known !== undefined) return known;
    const chat: FakeChat =
      id > 0 ? { id, type: "private", first_name: `Person ${id}` } : { id, type: "supergroup", title: `Group ${id}` };
    this.#chats.set(id, chat);
    return chat;
  }

  /** Sends to this chat are refused from now on, in these words. */
  close(id: number, error: BotApiError): void {
    this.open(id);
    this.#closed.set(id, error);
  }

  nextMessageId(): number {
    this.#lastMessageId += 1;
    return this.#lastMessageId;
  }

  message(messageId: number): Params | undefined {
    return this.#messages.get(messageId);
  }

  addFile(content: Uint8Array, bytes = content.length): FakeFile {
    const number = this.#files.size + 1;
    const file: FakeFile = { id: `FILE-${number}`, path: `files/file_${number}`, content, bytes, isExpired: false };
    this.#files.set(file.id, file);
    return file;
  }

  /** What `getFile` answers. */
  getFile(fileId: string): Params {
    const file = this.#files.get(fileId);
    if (file === undefined)
      throw new BotApiError(400, "Bad Request: wrong file_id or the file is temporarily unavailable");
    if (file.bytes > downloadBytesMax) throw new BotApiError(400, "Bad Request: file is too big");
    return { file_id: file.id, file_unique_id: `u${file.id}`, file_size: file.bytes, file_path: file.path };
  }

  fileAt(path: string): FakeFile | undefined {
    return [...this.#files.values()].find((file) => file.path === path && !file.isExpired);
  }

  /** Does what a `send…` method does, and answers its message. */
  send(method: string, params: Params): Params {
    const chat = this.sendable(params.chat_id as number);
    checkText(params);
    checkMarkup(params.reply_markup);
    this.#checkReply(params.reply_parameters);
    const field = method.slice("send".length).toLowerCase();
    const upload = params[field];
    const file = isUpload(upload) ? this.#takeFile(method, upload) : null;
    const messageId = this.nextMessageId();
    const message: Record<string, unknown> = {
      message_id: messageId,
      from: this.#bot,
      chat,
      date: Math.floor(this.#clock.now() / 1_000),
      ...pick(params, ["text", "caption", "reply_markup", "message_thread_id"]),
      ...(file === null ? {} : { [field]: field === "photo" ? [photoSize(file)] : fileFields(file) }),
    };
    this.#messages.set(messageId, message);
    const { chat_id: _, [field]: __, ...said } = params;
    this.sent.push({
      method,
      chatId: chat.id,
      messageId,
      params: isUpload(upload) ? said : { ...said, ...pick(params, [field]) },
      file: isUpload(upload) ? described(upload) : null,
      at: this.#clock.now(),
    });
    return message;
  }

  /** @throws BotApiError where nothing can be sent to. */
  sendable(chatId: number): FakeChat {
    const chat = this.#chats.get(chatId);
    if (chat === undefined) throw new BotApiError(400, "Bad Request: chat not found");
    const error = this.#closed.get(chatId);
    if (error !== undefined) throw error;
    return chat;
  }

  #checkReply(parameters: unknown): void {
    if (parameters === undefined) return;
    const { message_id, allow_sending_without_reply } = parameters as Params;
    if (!Number.isSafeInteger(message_id)) throw new BotApiError(400, "Bad Request: can't parse reply parameters");
    if (allow_sending_without_reply === true || this.#messages.has(message_id as number)) return;
    throw new BotApiError(400, "Bad Request: message to be replied not found");
  }

  #takeFile(method: string, { content }: UploadedFile): FakeFile {
    if (content.length === 0) throw new BotApiError(400, "Bad Request: file must be non-empty");
    if (method === "sendPhoto" && content.length > photoBytesMax) {
      throw new BotApiError(400, "Bad Request: too big for a photo; the maximum size is 10485760 bytes");
    }
    if (method === "sendPhoto" && !isPicture(content)) throw new BotApiError(400, "Bad Request: IMAGE_PROCESS_FAILED");
    return this.addFile(content);
  }

  /** Keeps what a person said, so that it can be replied to. */
  keep(messageId: number, message: Params): void {
    this.#messages.set(messageId, message);
  }
}

/** Characters are counted as Telegram does, not in UTF-16 units. */
function checkText({ text, caption }: Params): void {
  if (text !== undefined) {
    const characters = [...String(text)].length;
    if (String(text).trim() === "") throw new BotApiError(400, "Bad Request: message text is empty");
    if (characters > 4_096) throw new BotApiError(400, "Bad Request: message is too long");
  }
  if (caption !== undefined && [...String(caption)].length > 1_024) {
    throw new BotApiError(400, "Bad Request: message caption is too long");
  }
}

function checkMarkup(markup: unknown): void {
  const rows = (markup as { inline_keyboard?: unknown } | undefined)?.inline_keyboard;
  if (rows === undefined) return;
  if (!Array.isArray(rows) || !rows.every(Array.isArray)) {
    throw new BotApiError(
      400,
      'Bad Request: field "inline_keyboard" of the InlineKeyboardMarkup must be an Array of Arrays',
    );
  }
  if (rows.some((row) => row.length > 8) || rows.flat().length > 100) {
    throw new BotApiError(400, "Bad Request: reply markup is too long");
  }
  for (const button of rows.flat() as Params[]) {
    if (typeof button.text !== "string" || button.text.trim() === "") {
      throw new BotApiError(400, "Bad Request: inline keyboard button text must be non-empty");
    }
    const bytes = Buffer.byteLength(String(button.callback_data ?? ""));
    if (button.url === undefined && (bytes < 1 || bytes > 64))
      throw new BotApiError(400, "Bad Request: BUTTON_DATA_INVALID");
  }
}

function isUpload(value: unknown): value is UploadedFile {
  return typeof value === "object" && value !== null && "content" in value;
}

/** By the first bytes of JPEG, PNG and WebP. */
function isPicture(content: Uint8Array): boolean {
  const start = Buffer.from(content.subarray(0, 4)).toString("latin1");
  return start.startsWith("\xff\xd8\xff") || start === "\x89PNG" || start === "RIFF";
}

function described({ fileName, mimeType, content }: UploadedFile): Sent["file"] {
  const sha256 = createHash("sha256").update(content).digest("hex");
  return { name: fileName, mimeType, bytes: content.length, sha256 };
}

function fileFields({ id, bytes }: FakeFile): Params {
  return { file_id: id, file_unique_id: `u${id}`, file_size: bytes };
}

function photoSize(file: FakeFile): Params {
  return { ...fileFields(file), width: 90, height: 90 };
}

function pick(params: Params, names: readonly string[]): Params {
  return Object.fromEntries(names.filter((name) => params[name] !== undefined).map((name) => [name, params[name]]));
}
