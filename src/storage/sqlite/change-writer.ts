import type { DatabaseSync } from "node:sqlite";
import type { ApiKey, Change, StateChange } from "../../core/change.ts";
import type { Conversation, Person } from "../../core/conversation.ts";
import { type DeliveryAttempt, mergedReceipts } from "../../core/delivery.ts";
import type { ConversationId, PersonId } from "../../core/ids.ts";
import type { Json } from "../../core/json.ts";
import type { Message } from "../../core/message.ts";
import type { Step, Turn } from "../../core/turn.ts";
import type { VerdictRecord } from "../../core/verdict.ts";
import { movedMeanwhile } from "../shared/checked-call.ts";
import { storageLimits } from "../shared/storage-limits.ts";
import type { Jobs } from "./jobs.ts";
import type { KnownSeqs } from "./known-seqs.ts";

/** Thrown when a message was no longer in the state that a change starts from: the whole call is to be taken back. */
export class MovedMeanwhile extends Error {
  override readonly name = "MovedMeanwhile";

  constructor() {
    super(movedMeanwhile);
  }
}

/** Persons that are remembered; past this many it starts anew. */
const personsMax = 20_000;

/** Writes changes, within the transaction of its caller. */
export class ChangeWriter {
  readonly #statements: Statements;
  readonly #seqs: KnownSeqs;
  readonly #jobs: Jobs;
  /** What persons said of themselves, so that it is not written with each message. */
  readonly #persons = new Map<PersonId, string>();

  constructor(database: DatabaseSync, { seqs, jobs }: { seqs: KnownSeqs; jobs: Jobs }) {
    this.#statements = prepare(database);
    this.#seqs = seqs;
    this.#jobs = jobs;
  }

  /** To be called when a transaction was taken back: what it wrote is not there. */
  forget(): void {
    this.#persons.clear();
  }

  /** Keeps the newest `storageLimits.movedMax` addresses. */
  forgetSurplusAddresses(): void {
    this.#statements.forgetAddresses.run(storageLimits.movedMax);
  }

  /** Throws `MovedMeanwhile`, `BugError` and whatever SQLite throws. */
  write(changes: readonly Change[], now: number): void {
    for (const change of changes) this.#write(change, now);
  }

  #write(change: Change, now: number): void {
    switch (change.kind) {
      case "conversation":
        this.#writeConversation(change.conversation);
        break;
      case "moved":
        this.#move(change.conversationId, change.ref);
        break;
      case "person":
        this.#writePerson(change.person);
        break;
      case "message":
        this.#writeMessage(change.message);
        break;
      case "parts":
        this.#complete(change);
        break;
      case "state":
        this.#moveState(change);
        break;
      case "verdict":
        this.#writeVerdict(change.verdict);
        break;
      case "turn":
        this.#writeTurn(change.turn);
        break;
      case "step":
        this.#writeStep(change.step);
        break;
      case "engineState":
        this.#writeEngineState(change.conversationId, change.state);
        break;
      case "attempt":
        this.#writeAttempt(change.attempt);
        break;
      case "job":
        this.#jobs.add(change.job, now);
        break;
      case "apiKey":
        this.#writeApiKey(change.apiKey);
        break;
    }
  }

  #writeConversation(conversation: Conversation): void {
    const { id, botId, channelId, ref, isGroup, personId, createdAt, engineState } = conversation;
    if (this.#seqs.findConversation(id) !== undefined) return;
    const state = JSON.stringify(engineState);
    const { conversation: insert } = this.#statements;
    const { lastInsertRowid } = insert.run(id, botId, channelId, ref, isGroup ? 1 : 0, personId, createdAt, state);
    this.#seqs.rememberConversation(id, Number(lastInsertRowid));
  }

  #writePerson({ id, channelId, ref, name, language }: Person): void {
    const said = JSON.stringify([name, language]);
    if (this.#persons.get(id) === said) return;
    this.#statements.person.run(id, channelId, ref, name, language);
    if (this.#persons.size >= personsMax) this.#persons.clear();
    this.#persons.set(id, said);
  }

  #move(conversationId: ConversationId, ref: string): void {
    const conversation = this.#seqs.conversation(conversationId);
    this.#statements.readdress.run(ref, conversation);
    this.#statements.moved.run(ref, conversation);
  }

  #writeMessage(message: Message): void {
    const conversation = this.#seqs.conversation(message.conversationId);
    const { changes, lastInsertRowid } = this.#statements.message.run(
      message.id,
      conversation,
      message.from,
      message.personId,
      JSON.stringify(message.parts),
      message.contentHash,
      message.state,
      message.reason,
      message.turnId,
      message.notice,
      message.platformRef,
      message.replyTo,
      message.at,
    );
    if (changes === 1) this.#seqs.rememberMessage(message.id, { seq: Number(lastInsertRowid), conversation });
  }

  #complete({ messageId, parts, contentHash }: Extract<Change, { kind: "parts" }>): void {
    const { changes } = this.#statements.parts.run(JSON.stringify(parts), contentHash, this.#seqs.message(messageId));
    if (changes === 0) throw new MovedMeanwhile();
  }

  #moveState(change: StateChange): void {
    const { messageId, from, to, reason, turnId, platformRef } = change;
    const message = this.#seqs.message(messageId);
    const { changes } = this.#statements.state.run(to, reason, turnId ?? null, platformRef ?? null, message, from);
    if (changes === 0) throw new MovedMeanwhile();
  }

  #writeVerdict(verdict: VerdictRecord): void {
    const { messageId, contentHash, outcome, direction, reviewer, changed, reason, at } = verdict;
    const message = this.#seqs.message(messageId);
    this.#statements.verdict.run(message, contentHash, outcome, direction, reviewer, changed ? 1 : 0, reason, at);
  }

  #writeTurn(turn: Turn): void {
    const { id, conversationId, messageIds, answerIds, route, engine, attempt, startedAt, endedAt } = turn;
    const [asked, said] = [JSON.stringify(messageIds), JSON.stringify(answerIds)];
    this.#statements.turn.run(id, conversationId, asked, said, route, engine, attempt, startedAt, endedAt);
  }

  #writeStep({ turnId, name, result, at }: Step): void {
    this.#statements.step.run(turnId, name, JSON.stringify(result), at);
  }

  #writeEngineState(conversationId: ConversationId, state: Json): void {
    this.#statements.engineState.run(JSON.stringify(state), this.#seqs.conversation(conversationId));
  }

  #writeAttempt({ messageId, attempt, outcome, receipts, reason, at }: DeliveryAttempt): void {
    const message = this.#seqs.message(messageId);
    const { changes } = this.#statements.attempt.run(message, attempt, outcome, JSON.stringify(receipts), reason, at);
    if (changes === 1) return;
    const before = this.#statements.receipts.get(message, attempt) as { receipts: string };
    const all = JSON.stringify(mergedReceipts(JSON.parse(before.receipts), receipts));
    this.#statements.attemptAgain.run(outcome, all, reason, at, message, attempt);
  }

  #writeApiKey({ id, keyHash, name, createdAt, revokedAt }: ApiKey): void {
    this.#statements.apiKey.run(id, keyHash, name, createdAt, revokedAt);
  }
}

