import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import type { ApiKey } from "../../core/change.ts";
import type { Conversation } from "../../core/conversation.ts";
import type { BotId, ConversationId, MessageId, TurnId } from "../../core/ids.ts";
import type { Message } from "../../core/message.ts";
import type { MovedAddress, Page, StorageStatus } from "../../core/store.ts";
import type { Step, Turn } from "../../core/turn.ts";
import { type PageStart, pageOf } from "../shared/page-cursor.ts";
import { storageLimits } from "../shared/storage-limits.ts";
import type { Answers } from "./calls.ts";
import type { KnownSeqs } from "./known-seqs.ts";
import { prepareList } from "./lane-statements.ts";
import * as rows from "./rows.ts";

/** A message whose conversation is in the last column. */
type JoinedMessageRow = readonly [...message: rows.MessageRow, conversationId: ConversationId];

/** What is read but the queues. */
export class Reads {
  readonly #statements: Statements;
  readonly #seqs: KnownSeqs;

  constructor(database: DatabaseSync, seqs: KnownSeqs) {
    this.#statements = prepare(database);
    this.#seqs = seqs;
  }

  findConversation(id: ConversationId): Conversation | null {
    const [row] = list<rows.ConversationRow>(this.#statements.conversation, id);
    return row === undefined ? null : rows.conversationOf(row);
  }

  /** Those that are there, in the order of `ids`. */
  findMessages(ids: readonly MessageId[]): readonly Message[] {
    return ids.flatMap((id) => list<JoinedMessageRow>(this.#statements.message, id).map(joinedMessageOf));
  }

  findTurn(id: TurnId): Turn | null {
    const [row] = list<rows.TurnRow>(this.#statements.turn, id);
    return row === undefined ? null : rows.turnOf(row);
  }

  steps(turnId: TurnId): readonly Step[] {
    return list<rows.StepRow>(this.#statements.steps, turnId).map(rows.stepOf);
  }

  findPath(id: MessageId): Answers["findPath"] {
    const [message] = this.findMessages([id]);
    const conversation = message === undefined ? null : this.findConversation(message.conversationId);
    if (message === undefined || conversation === null) return null;
    const turn = message.turnId === null ? null : this.findTurn(message.turnId);
    const seq = this.#seqs.message(id);
    return {
      message,
      conversation,
      verdicts: list<rows.VerdictRow>(this.#statements.verdicts, seq).map((row) => rows.verdictOf(row, id)),
      turn,
      steps: turn === null ? [] : this.steps(turn.id),
      attempts: list<rows.AttemptRow>(this.#statements.attempts, seq).map((row) => rows.attemptOf(row, id)),
    };
  }

  /** The newest, newest last. */
  transcript(conversationId: ConversationId, limit: number): readonly Message[] {
    const conversation = this.#seqs.findConversation(conversationId) ?? 0;
    const newestFirst = list<rows.MessageRow>(this.#statements.transcript, conversation, limit);
    return newestFirst.map((row) => rows.messageOf(row, conversationId)).reverse();
  }

  /** Oldest first. */
  messages(conversationId: ConversationId, { limit, after }: PageStart): Page<Message> {
    const conversation = this.#seqs.findConversation(conversationId) ?? 0;
    const found = list<rows.MessageRow>(this.#statements.messages, conversation, after ?? 0, limit + 1);
    return pageOf(
      numbered(found, (row) => rows.messageOf(row, conversationId)),
      limit,
    );
  }

  /** Newest first. */
  conversations(botId: BotId | null, { limit, after }: PageStart): Page<Conversation> {
    const { conversations, conversationsOfBot } = this.#statements;
    const before = after ?? Number.MAX_SAFE_INTEGER;
    const found =
      botId === null
        ? list<rows.ConversationRow>(conversations, before, limit + 1)
        : list<rows.ConversationRow>(conversationsOfBot, botId, before, limit + 1);
    return pageOf(numbered(found, rows.conversationOf), limit);
  }

  /** Oldest first. */
  undecided(state: "held" | "dead" | "unknown", { limit, after }: PageStart): Page<Message> {
    const found = list<JoinedMessageRow>(this.#statements[state], after ?? 0, limit + 1);
    return pageOf(numbered(found, joinedMessageOf), limit);
  }

  movedAddresses(): readonly MovedAddress[] {
    const found = this.#statements.movedAddresses.all(storageLimits.movedMax) as unknown as MovedAddress[];
    return found.reverse();
  }

  findApiKey(keyHash: string): ApiKey | null {
    const [row] = list<rows.ApiKeyRow>(this.#statements.apiKey, keyHash);
    return row === undefined ? null : rows.apiKeyOf(row);
  }

  apiKeys({ limit, after }: PageStart): Page<ApiKey> {
    const found = list<rows.ApiKeyRow>(this.#statements.apiKeys, after ?? 0, limit + 1);
    return pageOf(numbered(found, rows.apiKeyOf), limit);
  }

  /** Nothing here grows with the history: rows are never deleted, so the last one's number is their count. */
  counts(): Omit<StorageStatus, "queues"> {
    return this.#statements.counts.get() as unknown as Omit<StorageStatus, "queues">;
  }
}

function list<Row extends readonly unknown[]>(statement: StatementSync, ...values: SQLInputValue[]): readonly Row[] {
  return statement.all(...values) as unknown as readonly Row[];
}

function numbered<Row extends readonly [seq: number, ...rest: unknown[]], Item>(
  found: readonly Row[],
  itemOf: (row: Row) => Item,
): readonly { seq: number; item: Item }[] {
  return found.map((row) => ({ seq: row[0], item: itemOf(row) }));
}

function joinedMessageOf(row: JoinedMessageRow): Message {
  const [conversationId] = row.slice(-1) as [ConversationId];
  return rows.messageOf(row as unknown as rows.MessageRow, conversationId);
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync) {
  const prepareRows = (sql: string): StatementSync => prepareList(database, sql);
  const {
    conversationColumns,
    messageColumns,
    turnColumns,
    stepColumns,
    verdictColumns,
    attemptColumns,
    apiKeyColumns,
  } = rows;
  const joinedMessages = `SELECT ${messageColumns}, conversations.id
    FROM messages CROSS JOIN conversations ON conversations.seq = messages.conversation`;
  // The state is written out, for a partial index serves no other statement.
  const prepareUndecided = (state: string): StatementSync =>
    prepareRows(`${joinedMessages} WHERE state = '${state}' AND messages.seq > ? ORDER BY messages.seq LIMIT ? + 0`);
  return {
    conversation: prepareRows(`SELECT ${conversationColumns} FROM conversations WHERE id = ?`),
    conversations: prepareRows(
      `SELECT ${conversationColumns} FROM conversations WHERE seq < ? ORDER BY seq DESC LIMIT ? + 0`,
    ),
    conversationsOfBot: prepareRows(
      `SELECT ${conversationColumns} FROM conversations WHERE bot_id = ? AND seq < ? ORDER BY seq DESC LIMIT ? + 0`,
    ),
    message: prepareRows(`${joinedMessages} WHERE messages.id = ?`),
    messages: prepareRows(
      `SELECT ${messageColumns} FROM messages WHERE conversation = ? AND seq > ? ORDER BY seq LIMIT ? + 0`,
    ),
    transcript: prepareRows(
      `SELECT ${messageColumns} FROM messages WHERE conversation = ? ORDER BY seq DESC LIMIT ? + 0`,
    ),
    held: prepareUndecided("held"),
    dead: prepareUndecided("dead"),
    unknown: prepareUndecided("unknown"),
    turn: prepareRows(`SELECT ${turnColumns} FROM turns WHERE id = ?`),
    steps: prepareRows(`SELECT ${stepColumns} FROM steps WHERE turn_id = ? ORDER BY seq`),
    verdicts: prepareRows(`SELECT ${verdictColumns} FROM verdicts WHERE message = ? ORDER BY at`),
    attempts: prepareRows(`SELECT ${attemptColumns} FROM attempts WHERE message = ? ORDER BY attempt`),
    movedAddresses: database.prepare(`
      SELECT moved_addresses.channel_id AS channelId, moved_addresses.ref, conversations.id AS conversationId
      FROM moved_addresses CROSS JOIN conversations ON conversations.seq = moved_addresses.conversation
      ORDER BY moved_addresses.seq DESC LIMIT ? + 0`),
    apiKey: prepareRows(`SELECT ${apiKeyColumns} FROM api_keys WHERE key_hash = ?`),
    apiKeys: prepareRows(`SELECT ${apiKeyColumns} FROM api_keys WHERE seq > ? ORDER BY seq LIMIT ? + 0`),
    counts: database.prepare(`
      SELECT
        (SELECT count(*) FROM messages WHERE state = 'held') AS held,
        (SELECT count(*) FROM messages WHERE state = 'dead') AS dead,
        (SELECT count(*) FROM messages WHERE state = 'unknown') AS unknown,
        (SELECT coalesce(max(seq), 0) FROM conversations) AS conversations,
        (SELECT coalesce(max(seq), 0) FROM messages) AS messages`),
  };
}
