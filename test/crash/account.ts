import type { MessageId } from "../../src/core/ids.ts";
import { why } from "../../src/journey/why.ts";
import { createMachine } from "../../src/machine.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { ParleyDatabase, type StoredMessage } from "./parley-database.ts";
import { answerTo, type Heard, markOf, type Said } from "./said.ts";

export interface Evidence {
  readonly said: readonly Said[];
  /** In the order it arrived. */
  readonly heard: readonly Heard[];
  readonly database: string;
  /** How often a conversation had something under way when the server was killed: at most so many of its messages may be `unknown`. */
  readonly crashes: ReadonlyMap<string, number>;
}

export interface Violation {
  readonly kind: "lost" | "duplicated" | "out of order" | "unreviewed" | "unexplained";
  readonly what: string;
}

export interface Account {
  readonly answered: number;
  readonly unknown: number;
  /** Of all messages, from persons and the bot. */
  readonly ids: readonly string[];
  readonly violations: readonly Violation[];
}

/** Holds what persons said against what is in the database and what they saw of the bot, when all is done. */
export function accountOf({ said, heard, database: path, crashes }: Evidence): Account {
  using database = new ParleyDatabase(path);
  const violations: Violation[] = [];
  const violated = (kind: Violation["kind"], what: string) => violations.push({ kind, what });

  const stored = database.messages();
  const received = Map.groupBy(from(stored, "person"), ({ text }) => markOf(text));
  const answers = Map.groupBy(from(stored, "bot"), ({ text }) => markOf(text));
  const seen = Map.groupBy(heard, ({ text }) => markOf(text));
  let answered = 0;
  for (const one of said) {
    const [messages, replies] = [received.get(one.mark) ?? [], answers.get(one.mark) ?? []];
    const text = (seen.get(one.mark) ?? []).map((piece) => piece.text).join("");
    const isUnknown = replies.some(({ state }) => state === "unknown");
    const { mark, chat } = one;
    if (messages.length === 0) violated("lost", `${mark} of ${chat} is not in the database`);
    if (messages.length > 1) violated("duplicated", `${mark} of ${chat} is ${messages.length} messages`);
    if (replies.length > 1) violated("duplicated", `${mark} of ${chat} was answered by ${replies.length} messages`);
    if (text === answerTo(one)) answered += 1;
    else if (!answerTo(one).startsWith(text))
      violated("duplicated", `the answer to ${mark} in ${chat} arrived as ${cut(text)}`);
    else if (!isUnknown) violated("lost", `of the answer to ${mark} in ${chat} arrived ${text.length} characters`);
  }
  for (const { chat, text } of heard) {
    const [answer] = answers.get(markOf(text)) ?? [];
    const isThis = answer?.chat === chat && answer.text.includes(text);
    if (!isThis || !answer.isReviewed) violated("unreviewed", `in ${chat} arrived ${cut(text)}`);
  }
  for (const what of outOfOrder(heard)) violated("out of order", what);
  for (const what of unexplained(stored)) violated("unexplained", what);
  for (const what of needlesslyUnknown(stored, crashes)) violated("unexplained", what);
  if (database.waiting > 0) violated("unexplained", `${database.waiting} jobs and lanes are left in the queues`);
  const unknown = stored.filter(({ state }) => state === "unknown").length;
  return { answered, unknown, ids: stored.map(({ id }) => id), violations };
}

/** Every message whose path `parley why` could not tell. */
export async function untold(folder: string, ids: readonly string[]): Promise<readonly string[]> {
  const storage = await openSqliteStorage({ folder, host: createMachine(), as: "command" });
  const left: string[] = [];
  try {
    for (const id of ids) {
      const { summary = "", path = [] } = (await why(id as MessageId, storage)) ?? {};
      if (summary === "" || path.length === 0) left.push(id);
    }
    return left;
  } finally {
    await storage.close();
  }
}

function from(stored: readonly StoredMessage[], sender: StoredMessage["from"]): readonly StoredMessage[] {
  return stored.filter((message) => message.from === sender);
}

/** Marks are counted on, so in each chat they rise. */
function outOfOrder(heard: readonly Heard[]): readonly string[] {
  const last = new Map<string, number>();
  return heard.flatMap(({ chat, text }) => {
    const number = Number(markOf(text).slice(1, -1));
    const before = last.get(chat) ?? 0;
    last.set(chat, Math.max(before, number));
    return number < before ? [`in ${chat}, m${number}x came after m${before}x`] : [];
  });
}

/** Here nothing is held, rejected or refused: a person's message is answered, and its answer arrived or may have. */
function unexplained(stored: readonly StoredMessage[]): readonly string[] {
  return stored
    .filter(({ from, state, reason, isReviewed }) => {
      if (!isReviewed) return true;
      if (from === "person") return state !== "answered";
      return state !== "delivered" && !(state === "unknown" && reason !== null);
    })
    .map(({ id, from, state, reason, isReviewed }) => {
      return `${id} from a ${from} is ${state} (${reason})${isReviewed ? "" : " without a verdict that passed it"}`;
    });
}

function needlesslyUnknown(stored: readonly StoredMessage[], crashes: Evidence["crashes"]): readonly string[] {
  const unknown = Map.groupBy(
    stored.filter(({ state }) => state === "unknown"),
    ({ chat }) => chat,
  );
  return [...unknown].flatMap(([chat, messages]) => {
    const max = crashes.get(chat) ?? 0;
    if (messages.length <= max) return [];
    const reasons = messages.map(({ id, reason }) => `${id} (${reason})`).join(", ");
    return [`${chat} was killed while sending ${max} times, and these are unknown: ${reasons}`];
  });
}

function cut(text: string): string {
  return text.length > 100 ? `${text.slice(0, 100)} … (${text.length} characters)` : text;
}
