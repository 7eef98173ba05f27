import type { ApiKey, Change } from "../../src/core/change.ts";
import type { Conversation } from "../../src/core/conversation.ts";
import { BugError } from "../../src/core/errors.ts";
import type { BotId, ConversationId, MessageId } from "../../src/core/ids.ts";
import type { NewJob } from "../../src/core/job.ts";
import type { Message } from "../../src/core/message.ts";
import type { Enqueued, Lease, Outcome } from "../../src/core/queue.ts";
import type { MessagePath, MovedAddress, Page, PageRequest, StorageStatus } from "../../src/core/store.ts";
import { MemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import { type Mutant, replaced } from "./mutant.ts";

/** Changes what is written without a lease. */
function applying(
  change: (changes: readonly Change[], storage: MemoryStorage) => readonly Change[],
): Mutant["storage"] {
  return class extends MemoryStorage {
    override apply(changes: readonly Change[]): Promise<boolean> {
      return super.apply(change(changes, this));
    }
  };
}

/** Writes the verdict that is lacking, for whatever content the message has. */
async function forged(changes: readonly Change[], storage: MemoryStorage): Promise<readonly Change[]> {
  const complete: Change[] = [];
  for (const change of changes) {
    if (change.kind !== "job" || change.job.queue !== "outbox") {
      complete.push(change);
      continue;
    }
    const { job } = change;
    const written = complete.find((one) => one.kind === "message" && one.message.id === job.messageId);
    const message = written?.kind === "message" ? written.message : await storage.findMessage(job.messageId);
    const contentHash = message?.contentHash ?? job.contentHash;
    const judged = { direction: "outbound", reviewer: "nobody", changed: false, reason: null, at: 0 } as const;
    complete.push({ kind: "verdict", verdict: { ...judged, messageId: job.messageId, contentHash, outcome: "pass" } });
    complete.push({ kind: "job", job: { ...job, contentHash } });
  }
  return complete;
}

const gate: Readonly<Record<string, Mutant>> = {
  AcceptsUnreviewedSend: {
    storage: class extends MemoryStorage {
      override async apply(changes: readonly Change[]): Promise<boolean> {
        return super.apply(await forged(changes, this));
      }
    },
    breaks: [
      "nothing goes out without a verdict",
      "a verdict that held or rejected a message lets nothing out",
      "a verdict on what came in lets nothing out",
      "a verdict on another content, or on another message, lets nothing out",
      "a job for another content than the message has lets nothing out, though that content passed",
    ],
  },
  AcceptsUnreviewedSendInSettle: {
    storage: class extends MemoryStorage {
      override async settle(lease: Lease, outcome: Outcome, changes: readonly Change[]): Promise<boolean> {
        return super.settle(lease, outcome, await forged(changes, this));
      }
    },
    breaks: ["nothing goes out without a verdict"],
  },
  TakesPersonsForBots: {
    storage: applying((changes) =>
      replaced(changes, "message", ({ kind, message }) => ({ kind, message: { ...message, from: "bot" } })),
    ),
    breaks: ["what a person said never goes out"],
  },
  TrustsStates: {
    storage: applying((changes) =>
      changes.flatMap((change): readonly Change[] => {
        if (change.kind !== "state" || (change.to !== "queued" && change.to !== "delivered")) return [change];
        return [{ ...change, to: "dead" }];
      }),
    ),
    breaks: ["what the bot says is neither queued again nor delivered without a verdict"],
  },
  NeverForgivesAHold: {
    storage: class extends MemoryStorage {
      readonly #held = new Set<MessageId>();
      override apply(changes: readonly Change[]): Promise<boolean> {
        for (const change of changes) {
          if (change.kind === "verdict" && change.verdict.outcome === "hold") this.#held.add(change.verdict.messageId);
        }
        return super.apply(changes.filter((change) => change.kind !== "job" || !this.#held.has(change.job.messageId)));
      }
    },
    breaks: ["a message that was held goes out once a verdict passed it"],
  },
  CorrectsConversations: {
    storage: class extends MemoryStorage {
      override async enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
        const message = await this.findMessage(job.messageId);
        return super.enqueue({ ...job, conversationId: message?.conversationId ?? job.conversationId }, changes);
      }
    },
    breaks: ["a job needs its message, in its own conversation"],
  },
};

const writes: Readonly<Record<string, Mutant>> = {
  SwallowsBugs: {
    storage: class extends MemoryStorage {
      override async apply(changes: readonly Change[]): Promise<boolean> {
        try {
          return await super.apply(changes);
        } catch (error) {
          if (error instanceof BugError) return false;
          throw error;
        }
      }
    },
    breaks: [
      "what was judged to go out is never completed or changed",
      "a move that messageMoves does not have is a bug",
      "what belongs to a conversation that is not there is a bug",
    ],
  },
  WritesHalf: {
    storage: class extends MemoryStorage {
      override async apply(changes: readonly Change[]): Promise<boolean> {
        let isWhole = true;
        for (const change of changes) isWhole = (await super.apply([change])) && isWhole;
        return isWhole;
      }
    },
    breaks: ["a call writes all of its changes or none"],
  },
  EnqueuesInTwoSteps: {
    storage: class extends MemoryStorage {
      override async enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
        for (const change of changes) await this.apply([change]);
        return super.enqueue(job, []);
      }
    },
    breaks: ["an enqueue whose changes cannot be written writes nothing, and its key stays free"],
  },
  KeepsTheLastReceipt: {
    storage: class extends MemoryStorage {
      override async findPath(id: MessageId): Promise<MessagePath | undefined> {
        const path = await super.findPath(id);
        if (path === undefined) return undefined;
        return {
          ...path,
          attempts: path.attempts.map((attempt) => ({ ...attempt, receipts: attempt.receipts.slice(-1) })),
        };
      }
    },
    breaks: ["an attempt that is recorded again keeps its receipts, adds the new ones, and has the later end"],
  },
  CountsAttemptsItself: {
    storage: class extends MemoryStorage {
      #count = 0;
      override apply(changes: readonly Change[]): Promise<boolean> {
        return super.apply(
          replaced(changes, "attempt", ({ kind, attempt }) => {
            this.#count += 1;
            return { kind, attempt: { ...attempt, attempt: this.#count } };
          }),
        );
      }
    },
    breaks: [
      "writing changes twice is writing them once",
      "the path of a message has everything about it, and nothing of others",
    ],
  },
  TakesLateForLost: {
    storage: class extends MemoryStorage {
      override async save(lease: Lease, changes: readonly Change[]): Promise<boolean> {
        return super.save(lease, changes).catch(() => false);
      }
    },
    breaks: ["save and settle with a move that comes too late are a bug, write nothing and keep the lease"],
  },
  ForgetsTheTurnOfAMove: {
    storage: applying((changes) =>
      replaced(changes, "state", ({ kind, messageId, from, to, reason }) => ({ kind, messageId, from, to, reason })),
    ),
    breaks: ["a state change moves the message, and sets turn and platform reference where given"],
  },
  AlwaysSaysYes: {
    storage: class extends MemoryStorage {
      override async apply(changes: readonly Change[]): Promise<boolean> {
        await super.apply(changes);
        return true;
      }
    },
    breaks: [
      "of two that move a message from the same state, one is first",
      "parts are completed while the message is received, and not later",
    ],
  },
  OverwritesWhatIsKnown: {
    storage: class extends MemoryStorage {
      readonly #last = new Map<ConversationId, Conversation>();
      override apply(changes: readonly Change[]): Promise<boolean> {
        for (const change of changes) {
          if (change.kind === "conversation") this.#last.set(change.conversation.id, change.conversation);
        }
        return super.apply(changes);
      }
      override async findConversation(id: ConversationId): Promise<Conversation | undefined> {
        return this.#last.get(id) ?? super.findConversation(id);
      }
    },
    breaks: ["a conversation or a message that is known stays as it is"],
  },
  ForgetsMoves: {
    storage: class extends MemoryStorage {
      override async movedAddresses(): Promise<readonly MovedAddress[]> {
        return [];
      }
    },
    breaks: ["a conversation that moved has its new address, and both lead to it"],
  },
  MixesChannels: {
    storage: class extends MemoryStorage {
      override async movedAddresses(): Promise<readonly MovedAddress[]> {
        const byRef = new Map((await super.movedAddresses()).map((address) => [address.ref, address]));
        return [...byRef.values()];
      }
    },
    breaks: ["an address belongs to the conversation that moved there last, on its own channel"],
  },
  KeepsTheOldestMoves: {
    storage: class extends MemoryStorage {
      #first: readonly MovedAddress[] = [];
      override async apply(changes: readonly Change[]): Promise<boolean> {
        const applied = await super.apply(changes.slice(0, 10_000));
        if (this.#first.length === 0) this.#first = await super.movedAddresses();
        return applied;
      }
      override async movedAddresses(): Promise<readonly MovedAddress[]> {
        return this.#first;
      }
    },
    breaks: ["the newest 10,000 addresses are kept"],
  },
  NeverCloses: {
    storage: class extends MemoryStorage {
      override async close(): Promise<void> {
        await Promise.resolve();
      }
    },
    breaks: ["once closed it refuses every call, and closing twice is closing once"],
  },
};

const reads: Readonly<Record<string, Mutant>> = {
  ForgetsNotices: {
    storage: class extends MemoryStorage {
      override async findMessage(id: MessageId): Promise<Message | undefined> {
        const message = await super.findMessage(id);
        return message && { ...message, notice: null };
      }
    },
    breaks: ["a message is read as it was written, with parts of every kind"],
  },
  SharesWhatItWasGiven: {
    storage: class extends MemoryStorage {
      readonly #given = new Map<MessageId, Message>();
      override enqueue(job: NewJob, changes: readonly Change[]): Promise<Enqueued> {
        for (const change of changes) if (change.kind === "message") this.#given.set(change.message.id, change.message);
        return super.enqueue(job, changes);
      }
      override async findMessage(id: MessageId): Promise<Message | undefined> {
        return this.#given.get(id) ?? super.findMessage(id);
      }
    },
    breaks: ["nothing that a caller does to what it wrote or read changes what is kept"],
  },
  ThrowsOnMissing: {
    storage: class extends MemoryStorage {
      override async findConversation(id: ConversationId): Promise<Conversation | undefined> {
        const conversation = await super.findConversation(id);
        if (conversation === undefined) throw new Error("not found");
        return conversation;
      }
    },
    breaks: ["what is not there is undefined or empty, never an error"],
  },
  FindsInItsOwnOrder: {
    storage: class extends MemoryStorage {
      override async findMessages(ids: readonly MessageId[]): Promise<readonly Message[]> {
        return super.findMessages(ids.toSorted());
      }
    },
    breaks: ["messages are found in the order they were asked for"],
  },
  TellsTheOldestMessages: {
    storage: class extends MemoryStorage {
      override async transcript(conversationId: ConversationId, limit: number): Promise<readonly Message[]> {
        return (await super.messages(conversationId, { limit, cursor: null })).items;
      }
    },
    breaks: ["a transcript is the newest messages of its conversation, newest last"],
  },
  HasOnePage: {
    storage: class extends MemoryStorage {
      override async messages(conversationId: ConversationId, page: PageRequest): Promise<Page<Message>> {
        return { ...(await super.messages(conversationId, page)), next: null };
      }
    },
    breaks: ["the messages of a conversation are paged, oldest first"],
  },
  ShowsOtherBots: {
    storage: class extends MemoryStorage {
      override conversations(_filter: { readonly botId?: BotId }, page: PageRequest): Promise<Page<Conversation>> {
        return super.conversations({}, page);
      }
    },
    breaks: ["conversations are paged, newest first, of one bot or of all"],
  },
  MixesStates: {
    storage: class extends MemoryStorage {
      override undecided(_state: string, page: PageRequest): Promise<Page<Message>> {
        return super.undecided("held", page);
      }
    },
    breaks: ["what wants a decision is paged by its state, oldest first"],
  },
  ForgivesBadCursors: {
    storage: class extends MemoryStorage {
      override conversations(filter: { readonly botId?: BotId }, page: PageRequest): Promise<Page<Conversation>> {
        return super.conversations(filter, page).catch(() => super.conversations(filter, { limit: 10, cursor: null }));
      }
    },
    breaks: ["a limit or a cursor that is not ours is refused"],
  },
  KeepsTheFirstTurn: {
    storage: class extends MemoryStorage {
      readonly #known = new Set<string>();
      override apply(changes: readonly Change[]): Promise<boolean> {
        const isNew = (change: Change) => change.kind !== "turn" || !this.#known.has(change.turn.id);
        const fresh = changes.filter(isNew);
        for (const change of fresh) if (change.kind === "turn") this.#known.add(change.turn.id);
        return super.apply(fresh);
      }
    },
    breaks: ["a turn is replaced by its later self; a step, once saved, stays"],
  },
  ForgetsVerdicts: {
    storage: class extends MemoryStorage {
      override async findPath(id: MessageId): Promise<MessagePath | undefined> {
        const path = await super.findPath(id);
        return path && { ...path, verdicts: path.verdicts.slice(-1) };
      }
    },
    breaks: ["the path of a message has everything about it, and nothing of others"],
  },
  NeverRevokes: {
    storage: class extends MemoryStorage {
      override async findApiKey(keyHash: string): Promise<ApiKey | undefined> {
        const apiKey = await super.findApiKey(keyHash);
        return apiKey && { ...apiKey, revokedAt: null };
      }
    },
    breaks: ["an API key is found by its hash, listed, and replaced when it is revoked"],
  },
  Miscounts: {
    storage: class extends MemoryStorage {
      override async status(): Promise<StorageStatus> {
        const status = await super.status();
        return { ...status, dead: status.held };
      }
    },
    breaks: ["the status counts what there is"],
  },
  WatchesAttempts: {
    storage: class extends MemoryStorage {
      readonly #listeners = new Set<(changes: readonly Change[]) => void>();
      override apply(changes: readonly Change[]): Promise<boolean> {
        for (const listener of this.#listeners) listener(changes);
        return super.apply(changes);
      }
      override watch(listener: (changes: readonly Change[]) => void): () => void {
        this.#listeners.add(listener);
        return super.watch(listener);
      }
    },
    breaks: ["a watcher hears what was written, once it is there, and nothing else"],
  },
};

export const storeMutants: Readonly<Record<string, Mutant>> = { ...gate, ...writes, ...reads };
