import type { Update as TelegramUpdate } from "@grammyjs/types";
import type { Update } from "../../core/channel.ts";
import type { Part } from "../../core/part.ts";
import { isChoiceToken } from "./choice-token.ts";
import { chatRef } from "./conversation-ref.ts";
import { type Fields, fieldsOf, idOf, textOf } from "./json-fields.ts";
import { joined, messageContent } from "./message-parts.ts";

type Kind = Exclude<keyof TelegramUpdate, "update_id">;

/**
 * The kinds of updates that Telegram has, and whether Parley asks for them. The two it does not ask for come for every
 * move of a stranger in a large group, and only when asked for.
 */
const kinds: Readonly<Record<Kind, boolean>> = {
  message: true,
  edited_message: true,
  channel_post: true,
  edited_channel_post: true,
  callback_query: true,
  message_reaction: true,
  my_chat_member: true,
  chat_join_request: true,
  chat_boost: true,
  removed_chat_boost: true,
  inline_query: true,
  chosen_inline_result: true,
  poll: true,
  poll_answer: true,
  shipping_query: true,
  pre_checkout_query: true,
  purchased_paid_media: true,
  business_connection: true,
  business_message: true,
  edited_business_message: true,
  deleted_business_messages: true,
  guest_message: true,
  stopped_message_generation: true,
  managed_bot: true,
  subscription: true,
  chat_member: false,
  message_reaction_count: false,
};

/** For `allowed_updates`: what Telegram is asked to send. */
export const wantedUpdates: readonly string[] = Object.keys(kinds).filter((kind) => kinds[kind as Kind]);

/** An update's id; null when what was sent is no update. */
export function updateIdOf(raw: unknown): number | null {
  const id = fieldsOf(raw)?.update_id;
  return typeof id === "number" && Number.isSafeInteger(id) && id >= 0 ? id : null;
}

/** The id by which a press of a button is answered; null when the update is none. */
export function callbackQueryId(raw: Fields): string | null {
  return textOf(fieldsOf(raw.callback_query)?.id);
}

/**
 * An update in our words. What Parley has no words for, and what is not as Telegram documents it, becomes an
 * `unsupported` part with a notice, so that nothing vanishes and nothing stops the queue.
 *
 * @returns null for the bot's own message: Telegram tells a bot of the service messages it causes.
 */
export function mapUpdate(raw: Fields, updateId: number, botUserId: string | null): Update | null {
  const kind = Object.keys(raw).find((name) => name !== "update_id") ?? "empty";
  const body = fieldsOf(raw[kind]);
  const key = String(updateId);
  if (body === null) return other(kind, key, {});
  switch (kind) {
    case "message":
      return isOwn(body, botUserId) ? null : fromMessage(kind, key, body, null);
    case "edited_message":
      return fromMessage(kind, key, body, "edit");
    case "channel_post":
    case "edited_channel_post":
      return fromMessage(kind, key, body, "channel post");
    case "callback_query":
      return fromCallback(kind, key, body);
    case "message_reaction":
      return fromReaction(kind, key, body);
    default:
      return other(kind, key, body);
  }
}

function isOwn(message: Fields, botUserId: string | null): boolean {
  const from = fieldsOf(message.from);
  return from?.is_bot === true && idOf(from.id) === botUserId;
}

function fromMessage(kind: string, key: string, message: Fields, notice: string | null): Update {
  const address = chatRef(message);
  const messageId = idOf(message.message_id);
  if (address === null || messageId === null) return other(kind, key, message);
  const content = messageContent(message);
  return {
    key,
    conversation: moved(message, address),
    person: sender(message),
    parts: content.parts,
    notice: notice ?? content.service,
    platformRef: messageId,
    replyTo: repliedTo(message),
  };
}

/** A group that becomes a supergroup gets a new id; Telegram says so once in each of the two chats. */
function moved(message: Fields, { ref, isGroup }: { ref: string; isGroup: boolean }): Update["conversation"] {
  const newRef = idOf(message.migrate_to_chat_id);
  if (newRef !== null) return { ref: newRef, isGroup, movedFrom: ref };
  return { ref, isGroup, movedFrom: idOf(message.migrate_from_chat_id) };
}

