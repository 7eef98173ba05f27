import assert from "node:assert/strict";
import { after } from "node:test";
import { inspect } from "node:util";
import {
  createTelegramChannel,
  type TelegramChannel,
  telegramOptions,
} from "../../../src/channels/telegram/telegram-channel.ts";
import type { Accept, Delivery, Update } from "../../../src/core/channel.ts";
import { contentHash } from "../../../src/core/content.ts";
import type { Conversation } from "../../../src/core/conversation.ts";
import { DeliveryError, type DeliveryFailure, type Receipt } from "../../../src/core/delivery.ts";
import { FileMissingError } from "../../../src/core/errors.ts";
import type { BotId, ChannelId, ContentHash, ConversationId, MessageId } from "../../../src/core/ids.ts";
import type { Log } from "../../../src/core/log.ts";
import type { Message } from "../../../src/core/message.ts";
import type { Part } from "../../../src/core/part.ts";
import type { ReviewedMessage } from "../../../src/core/reviewed.ts";
import { TestHost } from "../../contracts/test-host.ts";
import { FakeTelegram } from "./fake-telegram.ts";

export interface LogLine {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly data: object;
  readonly message: string;
}

export interface Scene {
  readonly fake: FakeTelegram;
  readonly host: TestHost;
  readonly channel: TelegramChannel;
  readonly log: readonly LogLine[];
  readonly accepted: Update[];
  readonly accept: Accept;
}

/** A channel before a fake Telegram, both by a clock that stands still. At the end nothing may have told the token. */
export async function telegramScene(options: object = {}): Promise<Scene> {
  const host = new TestHost();
  const fake = new FakeTelegram({ clock: host.clock });
  await fake.start();
  const log: LogLine[] = [];
  const channel = createTelegramChannel({
    id: "shop-telegram" as ChannelId,
    botId: "shop" as BotId,
    options: telegramOptions.parse({ token: fake.token, apiRoot: fake.url, ...options }),
    host,
    log: recordingLog(log),
    webhookSecret: "generated-secret",
  });
  after(async () => {
    await fake.stop();
    assertNoSecret(fake, log);
  });
  const accepted: Update[] = [];
  return { fake, host, channel, log, accepted, accept: acceptInto(accepted) };
}

/** Remembers updates and knows them again by their key. */
export function acceptInto(accepted: Update[]): Accept {
  const seen = new Set<string>();
  return async (update) => {
    const isDuplicate = seen.has(update.key);
    seen.add(update.key);
    if (!isDuplicate) accepted.push(update);
    return { messageId: `msg_${update.key}` as MessageId, conversationId: "cnv" as ConversationId, isDuplicate };
  };
}

export function assertNoSecret(fake: FakeTelegram, shown: unknown): void {
  const [, secret = ""] = fake.token.split(":");
  assert.ok(!inspect(shown, { depth: 20 }).includes(secret), "the token must not be told");
}

function recordingLog(lines: LogLine[]): Log {
  const at = (level: LogLine["level"]) => (data: object, message: string) => void lines.push({ level, data, message });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

export interface DeliveryWishes {
  readonly parts: readonly Part[];
  readonly ref?: string;
  readonly replyTo?: string;
  readonly receipts?: readonly Receipt[];
  readonly files?: Readonly<Record<string, Uint8Array>>;
  readonly idempotencyKey?: string;
}

export interface SceneDelivery extends Delivery {
  /** What was reported as delivered between the pieces. */
  readonly reported: Receipt[];
}

export function deliveryOf(host: TestHost, wishes: DeliveryWishes): SceneDelivery {
  const { parts, ref = "7", replyTo = null, receipts = [], files = {}, idempotencyKey = host.newId("key") } = wishes;
  const reported: Receipt[] = [];
  return {
    message: outbound(host, parts, replyTo),
    conversation: conversationAt(ref),
    idempotencyKey,
    receipts,
    reported,
    pieceDelivered: async (receipt) => void reported.push(receipt),
    async *readFile(hash: ContentHash) {
      const content = files[hash];
      if (content === undefined) throw new FileMissingError("The file is not there.");
      yield content;
    },
  };
}

export function conversationAt(ref: string): Conversation {
  return {
    id: `cnv_${ref}` as ConversationId,
    botId: "shop" as BotId,
    channelId: "shop-telegram" as ChannelId,
    ref,
    isGroup: ref.startsWith("-"),
    personId: null,
    createdAt: 0,
    engineState: null,
  };
}

export function outbound(
  host: TestHost,
  parts: readonly Part[],
  replyTo: string | null = null,
): ReviewedMessage<"outbound"> {
  const message: Message = {
    id: host.newId("msg") as MessageId,
    conversationId: "cnv" as ConversationId,
    from: "bot",
    personId: null,
    parts,
    contentHash: contentHash(parts, host),
    state: "queued",
    reason: null,
    turnId: null,
    notice: null,
    platformRef: null,
    replyTo,
    at: 0,
  };
  return message as ReviewedMessage<"outbound">;
}

export function text(said: string): Part {
  return { kind: "text", text: said };
}

/** Asserts how a delivery fails; the error must not tell the token. */
export async function failsWith(
  fake: FakeTelegram,
  work: Promise<unknown>,
  failure: DeliveryFailure,
  reason?: RegExp,
): Promise<void> {
  await assert.rejects(work, (error) => {
    assert.ok(error instanceof DeliveryError, `not a DeliveryError: ${inspect(error)}`);
    assert.deepEqual(error.failure, failure);
    if (reason !== undefined) assert.match(error.message, reason);
    assertNoSecret(fake, error);
    return true;
  });
}

/** Resolves once it is so. What a test waits for is I/O on this machine, never time. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}
