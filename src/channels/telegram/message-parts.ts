import type { Message as TelegramMessage } from "@grammyjs/types";
import type { FilePart, Media, Part } from "../../core/part.ts";
import { type Fields, fieldsOf, numberOf, textOf } from "./json-fields.ts";

/** What Telegram says about a message rather than in it. The compiler sees that none is forgotten. */
const about: Readonly<Record<keyof TelegramMessage.MediaMessage, true>> = {
  author_signature: true,
  business_connection_id: true,
  caption: true,
  caption_entities: true,
  chat: true,
  date: true,
  direct_messages_topic: true,
  edit_date: true,
  effect_id: true,
  ephemeral_message_id: true,
  external_reply: true,
  forward_origin: true,
  from: true,
  guest_bot_caller_chat: true,
  guest_bot_caller_user: true,
  guest_query_id: true,
  has_media_spoiler: true,
  has_protected_content: true,
  is_automatic_forward: true,
  is_from_offline: true,
  is_paid_post: true,
  is_topic_message: true,
  link_preview_options: true,
  media_group_id: true,
  message_id: true,
  message_thread_id: true,
  paid_star_count: true,
  quote: true,
  receiver_user: true,
  reply_markup: true,
  reply_to_checklist_task_id: true,
  reply_to_message: true,
  reply_to_poll_option_id: true,
  reply_to_story: true,
  sender_boost_count: true,
  sender_business_bot: true,
  sender_chat: true,
  sender_tag: true,
  show_caption_above_media: true,
  via_bot: true,
};

/** What a person can say with a message. All else in one tells of something that happened: a service message. */
const said = new Set<keyof TelegramMessage>([
  "animation",
  "audio",
  "checklist",
  "contact",
  "dice",
  "document",
  "game",
  "giveaway",
  "invoice",
  "live_photo",
  "location",
  "paid_media",
  "photo",
  "poll",
  "rich_message",
  "sticker",
  "story",
  "text",
  "venue",
  "video",
  "video_note",
  "voice",
  "web_app_data",
]);

/** In this order: an animation comes with a `document` too. */
const files = [
  { field: "animation", media: "video", mimeType: "video/mp4" },
  { field: "video", media: "video", mimeType: "video/mp4" },
  { field: "video_note", media: "video", mimeType: "video/mp4" },
  { field: "audio", media: "audio", mimeType: "audio/mpeg" },
  { field: "voice", media: "voice", mimeType: "audio/ogg" },
  { field: "sticker", media: "sticker", mimeType: "image/webp" },
  { field: "document", media: "document", mimeType: "application/octet-stream" },
] as const satisfies readonly { field: keyof TelegramMessage; media: Media; mimeType: string }[];

export interface MessageContent {
  readonly parts: readonly Part[];
  /** The platform's name of what happened, when nobody said anything: `new_chat_members`. */
  readonly service: string | null;
}

/** What is in a message, never nothing. */
export function messageContent(message: Fields): MessageContent {
  const text = textOf(message.text);
  if (text !== null) return { parts: [{ kind: "text", text }], service: null };
  const part = filePart(message) ?? placePart(message) ?? contactPart(message);
  if (part !== null) return { parts: [part], service: null };

  const type =
    Object.keys(message).find((name) => !Object.hasOwn(about, name) && !name.endsWith("entities")) ?? "empty";
  const parts: Part[] = [{ kind: "unsupported", type }];
  const caption = textOf(message.caption);
  if (caption !== null) parts.push({ kind: "text", text: caption });
  return { parts, service: said.has(type as keyof TelegramMessage) ? null : type };
}

function filePart(message: Fields): FilePart | null {
  const caption = textOf(message.caption);
  const sizes = Array.isArray(message.photo) ? message.photo : [];
  // The sizes are in ascending order.
  const photo = fileOf(sizes.at(-1), { media: "image", mimeType: "image/jpeg", caption });
  if (photo !== null) return photo;
  for (const { field, media, mimeType } of files) {
    const file = fileOf(message[field], { media, mimeType, caption });
    if (file !== null) return file;
  }
  return null;
}

function fileOf(value: unknown, what: Pick<FilePart, "media" | "mimeType" | "caption">): FilePart | null {
  const file = fieldsOf(value);
  const ref = textOf(file?.file_id);
  if (file === null || ref === null) return null;
  return {
    kind: "file",
    media: what.media,
    mimeType: textOf(file.mime_type) ?? stickerType(file) ?? what.mimeType,
    name: textOf(file.file_name),
    bytes: numberOf(file.file_size),
    caption: what.caption,
    hash: null,
    ref,
    missing: null,
  };
}

function stickerType(file: Fields): string | null {
  if (file.is_animated === true) return "application/x-tgsticker";
  return file.is_video === true ? "video/webm" : null;
}

function placePart(message: Fields): Part | null {
  const venue = fieldsOf(message.venue);
  const location = fieldsOf(venue?.location ?? message.location);
  const latitude = numberOf(location?.latitude);
  const longitude = numberOf(location?.longitude);
  if (latitude === null || longitude === null) return null;
  const name = joined([textOf(venue?.title), textOf(venue?.address)], ", ");
  return { kind: "location", latitude, longitude, name };
}

function contactPart(message: Fields): Part | null {
  const contact = fieldsOf(message.contact);
  if (contact === null) return null;
  const name = joined([textOf(contact.first_name), textOf(contact.last_name)], " ");
  return { kind: "contact", name: name ?? "", phone: textOf(contact.phone_number) };
}

/** The texts that say something; null when none does. */
export function joined(texts: readonly (string | null)[], separator: string): string | null {
  const some = texts.filter((text) => text !== null && text !== "");
  return some.length === 0 ? null : some.join(separator);
}
