import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { QueueName } from "../../core/job.ts";
import { limits } from "../../core/limits.ts";
import { conversationColumns, messageColumns } from "./rows.ts";

// "LIMIT ? + 0", because SQLite plans a statement anew for each value of a "LIMIT ?", which costs more than running it.

/** Lanes that fall due are made ready in steps, so that a claim never takes long. */
const wokenMax = 1_000;

export type KeyStatements = ReturnType<typeof prepareKeys>;
export type LaneStatements = ReturnType<typeof prepareLanes>;

/** Job keys, and the rows of jobs. */
export function prepareKeys(database: DatabaseSync) {
  return {
    take: database.prepare(`
      INSERT INTO job_keys (key, message, at) VALUES (?, ?, ?) ON CONFLICT (key) DO NOTHING`),
    known: database.prepare(`
      SELECT messages.id AS messageId, conversations.id AS conversationId
      FROM job_keys CROSS JOIN messages ON messages.seq = job_keys.message
      CROSS JOIN conversations ON conversations.seq = messages.conversation
      WHERE key = ?`),
    forget: database.prepare(`
      DELETE FROM job_keys WHERE at <= ? AND seq < (SELECT max(seq) FROM job_keys)
        AND seq IN (SELECT seq FROM job_keys ORDER BY seq LIMIT ? + 0)`),
    insertInbox: database.prepare(`
      INSERT INTO inbox (conversation, seq, key, message, enqueued_at) VALUES (?, ?, ?, ?, ?)`),
    // What a person said never goes out, and nothing but the content that the message has.
    insertOutbox: database.prepare(`
      INSERT INTO outbox (conversation, seq, key, message, enqueued_at, content_hash)
      SELECT conversation, ?, ?, seq, ?, content_hash FROM messages
      WHERE seq = ? AND content_hash = ? AND sender <> 'person'`),
    receipts: prepareList(database, "SELECT receipts FROM attempts WHERE message = ? ORDER BY attempt"),
  };
}

/** The lanes of one queue, and the reading and ending of its jobs. */
export function prepareLanes(database: DatabaseSync, queue: QueueName) {
  const lanes = `${queue}_lanes`;
  const reviewedHash = queue === "outbox" ? "outbox.content_hash" : "NULL";
  return {
    ...prepareJoining(database, lanes),
    ...prepareLeasing(database, lanes),
    jobs: prepareList(
      database,
      `SELECT key, ${reviewedHash}, ${messageColumns}
      FROM ${queue} CROSS JOIN messages ON messages.seq = ${queue}.message
      WHERE ${queue}.conversation = ? ORDER BY ${queue}.seq LIMIT ? + 0`,
    ),
    first: database.prepare(`
      SELECT seq, enqueued_at AS at FROM ${queue} WHERE conversation = ? ORDER BY seq LIMIT ? + 0`),
    endJobs: database.prepare(`DELETE FROM ${queue} WHERE conversation = ? AND seq <= ?`),
    countJobs: database.prepare(`SELECT count(*) AS jobs FROM ${queue}`),
    count: database.prepare(`
      SELECT count(*) AS lanes, count(*) FILTER (WHERE state = 'leased' AND ready_at > ?) AS leased, min(head_at) AS oldest
      FROM ${lanes}`),
  };
}

function prepareJoining(database: DatabaseSync, lanes: string) {
  return {
    join: database.prepare(`
      INSERT INTO ${lanes} (conversation, state, ready_at, waits_from, priority, head, head_at, quiet_until)
      VALUES (?, 'ready', 0, ?, ?, ?, ?, 0)
      ON CONFLICT DO UPDATE SET priority = excluded.priority WHERE excluded.priority > priority`),
    joinQuietly: database.prepare(`
      INSERT INTO ${lanes} (conversation, state, ready_at, waits_from, priority, head, head_at, quiet_until)
      VALUES (:conversation, 'quiet', min(:quietUntil, :now + ${limits.quietMaxMs}), :now, :priority, :seq, :now, :quietUntil)
      ON CONFLICT DO UPDATE SET
        priority = max(priority, excluded.priority),
        quiet_until = excluded.quiet_until,
        state = CASE WHEN state IN ('held', 'leased') THEN state
          WHEN min(:quietUntil, head_at + ${limits.quietMaxMs}) > :now THEN 'quiet' ELSE 'ready' END,
        ready_at = CASE WHEN state IN ('held', 'leased') THEN ready_at
          ELSE min(:quietUntil, head_at + ${limits.quietMaxMs}) END,
        waits_from = CASE WHEN state IN ('held', 'leased') THEN waits_from ELSE :now END`),
  };
}

function prepareLeasing(database: DatabaseSync, lanes: string) {
  return {
    nextDueAt: database.prepare(`SELECT min(ready_at) AS at FROM ${lanes} WHERE state <> 'ready'`),
    endWaitsFromLater: database.prepare(`UPDATE ${lanes} SET ready_at = ? WHERE state <> 'ready' AND waits_from > ?`),
    wake: database.prepare(`
      UPDATE ${lanes} SET state = 'ready', token = NULL, was_abandoned = (was_abandoned OR state = 'leased')
      WHERE conversation IN (
        SELECT conversation FROM ${lanes} WHERE state <> 'ready' AND ready_at <= ? ORDER BY ready_at LIMIT ${wokenMax})`),
    ready: prepareList(
      database,
      `SELECT attempt, was_abandoned, ${conversationColumns}
      FROM ${lanes} CROSS JOIN conversations ON conversations.seq = ${lanes}.conversation
      WHERE state = 'ready' ORDER BY priority DESC, head LIMIT ? + 0`,
    ),
    lease: database.prepare(`
      UPDATE ${lanes}
      SET state = 'leased', ready_at = ?, waits_from = ?, token = ?, attempt = attempt + 1, was_abandoned = 0
      WHERE conversation IN
        (SELECT conversation FROM ${lanes} WHERE state = 'ready' ORDER BY priority DESC, head LIMIT ? + 0)`),
    held: database.prepare(`
      SELECT conversation, attempt, quiet_until AS quietUntil FROM ${lanes}
      WHERE conversation = ? AND state = 'leased' AND token = ? AND ready_at > ?`),
    extend: database.prepare(`UPDATE ${lanes} SET ready_at = ?, waits_from = ? WHERE conversation = ?`),
    giveBack: database.prepare(`
      UPDATE ${lanes} SET state = ?, ready_at = ?, waits_from = ?, token = NULL, attempt = ? WHERE conversation = ?`),
    goOn: database.prepare(`
      UPDATE ${lanes} SET state = ?, ready_at = ?, waits_from = ?, head = ?, head_at = ?, token = NULL, attempt = 0
      WHERE conversation = ?`),
    remove: database.prepare(`DELETE FROM ${lanes} WHERE conversation = ?`),
  };
}

/** A statement whose rows are lists. */
export function prepareList(database: DatabaseSync, sql: string): StatementSync {
  const statement = database.prepare(sql);
  statement.setReturnArrays(true);
  return statement;
}
