import type { Delivery } from "../../core/channel.ts";
import { DeliveryError, type Receipt } from "../../core/delivery.ts";
import { FileMissingError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import type { Log } from "../../core/log.ts";
import { type Target, targetOf } from "./conversation-ref.ts";
import type { Governor } from "./governor.ts";
import { fieldsOf, idOf } from "./json-fields.ts";
import type { Upload } from "./multipart.ts";
import { documentInstead, type Piece, type PieceFile, piecesOf } from "./pieces.ts";
import type { Answer, Failure, TelegramApi } from "./telegram-api.ts";

export interface DeliveringParts {
  readonly api: TelegramApi;
  readonly governor: Governor;
  readonly host: Host;
  readonly log: Log;
}

/** An upload may take most of the time that a delivery has. */
const uploadMs = 110_000;

/** See `Channel.deliver`. */
export async function deliverMessage(
  parts: DeliveringParts,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<readonly Receipt[]> {
  const { ref, isGroup } = delivery.conversation;
  const target = targetOf(ref);
  if (target === null) {
    throw new DeliveryError({ kind: "refused" }, `Nothing can be sent to "${ref}": it is not a chat of the bot.`);
  }
  const pieces = piecesOf(delivery.message, parts.host);
  const chat = { id: String(target.chat_id), isGroup };
  const receipts: Receipt[] = [];
  for (let at = delivery.receipts.length; at < pieces.length; at++) {
    const piece = pieces[at];
    if (piece === undefined) break;
    const waitMs = parts.governor.take(chat, `${delivery.idempotencyKey}/${at}`);
    if (waitMs > 0) {
      throw new DeliveryError(
        { kind: "throttled", retryAfterMs: waitMs },
        "Sending now would go over Telegram's rates.",
      );
    }
    const receipt = await sendPiece(parts, piece, target, delivery, signal);
    receipts.push(receipt);
    if (at < pieces.length - 1) await delivery.pieceDelivered(receipt);
  }
  return receipts;
}

async function sendPiece(
  parts: DeliveringParts,
  piece: Piece,
  target: Target,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Receipt> {
  let answer = await callWith(parts, piece, target, delivery, signal);
  if (piece.method === "sendPhoto" && isUnreadablePhoto(answer)) {
    answer = await callWith(parts, documentInstead(piece), target, delivery, signal);
  }
  if (answer.kind !== "ok") throw deliveryError(parts, answer, String(target.chat_id));
  const messageId = idOf(fieldsOf(answer.result)?.message_id);
  if (messageId === null)
    throw new DeliveryError({ kind: "unknown" }, `Telegram took ${piece.method} but named no message.`);
  return { platformRef: messageId, at: Math.floor(parts.host.clock.now()) };
}

async function callWith(
  { api }: DeliveringParts,
  piece: Piece,
  target: Target,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Answer> {
  const params = { ...target, ...piece.params };
  if (piece.file === null) return api.call(piece.method, params, { signal });
  const source = new FileSource(piece.file, delivery);
  const answer = await api.call(piece.method, params, { signal, upload: source.upload, timeoutMs: uploadMs });
  // A body that never ended is not a request, so whatever the answer, nothing was sent.
  if (source.failure !== null) throw fileError(source.failure);
  return answer;
}

/** A file as an upload that remembers why it could not be read. */
class FileSource {
  readonly upload: Upload;
  failure: Error | null = null;

  constructor({ field, part, hash }: PieceFile, delivery: Delivery) {
    const content = this.#read(delivery.readFile(hash));
    this.upload = { field, fileName: part.name ?? part.media, mimeType: part.mimeType, content };
  }

  async *#read(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* content;
    } catch (cause) {
      this.failure = cause instanceof Error ? cause : new Error(String(cause));
      throw this.failure;
    }
  }
}

function fileError(cause: Error): DeliveryError {
  const isGone = cause instanceof FileMissingError;
  const reason = isGone ? "A file of the message is no longer there." : "A file of the message could not be read.";
  return new DeliveryError({ kind: isGone ? "refused" : "unavailable" }, reason, { cause });
}

function isUnreadablePhoto(answer: Answer): boolean {
  return (
    answer.kind === "refused" && answer.code === 400 && /IMAGE_PROCESS_FAILED|PHOTO_\w*INVALID/.test(answer.description)
  );
}

/** Sorts a failed send by what is to be done next; see docs/channels/telegram.md. */
function deliveryError({ governor, log }: DeliveringParts, failure: Failure, chatId: string): DeliveryError {
  if (failure.kind === "unclear") {
    return new DeliveryError(
      { kind: "unknown" },
      `It is not known whether Telegram took it: ${failure.reason}.`,
      causeOf(failure),
    );
  }
  if (failure.kind === "notTaken") {
    return new DeliveryError({ kind: "unavailable" }, `Not sent: ${failure.reason}.`, causeOf(failure));
  }
  const { code, description, retryAfterMs, movedTo } = failure;
  const reason = `Telegram answered ${code}: ${description}`;
  if (movedTo !== null) return new DeliveryError({ kind: "moved", ref: movedTo }, reason);
  if (code === 429) {
    governor.throttled(chatId, retryAfterMs);
    return new DeliveryError({ kind: "throttled", retryAfterMs }, reason);
  }
  if (code === 401 || code === 404) {
    log.error(
      { code, description },
      "Telegram does not know the bot's token: messages wait until it is mended in the configuration.",
    );
    return new DeliveryError({ kind: "unavailable" }, `${reason}. Check the bot's token.`);
  }
  return new DeliveryError({ kind: code === 503 ? "unavailable" : "refused" }, reason);
}

function causeOf({ cause }: { readonly cause?: Error }): ErrorOptions {
  return cause === undefined ? {} : { cause };
}
