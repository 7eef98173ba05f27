/**
 * The database's shape, one step after the other: `PRAGMA user_version` says how many were done. A step that was
 * released is never changed; a new one is added at the end. Rows refer to conversations and messages by `seq`, which is
 * smaller than an id; rows of both are never deleted.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE conversations (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    bot_id TEXT NOT NULL,
    channel_id TEXT NOT NULL,
    ref TEXT NOT NULL,
    is_group INTEGER NOT NULL,
    person_id TEXT,
    created_at INTEGER NOT NULL,
    engine_state TEXT NOT NULL
  );
  CREATE INDEX conversations_by_bot ON conversations (bot_id);

  CREATE TABLE moved_addresses (
    seq INTEGER PRIMARY KEY,
    channel_id TEXT NOT NULL,
    ref TEXT NOT NULL,
    conversation INTEGER NOT NULL,
    UNIQUE (channel_id, ref)
  );

  CREATE TABLE persons (
    id TEXT PRIMARY KEY,
    channel_id TEXT NOT NULL,
    ref TEXT NOT NULL,
    name TEXT,
    language TEXT
  ) WITHOUT ROWID;

  CREATE TABLE messages (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    conversation INTEGER NOT NULL,
    sender TEXT NOT NULL,
    person_id TEXT,
    parts TEXT NOT NULL,
    content_hash TEXT NOT NULL,
    state TEXT NOT NULL,
    reason TEXT,
    turn_id TEXT,
    notice TEXT,
    platform_ref TEXT,
    reply_to TEXT,
    at INTEGER NOT NULL
  );
  CREATE INDEX messages_by_conversation ON messages (conversation);
  -- Three, because SQLite builds a table for each "state IN (…)" that it evaluates.
  CREATE INDEX messages_held ON messages (state) WHERE state = 'held';
  CREATE INDEX messages_dead ON messages (state) WHERE state = 'dead';
  CREATE INDEX messages_unknown ON messages (state) WHERE state = 'unknown';
  -- What was judged to go out is not changed afterwards.
  CREATE TRIGGER messages_keep_content BEFORE UPDATE OF parts, content_hash ON messages
  WHEN old.sender <> 'person' BEGIN
    SELECT RAISE (ABORT, 'only what a person said is completed');
  END;

  CREATE TABLE verdicts (
    message INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    outcome TEXT NOT NULL,
    direction TEXT NOT NULL,
    reviewer TEXT NOT NULL,
    changed INTEGER NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (message, content_hash, outcome, direction)
  ) WITHOUT ROWID;

  -- What the bot or an operator says is queued again, or delivered, only with a verdict that passed its content.
  CREATE TRIGGER messages_need_verdict BEFORE UPDATE OF state ON messages
  WHEN old.sender <> 'person' AND (new.state = 'queued' OR new.state = 'delivered') AND NOT EXISTS (
    SELECT 1 FROM verdicts
    WHERE message = old.seq AND content_hash = old.content_hash AND outcome = 'pass' AND direction = 'outbound'
  ) BEGIN
    SELECT RAISE (ABORT, 'no outbound verdict passed this message');
  END;

  CREATE TABLE turns (
    id TEXT PRIMARY KEY,
    conversation_id TEXT NOT NULL,
    message_ids TEXT NOT NULL,
    answer_ids TEXT NOT NULL,
    route TEXT NOT NULL,
    engine TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    started_at INTEGER NOT NULL,
    ended_at INTEGER
  ) WITHOUT ROWID;

  CREATE TABLE steps (
    seq INTEGER PRIMARY KEY,
    turn_id TEXT NOT NULL,
    name TEXT NOT NULL,
    result TEXT NOT NULL,
    at INTEGER NOT NULL,
    UNIQUE (turn_id, name)
  );

  CREATE TABLE attempts (
    message INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    outcome TEXT NOT NULL,
    receipts TEXT NOT NULL,
    reason TEXT,
    at INTEGER NOT NULL,
    PRIMARY KEY (message, attempt)
  ) WITHOUT ROWID;

  CREATE TABLE api_keys (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    key_hash TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER
  );

  -- Every job there was, for limits.keyMs. Its seq is the order of the jobs: the newest row is never deleted, so that no
  -- number is given twice while a job waits.
  CREATE TABLE job_keys (
    seq INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    message INTEGER NOT NULL,
    at INTEGER NOT NULL
  );

  CREATE TABLE inbox (
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    message INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    PRIMARY KEY (conversation, seq)
  ) WITHOUT ROWID;

  -- The gate, as the database sees it: a row without an outbound verdict that passed this content cannot exist.
  CREATE TABLE outbox (
    conversation INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    key TEXT NOT NULL,
    message INTEGER NOT NULL,
    enqueued_at INTEGER NOT NULL,
    content_hash TEXT NOT NULL,
    outcome TEXT NOT NULL DEFAULT 'pass' CHECK (outcome = 'pass'),
    direction TEXT NOT NULL DEFAULT 'outbound' CHECK (direction = 'outbound'),
    PRIMARY KEY (conversation, seq),
    FOREIGN KEY (message, content_hash, outcome, direction)
      REFERENCES verdicts (message, content_hash, outcome, direction)
  ) WITHOUT ROWID;

  -- A row for each lane that has jobs. ready_at and waits_from have no meaning while it is ready.
  CREATE TABLE inbox_lanes (
    conversation INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    ready_at INTEGER NOT NULL,
    waits_from INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    head INTEGER NOT NULL,
    head_at INTEGER NOT NULL,
    quiet_until INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    was_abandoned INTEGER NOT NULL DEFAULT 0,
    token TEXT
  );
  CREATE INDEX inbox_lanes_ready ON inbox_lanes (priority DESC, head) WHERE state = 'ready';
  CREATE INDEX inbox_lanes_waiting ON inbox_lanes (ready_at) WHERE state <> 'ready';

  CREATE TABLE outbox_lanes (
    conversation INTEGER PRIMARY KEY,
    state TEXT NOT NULL,
    ready_at INTEGER NOT NULL,
    waits_from INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    head INTEGER NOT NULL,
    head_at INTEGER NOT NULL,
    quiet_until INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0,
    was_abandoned INTEGER NOT NULL DEFAULT 0,
    token TEXT
  );
  CREATE INDEX outbox_lanes_ready ON outbox_lanes (priority DESC, head) WHERE state = 'ready';
  CREATE INDEX outbox_lanes_waiting ON outbox_lanes (ready_at) WHERE state <> 'ready';
  `,
];
