import type { Conversation } from "./conversation.ts";
import type { Receipt } from "./delivery.ts";
import type { StoredFile } from "./files.ts";
import type { BotId, ChannelId, ContentHash, ConversationId, MessageId } from "./ids.ts";
import type { Message } from "./message.ts";
import type { Choice, FilePart, Media, Part } from "./part.ts";
import type { ReviewedMessage } from "./reviewed.ts";

/** What a platform told us, in our words. */
export interface Update {
  /** The platform's own id of it, unique within the channel: the same key is the same message. */
  readonly key: string;
  readonly conversation: {
    readonly ref: string;
    readonly isGroup: boolean;
    /** The address it had before, when this update tells that it moved. */
    readonly movedFrom: string | null;
  };
  /** Null where the platform does not say who. */
  readonly person: { readonly ref: string; readonly name: string | null; readonly language: string | null } | null;
  readonly parts: readonly Part[];
  /** See `Message.notice`. */
  readonly notice: string | null;
  readonly platformRef: string | null;
  readonly replyTo: string | null;
}

/**
 * Takes an update for good: when it resolves, the message is on disk, and only then may it be acknowledged to the
 * platform. Rejects when it could not be stored; then it must not be acknowledged.
 */
export type Accept = (update: Update) => Promise<Accepted>;

export interface Accepted {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
  /** True when this update had been accepted before; the ids are those of then. */
  readonly isDuplicate: boolean;
}

/** One configured account on a platform. */
export interface Channel {
  readonly id: ChannelId;
  readonly botId: BotId;
  /** `telegram`, `web`. */
  readonly platform: string;
  readonly limits: ChannelLimits;
  /**
   * What becomes of a send that may have arrived. `resend` where the platform honours an idempotency key or a second
   * copy does no harm; `stop` where it would be a second answer: the message then ends as `unknown`.
   */
  readonly whenUnknown: "resend" | "stop";
  /**
   * Brings in updates until `signal` aborts, then resolves. Returns at once on a channel that is only written to.
   * Retries by itself what a retry can mend; throws when only an operator can (a wrong token), saying how.
   */
  listen(accept: Accept, signal: AbortSignal): Promise<void>;
  /** Brings a message to the platform, whole and in order, and returns the receipts of this try. Throws `DeliveryError`. */
  deliver(delivery: Delivery, signal: AbortSignal): Promise<readonly Receipt[]>;
}

/** What a platform can take, as data, so that nobody asks "is it Telegram?". Lengths in UTF-16 units. */
export interface ChannelLimits {
  /** Of one piece; longer texts are split by the channel. */
  readonly textMax: number;
  readonly captionMax: number;
  readonly choicesMax: number;
  readonly fileBytesMax: number;
}

export interface Delivery {
  readonly message: ReviewedMessage<"outbound">;
  readonly conversation: Conversation;
  /** The same for every try of this message. */
  readonly idempotencyKey: string;
  /** Pieces that arrived in earlier tries, in order: go on after them. */
  readonly receipts: readonly Receipt[];
  /** To be awaited after each piece but the last, so that a crash repeats none. Throws when the lease was lost: stop then. */
  pieceDelivered(receipt: Receipt): Promise<void>;
  /** The content of a file part. Throws when it is not there. */
  readFile(hash: ContentHash): AsyncIterable<Uint8Array>;
}

/** A channel that its platform calls: `POST /webhooks/<channel-id>`. */
export interface WebhookChannel extends Channel {
  /** Checks that the platform sent it, accepts what is in it, and says what to answer. Answers 2xx only after `accept`. */
  handleWebhook(request: WebhookRequest, accept: Accept): Promise<WebhookResponse>;
}

export interface WebhookRequest {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** The raw bytes, as signatures are over these. At most `limits.bodyBytesMax`. */
  readonly body: Uint8Array;
}

export interface WebhookResponse {
  readonly status: number;
  /** A sentence for whoever reads the platform's log; empty when all is well. */
  readonly body: string;
}

/** A channel that can show that the bot is busy. */
export interface TypingChannel extends Channel {
  /** Best effort: a failure is nobody's concern. */
  showTyping(conversation: Conversation, signal: AbortSignal): Promise<void>;
}

/** A channel whose updates point at content that is fetched after they are acknowledged and before they are reviewed. */
export interface CompletingChannel extends Channel {
  /**
   * The message's parts with nothing pending: files fetched or marked `missing`, choice tokens resolved.
   * Throws `DeliveryError` of kind `unavailable` or `throttled` when a retry can mend it.
   */
  complete(message: Message, sources: CompletionSources, signal: AbortSignal): Promise<readonly Part[]>;
}

export interface CompletionSources {
  /** What the bot offered lately in this conversation, newest first. */
  offered(): Promise<readonly Choice[]>;
  /** Stores a file by its content. Throws `FileTooLargeError` over `bytesMax`. */
  saveFile(content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredFile>;
}

/** A channel that can tell whether it would work: `parley doctor`. */
export interface CheckedChannel extends Channel {
  check(signal: AbortSignal): Promise<readonly Finding[]>;
}

export interface Finding {
  readonly ok: boolean;
  /** What was looked at and found: "the token is valid, the bot is @x". */
  readonly message: string;
  /** What to do; null when all is well. */
  readonly remedy: string | null;
}

export function isWebhookChannel(channel: Channel): channel is WebhookChannel {
  return "handleWebhook" in channel;
}

export function isTypingChannel(channel: Channel): channel is TypingChannel {
  return "showTyping" in channel;
}

export function isCompletingChannel(channel: Channel): channel is CompletingChannel {
  return "complete" in channel;
}

export function isCheckedChannel(channel: Channel): channel is CheckedChannel {
  return "check" in channel;
}

/** The kind of media that a MIME type stands for where the platform does not say. */
export function mediaOf(mimeType: string): Media {
  const [type] = mimeType.split("/");
  return type === "image" || type === "audio" || type === "video" ? type : "document";
}

/** A file part whose content Parley holds. */
export function storedFilePart(part: FilePart, file: StoredFile): FilePart {
  return { ...part, hash: file.hash, bytes: file.bytes, missing: null };
}
