import type { DatabaseSync } from "node:sqlite";
import { must } from "../../core/errors.ts";
import type { ConversationId, MessageId } from "../../core/ids.ts";
import type { NewJob, QueueName } from "../../core/job.ts";
import { noSuchMessage, notReviewed } from "../shared/checked-call.ts";
import { isMissingReference } from "./database-trouble.ts";
import type { KnownSeqs } from "./known-seqs.ts";
import { type KeyStatements, prepareKeys } from "./lane-statements.ts";
import { Lanes } from "./lanes.ts";

/** The job whose message answers for a key. */
interface KnownJob {
  readonly messageId: MessageId;
  readonly conversationId: ConversationId;
}

/** What is waiting in the two queues, and the keys of what ever was. Works within the transaction of its caller. */
export class Jobs {
  readonly lanes: Readonly<Record<QueueName, Lanes>>;
  readonly #statements: KeyStatements;
  readonly #seqs: KnownSeqs;

  constructor(database: DatabaseSync, seqs: KnownSeqs) {
    this.#statements = prepareKeys(database);
    this.#seqs = seqs;
    this.lanes = {
      inbox: new Lanes(database, "inbox", { seqs, receiptsOf: () => [] }),
      outbox: new Lanes(database, "outbox", { seqs, receiptsOf: (message) => this.#receipts(message) }),
    };
  }

  /** The first job with this key, when it is known. */
  find(key: string): KnownJob | undefined {
    return this.#statements.known.get(key) as KnownJob | undefined;
  }

  /**
   * Puts a job behind all others of its lane; does nothing when its key is known. Throws `BugError` when its message is
   * not there, or no verdict lets it out.
   */
  add(job: NewJob, now: number): void {
    const place = this.#seqs.findMessage(job.messageId);
    const conversation = this.#seqs.findConversation(job.conversationId);
    must(place !== undefined && place.conversation === conversation, noSuchMessage(job));
    const { changes, lastInsertRowid } = this.#statements.take.run(job.key, place.seq, now);
    if (changes === 0) return;
    const seq = Number(lastInsertRowid);
    if (job.queue === "inbox") this.#statements.insertInbox.run(conversation, seq, job.key, place.seq, now);
    else must(this.#insertOutbox(job, seq, place.seq, now), notReviewed(job.messageId));
    const quietMs = job.queue === "inbox" ? job.quietMs : 0;
    this.lanes[job.queue].join({ conversation, seq, priority: job.priority, quietMs }, now);
  }

  /** Forgets keys from `before` or earlier, but never the newest; at most `max`. */
  forgetKeys(before: number, max: number): void {
    this.#statements.forget.run(before, max);
  }

  #insertOutbox(job: NewJob & { queue: "outbox" }, seq: number, message: number, now: number): boolean {
    try {
      return this.#statements.insertOutbox.run(seq, job.key, now, message, job.contentHash).changes === 1;
    } catch (error) {
      if (isMissingReference(error)) return false;
      throw error;
    }
  }

  #receipts(message: number): readonly string[] {
    return (this.#statements.receipts.all(message) as unknown as [string][]).map(([receipts]) => receipts);
  }
}
