import { DeliveryError } from "../../core/delivery.ts";
import type { Host } from "../../core/host.ts";
import type { ContentHash } from "../../core/ids.ts";
import type { Message } from "../../core/message.ts";
import type { Choice, FilePart } from "../../core/part.ts";
import { choiceData } from "./choice-token.ts";
import type { Fields } from "./json-fields.ts";
import { splitText } from "./split-text.ts";
import { telegramLimits } from "./telegram-limits.ts";

/** One call, one message at Telegram, one receipt. */
export interface Piece {
  readonly method: string;
  /** All but where it goes. */
  readonly params: Fields;
  readonly file: PieceFile | null;
}

export interface PieceFile {
  /** The parameter that carries it. */
  readonly field: string;
  readonly part: FilePart;
  readonly hash: ContentHash;
}

const buttonsPerRow = 2;
const labelMax = 128;
/** Telegram shows no buttons without a message. */
const nothing = "…";

/**
 * A message as Telegram takes it, the same for every try. Texts go out as they are: without a `parse_mode` there is
 * nothing to escape.
 *
 * @throws DeliveryError of kind `refused` for what Telegram has no message for; nothing is left out in silence.
 */
export function piecesOf(message: Message, host: Pick<Host, "hash">): readonly Piece[] {
  const pieces: Piece[] = [];
  const choices: Choice[] = [];
  for (const part of message.parts) {
    switch (part.kind) {
      case "text":
        pieces.push(...textPieces(part.text));
        break;
      case "file":
        pieces.push(...filePieces(part));
        break;
      case "choices":
        choices.push(...part.choices);
        break;
      case "location": {
        const { latitude, longitude } = part;
        pieces.push({ method: "sendLocation", params: { latitude, longitude }, file: null });
        break;
      }
      case "contact":
        if (part.phone === null) throw refused("a contact without a phone number");
        pieces.push({ method: "sendContact", params: { phone_number: part.phone, first_name: part.name }, file: null });
        break;
      default:
        throw refused(`a part of kind "${part.kind}"`);
    }
  }
  if (choices.length > 0) addKeyboard(pieces, keyboard(choices, host));
  if (pieces.length === 0)
    throw new DeliveryError({ kind: "refused" }, "The message is empty: there is nothing to send.");
  return replying(pieces, message.replyTo);
}

function refused(what: string): DeliveryError {
  return new DeliveryError({ kind: "refused" }, `Telegram cannot be sent ${what}. Leave it out of what the bot says.`);
}

/** Telegram refuses a message of nothing but white space. */
function textPieces(text: string): Piece[] {
  return splitText(text, telegramLimits.textMax)
    .filter((piece) => piece.trim() !== "")
    .map((piece) => ({ method: "sendMessage", params: { text: piece }, file: null }));
}

function filePieces(part: FilePart): Piece[] {
  if (part.hash === null) throw refused("a file that Parley does not hold");
  if ((part.bytes ?? 0) > telegramLimits.fileBytesMax)
    throw refused(`a file over ${telegramLimits.fileBytesMax} bytes`);
  const { method, field } = fileMethod(part);
  const caption = part.caption ?? "";
  const hasCaption = caption.trim() !== "" && caption.length <= telegramLimits.captionMax && part.media !== "sticker";
  const piece: Piece = { method, params: hasCaption ? { caption } : {}, file: { field, part, hash: part.hash } };
  return hasCaption ? [piece] : [piece, ...textPieces(caption)];
}

/** Telegram takes as a photo: JPEG, PNG and WebP up to 10 MB; a GIF moves only as an animation. */
function fileMethod({ media, mimeType, bytes }: FilePart): { readonly method: string; readonly field: string } {
  switch (media) {
    case "image": {
      if (mimeType === "image/gif") return { method: "sendAnimation", field: "animation" };
      const isPhoto = /^image\/(jpeg|png|webp)$/.test(mimeType) && (bytes ?? 0) <= telegramLimits.photoBytesMax;
      return isPhoto ? { method: "sendPhoto", field: "photo" } : asDocument;
    }
    case "video":
      return { method: "sendVideo", field: "video" };
    case "audio":
      return { method: "sendAudio", field: "audio" };
    case "voice":
      return { method: "sendVoice", field: "voice" };
    case "sticker":
      return { method: "sendSticker", field: "sticker" };
    case "document":
      return asDocument;
  }
}

const asDocument = { method: "sendDocument", field: "document" } as const;

/** For a photo that Telegram cannot read as one: the same file as a document. */
export function documentInstead(piece: Piece): Piece {
  const file = piece.file === null ? null : { ...piece.file, field: asDocument.field };
  return { method: asDocument.method, params: piece.params, file };
}

function keyboard(choices: readonly Choice[], host: Pick<Host, "hash">): Fields {
  const buttons = choices.map(({ label, value }) => ({
    text: shortened(label.trim() === "" ? value : label),
    callback_data: choiceData(value, host),
  }));
  const rows: (typeof buttons)[] = [];
  for (let at = 0; at < buttons.length; at += buttonsPerRow) rows.push(buttons.slice(at, at + buttonsPerRow));
  return { inline_keyboard: rows };
}

function shortened(label: string): string {
  if (label.trim() === "") return nothing;
  const [first = nothing, rest] = splitText(label, labelMax - nothing.length);
  return rest === undefined ? first : `${first.trimEnd()}${nothing}`;
}

/** On the last text, so that the question stands above its answers; on the last piece where there is no text. */
function addKeyboard(pieces: Piece[], markup: Fields): void {
  const lastText = pieces.findLastIndex((piece) => piece.method === "sendMessage");
  const at = lastText === -1 ? pieces.length - 1 : lastText;
  const piece = pieces[at] ?? { method: "sendMessage", params: { text: nothing }, file: null };
  pieces[Math.max(at, 0)] = { ...piece, params: { ...piece.params, reply_markup: markup } };
}

/** A message that was deleted meanwhile does not keep the answer from being sent. */
function replying(pieces: readonly Piece[], replyTo: string | null): readonly Piece[] {
  const [first, ...rest] = pieces;
  if (first === undefined || replyTo === null || !/^\d{1,16}$/.test(replyTo)) return pieces;
  const reply_parameters = { message_id: Number(replyTo), allow_sending_without_reply: true };
  return [{ ...first, params: { ...first.params, reply_parameters } }, ...rest];
}
