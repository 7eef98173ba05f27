import type { ApiKey, Change } from "../../core/change.ts";
import type { Conversation } from "../../core/conversation.ts";
import type { BotId, ContentHash, ConversationId, MessageId, TurnId } from "../../core/ids.ts";
import type { NewJob, QueueName } from "../../core/job.ts";
import type { Message } from "../../core/message.ts";
import type { ClaimRequest, Enqueued, Outcome } from "../../core/queue.ts";
import type { MessagePath, MovedAddress, Page, StorageStatus } from "../../core/store.ts";
import type { Step, Turn } from "../../core/turn.ts";
import type { PageStart } from "../shared/page-cursor.ts";
import type { ConversationRow, MessageRow } from "./rows.ts";

/** What the main thread asks of the database's thread. Goes there and back as JSON, so "not there" is null. */
export type Call = WriteCall | ReadCall;

/** Those that need a transaction. `now` is the main thread's clock when it asked, in whole milliseconds. */
type WriteCall =
  | { readonly kind: "enqueue"; readonly now: number; readonly job: NewJob; readonly changes: readonly Change[] }
  | { readonly kind: "claim"; readonly now: number; readonly request: ClaimRequest; readonly token: string }
  | { readonly kind: "extend"; readonly now: number; readonly leases: readonly LaneHold[]; readonly leaseMs: number }
  | { readonly kind: "save"; readonly now: number; readonly lease: LaneHold; readonly changes: readonly Change[] }
  | {
      readonly kind: "settle";
      readonly now: number;
      readonly lease: LaneHold;
      readonly outcome: Outcome;
      /** How many jobs of the lane's head `done` and `dead` end. */
      readonly jobCount: number;
      readonly changes: readonly Change[];
    }
  | { readonly kind: "apply"; readonly now: number; readonly changes: readonly Change[] }
  | { readonly kind: "maintain"; readonly now: number };

type ReadCall =
  | { readonly kind: "findConversation"; readonly id: ConversationId }
  | { readonly kind: "findMessages"; readonly ids: readonly MessageId[] }
  | { readonly kind: "findTurn"; readonly id: TurnId }
  | { readonly kind: "steps"; readonly turnId: TurnId }
  | { readonly kind: "findPath"; readonly id: MessageId }
  | { readonly kind: "transcript"; readonly conversationId: ConversationId; readonly limit: number }
  | { readonly kind: "messages"; readonly conversationId: ConversationId; readonly page: PageStart }
  | { readonly kind: "conversations"; readonly botId: BotId | null; readonly page: PageStart }
  | { readonly kind: "undecided"; readonly state: "held" | "dead" | "unknown"; readonly page: PageStart }
  | { readonly kind: "movedAddresses" }
  | { readonly kind: "findApiKey"; readonly keyHash: string }
  | { readonly kind: "apiKeys"; readonly page: PageStart }
  | { readonly kind: "status"; readonly now: number };

/** As much of a lease as its lane must know. */
export interface LaneHold {
  readonly queue: QueueName;
  readonly conversationId: ConversationId;
  readonly token: string;
}

/** What a claim found, as rows: the main thread makes leases of them. */
export interface Claimed {
  readonly lanes: readonly ClaimedLane[];
  /** When the next lane of this queue becomes ready by itself. */
  readonly nextDueAt: number | null;
}

export interface ClaimedLane {
  readonly lane: LaneRow;
  readonly jobs: readonly JobRow[];
  /** For each job, what its attempts kept of receipts, as JSON; empty when there were none. */
  readonly receipts: readonly (readonly string[])[];
}

export type LaneRow = readonly [attempt: number, wasAbandoned: number, ...conversation: ConversationRow];
export type JobRow = readonly [key: string, reviewedHash: ContentHash | null, ...message: MessageRow];

/** What each kind of call is answered. */
export interface Answers {
  readonly enqueue: Enqueued;
  readonly claim: Claimed;
  readonly extend: readonly boolean[];
  readonly save: boolean;
  readonly settle: boolean;
  readonly apply: boolean;
  readonly maintain: null;
  readonly findConversation: Conversation | null;
  readonly findMessages: readonly Message[];
  readonly findTurn: Turn | null;
  readonly steps: readonly Step[];
  readonly findPath: (Omit<MessagePath, "turn"> & { readonly turn: Turn | null }) | null;
  readonly transcript: readonly Message[];
  readonly messages: Page<Message>;
  readonly conversations: Page<Conversation>;
  readonly undecided: Page<Message>;
  readonly movedAddresses: readonly MovedAddress[];
  readonly findApiKey: ApiKey | null;
  readonly apiKeys: Page<ApiKey>;
  readonly status: StorageStatus;
}

export type CallOf<Kind extends Call["kind"]> = Extract<Call, { kind: Kind }>;

/** One answer, in the order of the calls. `bug` becomes a `BugError`, `storage` a `StorageError`. */
export type Reply =
  | { readonly kind: "answer"; readonly answer: Answers[Call["kind"]] }
  | { readonly kind: "bug" | "storage"; readonly message: string; readonly cause: string };
