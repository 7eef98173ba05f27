import { DatabaseSync } from "node:sqlite";
import { contentHash } from "../../src/core/content.ts";
import type { Part } from "../../src/core/part.ts";
import { createMachine } from "../../src/machine.ts";

/** A message as it is on the disk. */
export interface StoredMessage {
  readonly id: string;
  /** The address of its conversation. */
  readonly chat: string;
  readonly from: "person" | "bot";
  readonly text: string;
  readonly state: string;
  readonly reason: string | null;
  /** Whether a verdict in its direction passed exactly these parts, by their hash made anew. */
  readonly isReviewed: boolean;
}

interface Row {
  readonly id: string;
  readonly chat: string;
  readonly sender: "person" | "bot";
  readonly parts: string;
  readonly state: string;
  readonly reason: string | null;
  readonly passed: string | null;
}

const host = createMachine();

/** Reads the database of a server that runs or was killed, without a line of what wrote it. */
export class ParleyDatabase implements Disposable {
  readonly #database: DatabaseSync;

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { readOnly: true, timeout: 10_000 });
  }

  /** Whether `count` messages of persons were received, and nothing is left to do. */
  isDone(count: number): boolean {
    if (this.#count("inbox") + this.#count("outbox") > 0) return false;
    return this.#count("messages WHERE sender = 'person'") >= count;
  }

  /** Jobs and lanes of both queues. */
  get waiting(): number {
    return ["inbox", "outbox", "inbox_lanes", "outbox_lanes"].reduce((sum, table) => sum + this.#count(table), 0);
  }

  get turns(): number {
    return this.#count("turns");
  }

  /** The addresses of the conversations in which something was being sent. */
  sending(): readonly string[] {
    const rows = this.#database
      .prepare(`
        SELECT ref FROM outbox_lanes JOIN conversations ON conversations.seq = outbox_lanes.conversation
        WHERE state = 'leased'`)
      .all();
    return rows.map(({ ref }) => String(ref));
  }

  /** All that was kept, in the order it was written. */
  messages(): readonly StoredMessage[] {
    const rows = this.#database
      .prepare(`
        SELECT messages.id, ref AS chat, sender, parts, state, reason,
          (SELECT group_concat(content_hash) FROM verdicts
           WHERE message = messages.seq AND outcome = 'pass'
             AND direction = CASE sender WHEN 'person' THEN 'inbound' ELSE 'outbound' END) AS passed
        FROM messages JOIN conversations ON conversations.seq = messages.conversation ORDER BY messages.seq`)
      .all() as unknown as Row[];
    return rows.map(({ id, chat, sender, parts: json, state, reason, passed }) => {
      const parts = JSON.parse(json) as Part[];
      const text = parts.map((part) => (part.kind === "text" ? part.text : part.kind)).join("\n");
      const isReviewed = passed?.split(",").includes(contentHash(parts, host)) === true;
      return { id, chat, from: sender, text, state, reason, isReviewed };
    });
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #count(from: string): number {
    return Number(this.#database.prepare(`SELECT count(*) AS count FROM ${from}`).get()?.count);
  }
}
