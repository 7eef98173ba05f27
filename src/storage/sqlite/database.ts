import type { DatabaseSync } from "node:sqlite";
import { limits } from "../../core/limits.ts";
import { storageLimits } from "../shared/storage-limits.ts";
import type { Answers, Call, CallOf, Reply } from "./calls.ts";
import { ChangeWriter, MovedMeanwhile } from "./change-writer.ts";
import { describeTrouble, isTrouble } from "./database-trouble.ts";
import { Jobs } from "./jobs.ts";
import { KnownSeqs } from "./known-seqs.ts";
import type { HeldLane } from "./lanes.ts";
import { Reads } from "./reads.ts";

/** Pages of free space that one `maintain` returns. */
const vacuumedMax = 200;

/** Answers calls, those that came together in one commit. Lives in the database's thread. */
export class Database {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #seqs: KnownSeqs;
  readonly #jobs: Jobs;
  readonly #changes: ChangeWriter;
  readonly #reads: Reads;

  constructor(database: DatabaseSync, path: string) {
    this.#database = database;
    this.#path = path;
    this.#seqs = new KnownSeqs(database);
    this.#jobs = new Jobs(database, this.#seqs);
    this.#changes = new ChangeWriter(database, { seqs: this.#seqs, jobs: this.#jobs });
    this.#reads = new Reads(database, this.#seqs);
  }

  /** Answers in the order of the calls; what was written is on the disk when it returns. Never throws. */
  answer(calls: readonly Call[]): readonly Reply[] {
    if (calls.every(isRead)) return calls.map((call) => this.#replyAlone(call));
    try {
      return this.#commit(() => calls.map((call) => answered(this.#answer(call))));
    } catch (error) {
      if (isTrouble(error)) return this.#replyInTrouble(calls, error);
    }
    // One of them is wrong: each has to answer for itself, still in one commit.
    try {
      return this.#commit(() => calls.map((call) => this.#replyApart(call)));
    } catch (error) {
      return this.#replyInTrouble(calls, error);
    }
  }

  #commit(work: () => readonly Reply[]): readonly Reply[] {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const replies = work();
      this.#database.exec("COMMIT");
      return replies;
    } catch (error) {
      this.#forget();
      // On some troubles SQLite has taken it back by itself.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** Within a transaction: takes back what this call wrote when it fails, and nothing else. */
  #replyApart(call: Call): Reply {
    this.#database.exec("SAVEPOINT one");
    try {
      const reply = answered(this.#answer(call));
      this.#database.exec("RELEASE one");
      return reply;
    } catch (error) {
      if (isTrouble(error)) throw error;
      this.#forget();
      this.#database.exec("ROLLBACK TO one; RELEASE one");
      if (error instanceof MovedMeanwhile && call.kind === "apply") return answered(false);
      return this.#failed(error);
    }
  }

  /** What is remembered may have been taken back. */
  #forget(): void {
    this.#seqs.forget();
    this.#changes.forget();
  }

  #replyAlone(call: Call): Reply {
    try {
      return answered(this.#answer(call));
    } catch (error) {
      return this.#failed(error);
    }
  }

  /** Nothing can be written now; what can be read still is. */
  #replyInTrouble(calls: readonly Call[], trouble: unknown): readonly Reply[] {
    return calls.map((call) => (isRead(call) ? this.#replyAlone(call) : this.#failed(trouble)));
  }

  #failed(error: unknown): Reply {
    const cause = error instanceof Error ? error.message : String(error);
    if (isTrouble(error)) return { kind: "storage", message: describeTrouble(error, this.#path), cause };
    return { kind: "bug", message: cause, cause };
  }

  #answer(call: Call): Answers[Call["kind"]] {
    switch (call.kind) {
      case "enqueue":
        return this.#enqueue(call);
      case "claim":
        return this.#jobs.lanes[call.request.queue].claim(call.request, call.token, call.now);
      case "extend":
        return this.#extend(call);
      case "save":
        if (this.#heldLane(call) === undefined) return false;
        this.#changes.write(call.changes, call.now);
        return true;
      case "settle":
        return this.#settle(call);
      case "apply":
        this.#changes.write(call.changes, call.now);
        return true;
      case "maintain":
        return this.#maintain(call);
      case "findConversation":
        return this.#reads.findConversation(call.id);
      case "findMessages":
        return this.#reads.findMessages(call.ids);
      case "findTurn":
        return this.#reads.findTurn(call.id);
      case "steps":
        return this.#reads.steps(call.turnId);
      case "findPath":
        return this.#reads.findPath(call.id);
      case "transcript":
        return this.#reads.transcript(call.conversationId, call.limit);
      case "messages":
        return this.#reads.messages(call.conversationId, call.page);
      case "conversations":
        return this.#reads.conversations(call.botId, call.page);
      case "undecided":
        return this.#reads.undecided(call.state, call.page);
      case "movedAddresses":
        return this.#reads.movedAddresses();
      case "findApiKey":
        return this.#reads.findApiKey(call.keyHash);
      case "apiKeys":
        return this.#reads.apiKeys(call.page);
      case "status": {
        const { inbox, outbox } = this.#jobs.lanes;
        const queues = { inbox: inbox.status(call.now), outbox: outbox.status(call.now) };
        return { queues, ...this.#reads.counts() };
      }
    }
  }

  #enqueue({ job, changes, now }: CallOf<"enqueue">): Answers["enqueue"] {
    const known = this.#jobs.find(job.key);
    if (known !== undefined) return { ...known, isDuplicate: true };
    this.#changes.write(changes, now);
    this.#jobs.add(job, now);
    return { messageId: job.messageId, conversationId: job.conversationId, isDuplicate: false };
  }

  #heldLane({ lease, now }: CallOf<"save" | "settle">): HeldLane | undefined {
    return this.#jobs.lanes[lease.queue].find(lease, now);
  }

  #extend({ leases, leaseMs, now }: CallOf<"extend">): readonly boolean[] {
    return leases.map((lease) => {
      const lanes = this.#jobs.lanes[lease.queue];
      const lane = lanes.find(lease, now);
      if (lane !== undefined) lanes.extend(lane, leaseMs, now);
      return lane !== undefined;
    });
  }

  #settle(call: CallOf<"settle">): boolean {
    const lane = this.#heldLane(call);
    if (lane === undefined) return false;
    this.#changes.write(call.changes, call.now);
    this.#jobs.lanes[call.lease.queue].end(lane, call.outcome, call.jobCount, call.now);
    return true;
  }

  #maintain({ now }: CallOf<"maintain">): null {
    this.#jobs.forgetKeys(now - limits.keyMs, storageLimits.forgottenMax);
    this.#changes.forgetSurplusAddresses();
    this.#database.exec(`PRAGMA incremental_vacuum(${vacuumedMax})`);
    return null;
  }
}

const reads: ReadonlySet<Call["kind"]> = new Set([
  "findConversation",
  "findMessages",
  "findTurn",
  "steps",
  "findPath",
  "transcript",
  "messages",
  "conversations",
  "undecided",
  "movedAddresses",
  "findApiKey",
  "apiKeys",
  "status",
] satisfies Call["kind"][]);

function isRead(call: Call): boolean {
  return reads.has(call.kind);
}

function answered(answer: Answers[Call["kind"]]): Reply {
  return { kind: "answer", answer };
}
