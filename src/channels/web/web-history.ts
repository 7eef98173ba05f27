import { z } from "zod";
import { InputError } from "../../core/errors.ts";
import type { ConversationId, MessageId } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import { type Message, type MessageState, messageMoves } from "../../core/message.ts";
import type { Page, Store } from "../../core/store.ts";
import { webLimits } from "./web-limits.ts";
import { isVisible } from "./web-message.ts";

/**
 * How far somebody has read a conversation: up to a message, but for those before it whose state could still change.
 * Without the second half, an answer that was on its way when a later message was read would never be shown.
 */
export interface Place {
  /** Null before the first. */
  readonly after: MessageId | null;
  readonly open: ReadonlyMap<MessageId, MessageState>;
}

export type HistoryStore = Pick<Store, "transcript" | "messages" | "findMessages">;

/** What somebody sees who reads on: a message that is new to them, or another state of one they wrote. */
interface News {
  readonly kind: "message" | "state";
  readonly message: Message;
}

export interface Reader {
  /**
   * Everything since the last call, each thing once: first what became of messages that were read earlier, then what came
   * after them, oldest first. Throws `InputError` `invalid_cursor` when the place is not in this conversation.
   */
  read(): AsyncGenerator<News>;
  /** Where the reading stands: after what `read` gave last. */
  place(): Place;
}

export interface HistoryPage {
  /** Visible ones, oldest first. */
  readonly messages: readonly Message[];
  /** Messages before this one are on the next page; null on the last. */
  readonly next: MessageId | null;
}

/** The newest messages, and the place to read on from. */
export async function newestPage(
  store: HistoryStore,
  id: ConversationId,
  limit: number,
): Promise<HistoryPage & { place: Place }> {
  const recent = await store.transcript(id, limits.pageMax);
  const open = new Map<MessageId, MessageState>();
  for (const message of recent) noteOpen(open, message);
  return { ...(await pageBefore(store, id, null, limit, recent)), place: { after: recent.at(-1)?.id ?? null, open } };
}

/** The messages before one. Throws `InputError` `invalid_cursor` when it is not in this conversation. */
export async function olderPage(
  store: HistoryStore,
  id: ConversationId,
  before: MessageId,
  limit: number,
): Promise<HistoryPage> {
  return pageBefore(store, id, before, limit, await store.transcript(id, limits.pageMax));
}

/** Reads a conversation on from a place. */
export function createReader(store: HistoryStore, id: ConversationId, place: Place): Reader {
  let { after } = place;
  const open = new Map(place.open);

  return {
    place: () => ({ after, open: new Map(open) }),

    async *read() {
      const found = open.size === 0 ? [] : await store.findMessages([...open.keys()]);
      for (const message of found) {
        // A cursor comes from outside: what it names must still be of this conversation.
        if (message.conversationId !== id || open.get(message.id) === message.state) continue;
        noteOpen(open, message);
        if (message.from === "person") yield { kind: "state", message };
        else if (isVisible(message)) yield { kind: "message", message };
      }
      for await (const messages of pagesAfter(store, id, after)) {
        for (const message of messages) {
          after = message.id;
          noteOpen(open, message);
          if (isVisible(message)) yield { kind: "message", message };
        }
      }
    },
  };
}

/** Keeps the newest of those whose state may still change. */
function noteOpen(open: Map<MessageId, MessageState>, { id, state }: Message): void {
  open.delete(id);
  if (messageMoves[state].length > 0) open.set(id, state);
  for (const oldest of open.keys()) {
    if (open.size <= webLimits.openMax) break;
    open.delete(oldest);
  }
}

/** Usually the end of the newest few; a walk from the beginning only for somebody who was away for very long. */
async function* pagesAfter(
  store: HistoryStore,
  id: ConversationId,
  after: MessageId | null,
): AsyncGenerator<readonly Message[]> {
  for (const limit of [20, limits.pageMax]) {
    const recent = await store.transcript(id, limit);
    const index = recent.findIndex((message) => message.id === after);
    if (index === -1 && recent.length === limit) continue;
    if (index === -1 && after !== null) throw noSuchPlace();
    yield recent.slice(index + 1);
    return;
  }
  let isAfter = after === null;
  for await (const messages of walk(store, id)) {
    const index = isAfter ? -1 : messages.findIndex((message) => message.id === after);
    isAfter ||= index !== -1;
    if (isAfter) yield messages.slice(index + 1);
  }
  if (!isAfter) throw noSuchPlace();
}

async function pageBefore(
  store: HistoryStore,
  id: ConversationId,
  before: MessageId | null,
  limit: number,
  recent: readonly Message[],
): Promise<HistoryPage> {
  const isWhole = recent.length < limits.pageMax;
  const end = before === null ? recent.length : recent.findIndex((message) => message.id === before);
  if (end === -1 && isWhole) throw noSuchPlace();
  const visible = recent.slice(0, Math.max(end, 0)).filter(isVisible);
  if (isWhole || visible.length > limit) return lastOf(visible, limit);

  const earlier: Message[] = [];
  for await (const messages of walk(store, id)) {
    const index = messages.findIndex((message) => message.id === before);
    earlier.push(...messages.slice(0, index === -1 ? undefined : index).filter(isVisible));
    earlier.splice(0, earlier.length - limit - 1);
    if (index !== -1) return lastOf(earlier, limit);
  }
  if (before !== null) throw noSuchPlace();
  return lastOf(earlier, limit);
}

function lastOf(messages: readonly Message[], limit: number): HistoryPage {
  const page = messages.slice(-limit);
  return { messages: page, next: messages.length > limit ? (page[0]?.id ?? null) : null };
}

/** A whole conversation, oldest first. */
async function* walk(store: HistoryStore, id: ConversationId): AsyncGenerator<readonly Message[]> {
  let cursor: string | null = null;
  for (let pages = 0; pages < webLimits.walkMax; pages++) {
    const page: Page<Message> = await store.messages(id, { limit: limits.pageMax, cursor });
    yield page.items;
    cursor = page.next;
    if (cursor === null) return;
  }
  throw new InputError("invalid_cursor", "This lies too far back to be read.");
}

function noSuchPlace(): InputError {
  return new InputError("invalid_cursor", "The cursor is not one of this conversation: begin again without it.");
}

const cursorShape = z.tuple([z.string().nullable(), z.array(z.tuple([z.string(), z.string()])).max(webLimits.openMax)]);

/** A place as text for a URL. */
export function cursorOf({ after, open }: Place): string {
  return Buffer.from(JSON.stringify([after, [...open]])).toString("base64url");
}

/** Throws `InputError` `invalid_cursor` for what is no cursor of ours. */
export function placeOf(cursor: string): Place {
  try {
    const [after, open] = cursorShape.parse(JSON.parse(Buffer.from(cursor, "base64url").toString()));
    return { after: after as MessageId | null, open: new Map(open as [MessageId, MessageState][]) };
  } catch (error) {
    throw new InputError("invalid_cursor", "The cursor is not one of ours: begin again without it.", { cause: error });
  }
}