/** In a topic Telegram calls every message a reply to the one that opened the topic; that is nobody's reply. */
function repliedTo(message: Fields): string | null {
  const replyTo = idOf(fieldsOf(message.reply_to_message)?.message_id);
  const isTopicRoot = message.is_topic_message === true && replyTo === idOf(message.message_thread_id);
  return isTopicRoot ? null : replyTo;
}

/** Who wrote: a chat where it speaks itself (an anonymous admin, a linked channel; `from` is a stand-in then), else the user. */
function sender(message: Fields): Update["person"] {
  return personOf(message.sender_chat) ?? personOf(message.from);
}

function personOf(value: unknown): Update["person"] {
  const who = fieldsOf(value);
  const ref = idOf(who?.id);
  if (who === null || ref === null) return null;
  const name = joined([textOf(who.first_name), textOf(who.last_name)], " ");
  return { ref, name: name ?? textOf(who.title) ?? textOf(who.username), language: textOf(who.language_code) };
}

function fromCallback(kind: string, key: string, query: Fields): Update {
  const message = fieldsOf(query.message);
  const address = message === null ? null : chatRef(message);
  const data = textOf(query.data);
  // Without a message it is a button of an inline result, without data one of a game: Parley offers neither.
  if (message === null || address === null || data === null) return other(kind, key, query);
  const choice: Part = {
    kind: "choice",
    value: data,
    label: labelOf(message, data),
    messageRef: idOf(message.message_id),
    pending: isChoiceToken(data),
  };
  return {
    key,
    conversation: { ...address, movedFrom: null },
    person: personOf(query.from),
    parts: [choice],
    notice: null,
    platformRef: null,
    replyTo: null,
  };
}

/** What was written on the button that was pressed. */
function labelOf(message: Fields, data: string): string | null {
  const rows = fieldsOf(message.reply_markup)?.inline_keyboard;
  const buttons = Array.isArray(rows) ? rows.flat() : [];
  const pressed = buttons.map(fieldsOf).find((button) => button?.callback_data === data);
  return textOf(pressed?.text);
}

function fromReaction(kind: string, key: string, reaction: Fields): Update {
  const address = chatRef(reaction);
  const messageRef = idOf(reaction.message_id);
  if (address === null || messageRef === null || !Array.isArray(reaction.new_reaction))
    return other(kind, key, reaction);
  const parts = reaction.new_reaction.map((value): Part => {
    const emoji = textOf(fieldsOf(value)?.emoji);
    return emoji === null ? { kind: "unsupported", type: "reaction" } : { kind: "reaction", emoji, messageRef };
  });
  return {
    key,
    conversation: { ...address, movedFrom: null },
    person: personOf(reaction.actor_chat) ?? personOf(reaction.user),
    parts: parts.length === 0 ? [{ kind: "reaction", emoji: "", messageRef }] : parts,
    notice: "reaction",
    platformRef: null,
    replyTo: null,
  };
}

/** Told, not asked: recorded where it belongs, as far as that can be told. */
function other(kind: string, key: string, body: Fields): Update {
  const person = personOf(body.from) ?? personOf(body.user);
  return {
    key,
    conversation: otherAddress(kind, body, person?.ref),
    person,
    parts: [{ kind: "unsupported", type: kind }],
    notice: kind,
    platformRef: null,
    replyTo: null,
  };
}

function otherAddress(kind: string, body: Fields, personRef: string | undefined): Update["conversation"] {
  const address = chatRef(body) ?? chatRef(fieldsOf(body.message) ?? {});
  // Chats of a business account or of a guest query are not the bot's own, though their ids may be the same.
  const prefix = kind.includes("business") ? "business:" : kind === "guest_message" ? "guest:" : "";
  if (address !== null) return { ref: prefix + address.ref, isGroup: address.isGroup, movedFrom: null };
  if (personRef !== undefined) return { ref: `user:${personRef}`, isGroup: false, movedFrom: null };
  return { ref: "updates", isGroup: true, movedFrom: null };
}