type Statements = ReturnType<typeof prepare>;

function prepare(database: DatabaseSync) {
  return {
    conversation: database.prepare(`
      INSERT INTO conversations (id, bot_id, channel_id, ref, is_group, person_id, created_at, engine_state)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    readdress: database.prepare("UPDATE conversations SET ref = ? WHERE seq = ?"),
    moved: database.prepare(`
      INSERT OR REPLACE INTO moved_addresses (channel_id, ref, conversation)
      SELECT channel_id, ?, seq FROM conversations WHERE seq = ?`),
    forgetAddresses: database.prepare(`
      DELETE FROM moved_addresses WHERE seq <= (SELECT seq FROM moved_addresses ORDER BY seq DESC LIMIT 1 OFFSET ? + 0)`),
    engineState: database.prepare("UPDATE conversations SET engine_state = ? WHERE seq = ?"),
    person: database.prepare(`
      INSERT INTO persons (id, channel_id, ref, name, language) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, language = excluded.language`),
    message: database.prepare(`
      INSERT INTO messages (id, conversation, sender, person_id, parts, content_hash, state, reason, turn_id, notice,
        platform_ref, reply_to, at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`),
    parts: database.prepare("UPDATE messages SET parts = ?, content_hash = ? WHERE seq = ? AND state = 'received'"),
    state: database.prepare(`
      UPDATE messages SET state = ?, reason = ?, turn_id = coalesce(?, turn_id), platform_ref = coalesce(?, platform_ref)
      WHERE seq = ? AND state = ?`),
    verdict: database.prepare(`
      INSERT INTO verdicts (message, content_hash, outcome, direction, reviewer, changed, reason, at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`),
    turn: database.prepare(`
      INSERT OR REPLACE INTO turns
        (id, conversation_id, message_ids, answer_ids, route, engine, attempt, started_at, ended_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    step: database.prepare(`
      INSERT INTO steps (turn_id, name, result, at) VALUES (?, ?, ?, ?) ON CONFLICT (turn_id, name) DO NOTHING`),
    attempt: database.prepare(`
      INSERT INTO attempts (message, attempt, outcome, receipts, reason, at) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT DO NOTHING`),
    receipts: database.prepare("SELECT receipts FROM attempts WHERE message = ? AND attempt = ?"),
    attemptAgain: database.prepare(`
      UPDATE attempts SET outcome = ?, receipts = ?, reason = ?, at = ? WHERE message = ? AND attempt = ?`),
    apiKey: database.prepare(`
      INSERT INTO api_keys (id, key_hash, name, created_at, revoked_at) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (id) DO UPDATE SET name = excluded.name, revoked_at = excluded.revoked_at`),
  };
}
