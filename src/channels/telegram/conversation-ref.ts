import { type Fields, fieldsOf, idOf, textOf } from "./json-fields.ts";

/**
 * The address of a conversation: `<chat>`, `<chat>/<topic>` for a topic, `<chat>/d<topic>` for one person's direct
 * messages to a channel. `user:…`, `business:…`, `guest:…` and `updates` hold what the bot is told and cannot answer.
 */
export function chatRef(message: Fields): { readonly ref: string; readonly isGroup: boolean } | null {
  const chat = fieldsOf(message.chat);
  const id = idOf(chat?.id);
  if (id === null) return null;
  const type = textOf(chat?.type);
  const isGroup = type === null ? id.startsWith("-") : type !== "private";
  const topic = message.is_topic_message === true ? idOf(message.message_thread_id) : null;
  if (topic !== null) return { ref: `${id}/${topic}`, isGroup };
  const direct = idOf(fieldsOf(message.direct_messages_topic)?.topic_id);
  return direct === null ? { ref: id, isGroup } : { ref: `${id}/d${direct}`, isGroup: false };
}

/** Where a message goes, in the parameters of Telegram's methods. */
export interface Target {
  readonly chat_id: number;
  readonly message_thread_id?: number;
  readonly direct_messages_topic_id?: number;
}

/** Null for an address that nothing can be sent to. */
export function targetOf(ref: string): Target | null {
  const match = /^(-?\d{1,16})(?:\/(d?)(\d{1,16}))?$/.exec(ref);
  if (match === null) return null;
  const [, chat, direct, topic] = match;
  const chat_id = Number(chat);
  if (topic === undefined) return { chat_id };
  return direct === ""
    ? { chat_id, message_thread_id: Number(topic) }
    : { chat_id, direct_messages_topic_id: Number(topic) };
}
