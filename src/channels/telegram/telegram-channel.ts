import { z } from "zod";
import type {
  Accept,
  ChannelLimits,
  CheckedChannel,
  CompletingChannel,
  CompletionSources,
  Delivery,
  Finding,
  TypingChannel,
  WebhookChannel,
  WebhookRequest,
  WebhookResponse,
} from "../../core/channel.ts";
import type { Conversation } from "../../core/conversation.ts";
import type { Receipt } from "../../core/delivery.ts";
import type { Host } from "../../core/host.ts";
import type { BotId, ChannelId } from "../../core/ids.ts";
import type { Log } from "../../core/log.ts";
import type { Message } from "../../core/message.ts";
import type { Part } from "../../core/part.ts";
import { checkTelegram } from "./checking.ts";
import { completeParts } from "./completing.ts";
import { targetOf } from "./conversation-ref.ts";
import { deliverMessage } from "./delivering.ts";
import { Governor } from "./governor.ts";
import { poll } from "./polling.ts";
import { PressAnswers, type Receiving } from "./receiving.ts";
import { TelegramApi } from "./telegram-api.ts";
import { telegramLimits } from "./telegram-limits.ts";
import { receiveWebhook, setWebhook, WebhookSecret } from "./webhook.ts";

/** What stands under `platform: telegram` in the configuration. */
export const telegramOptions = z.strictObject({
  token: z
    .string()
    .regex(/^[^\s/?#]+$/, "must be the bot's token, like 123456:ABC-def")
    .describe("The bot's token, as @BotFather shows it."),
  apiRoot: z
    .url({ protocol: /^https?$/ })
    .default("https://api.telegram.org")
    .describe("Where the Bot API is. A local Bot API server or a gateway may stand in; may have a port and a path."),
  mode: z
    .enum(["poll", "webhook"])
    .default("poll")
    .describe("poll: Parley asks Telegram for updates and needs no public address. webhook: Telegram calls Parley."),
  webhookUrl: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe("With mode webhook: the public address of /webhooks/<channel-id>. Telegram is told of it at the start."),
  webhookSecret: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,256}$/, "must be 1 to 256 of A-Z, a-z, 0-9, _ and -")
    .optional()
    .describe("What Telegram shows with every call to the webhook. Made up and kept when not given."),
  rates: z
    .strictObject({
      perSecond: z.number().positive().default(30).describe("Messages per second, to all chats together."),
      perChatPerSecond: z
        .number()
        .positive()
        .default(1)
        .describe("Messages per second to one chat; three may go at once."),
      perGroupPerMinute: z.number().positive().default(20).describe("Messages per minute to one group."),
    })
    .prefault({})
    .describe(
      "How fast one process sends. The defaults are Telegram's own limits; a local Bot API server may allow more.",
    ),
  whenUnknown: z
    .enum(["stop", "resend"])
    .default("stop")
    .describe(
      "What becomes of a message that Telegram may have sent or not: stop shows it to an operator, resend risks a second copy.",
    ),
});

export interface TelegramChannelParts {
  readonly id: ChannelId;
  readonly botId: BotId;
  readonly options: z.output<typeof telegramOptions>;
  readonly host: Host;
  readonly log: Log;
  /** Where the options give none. */
  readonly webhookSecret: string;
}

export type TelegramChannel = WebhookChannel & TypingChannel & CompletingChannel & CheckedChannel;

/** A bot's account on Telegram, by the Bot API. Opens no connection before it is used. */
export function createTelegramChannel(parts: TelegramChannelParts): TelegramChannel {
  return new BotApiChannel(parts);
}

class BotApiChannel implements TelegramChannel {
  readonly id: ChannelId;
  readonly botId: BotId;
  readonly platform = "telegram";
  readonly limits: ChannelLimits;
  readonly whenUnknown: "resend" | "stop";
  readonly #options: TelegramChannelParts["options"];
  readonly #host: Host;
  readonly #log: Log;
  readonly #api: TelegramApi;
  readonly #governor: Governor;
  readonly #presses: PressAnswers;
  readonly #secret: string;
  readonly #webhookSecret: WebhookSecret;
  readonly #botUserId: string | null;

  constructor({ id, botId, options, host, log, webhookSecret }: TelegramChannelParts) {
    const { textMax, captionMax, choicesMax, fileBytesMax } = telegramLimits;
    this.id = id;
    this.botId = botId;
    this.limits = { textMax, captionMax, choicesMax, fileBytesMax };
    this.whenUnknown = options.whenUnknown;
    this.#options = options;
    this.#host = host;
    this.#log = log;
    this.#api = new TelegramApi(options.token, options.apiRoot, host);
    this.#governor = new Governor(options.rates, host.clock);
    this.#presses = new PressAnswers(this.#api, log);
    this.#secret = options.webhookSecret ?? webhookSecret;
    this.#webhookSecret = new WebhookSecret(this.#secret);
    this.#botUserId = /^\d+(?=:)/.exec(options.token)?.[0] ?? null;
  }

  async listen(accept: Accept, signal: AbortSignal): Promise<void> {
    const { mode, webhookUrl } = this.#options;
    const parts = { api: this.#api, host: this.#host, log: this.#log };
    if (mode === "poll") return await poll({ ...this.#receiving(accept), ...parts }, signal);
    if (webhookUrl !== undefined) await setWebhook(parts, { url: webhookUrl, secret: this.#secret }, signal);
    await aborted(signal);
  }

  handleWebhook(request: WebhookRequest, accept: Accept): Promise<WebhookResponse> {
    return receiveWebhook(this.#receiving(accept), this.#webhookSecret, request);
  }

  deliver(delivery: Delivery, signal: AbortSignal): Promise<readonly Receipt[]> {
    const parts = { api: this.#api, governor: this.#governor, host: this.#host, log: this.#log };
    return deliverMessage(parts, delivery, signal);
  }

  async showTyping(conversation: Conversation, signal: AbortSignal): Promise<void> {
    const target = targetOf(conversation.ref);
    if (target === null) return;
    const { chat_id, message_thread_id } = target;
    await this.#api.call("sendChatAction", { chat_id, message_thread_id, action: "typing" }, { signal });
  }

  complete(message: Message, sources: CompletionSources, signal: AbortSignal): Promise<readonly Part[]> {
    return completeParts({ api: this.#api, host: this.#host }, message.parts, sources, signal);
  }

  check(signal: AbortSignal): Promise<readonly Finding[]> {
    const { mode, webhookUrl } = this.#options;
    return checkTelegram(this.#api, { mode, webhookUrl }, signal);
  }

  #receiving(accept: Accept): Receiving {
    return { accept, presses: this.#presses, log: this.#log, botUserId: this.#botUserId };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
