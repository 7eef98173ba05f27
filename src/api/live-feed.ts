import type { Change } from "../core/change.ts";
import type { Host } from "../core/host.ts";
import type { BotId, ConversationId, MessageId } from "../core/ids.ts";
import type { Store } from "../core/store.ts";
import { apiLimits } from "./api-limits.ts";
import { isoTime, type MessageView, messageView } from "./message-view.ts";

/** What happened, as `/api/v1/live` tells it. */
export type LiveEvent = { readonly bot: string; readonly conversation: string } & (
  | { readonly type: "message"; readonly message: MessageView }
  | {
      readonly type: "state";
      readonly id: string;
      readonly state: string;
      readonly reason: string | null;
      readonly at: string;
    }
  | {
      readonly type: "delivery";
      readonly id: string;
      readonly attempt: number;
      readonly outcome: string;
      readonly reason: string | null;
      readonly at: string;
    }
);

export interface LiveListener {
  tell(event: LiveEvent): void;
  /** Something was left out: start again. */
  lost(): void;
}

type LiveChange = Extract<Change, { readonly kind: "message" | "state" | "attempt" }>;

/**
 * Turns what was written into events, in the order it was written. A change that only names its message is given its
 * conversation and bot, from memory or from the storage. Watches the storage only while somebody listens.
 */
export class LiveFeed {
  readonly #store: Store;
  readonly #host: Host;
  readonly #listeners = new Set<LiveListener>();
  readonly #conversationOf = new Map<MessageId, ConversationId>();
  readonly #botOf = new Map<ConversationId, BotId>();
  #waiting: LiveChange[] = [];
  #isTelling = false;
  #stopWatching: (() => void) | undefined;

  constructor(store: Store, host: Host) {
    this.#store = store;
    this.#host = host;
  }

  /** Returns what ends it. */
  listen(listener: LiveListener): () => void {
    this.#listeners.add(listener);
    this.#stopWatching ??= this.#store.watch((changes) => this.#take(changes));
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stopWatching?.();
      this.#stopWatching = undefined;
      this.#waiting = [];
    };
  }

  /** Called within a commit: only takes note. */
  #take(changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === "conversation") {
        remember(this.#botOf, change.conversation.id, change.conversation.botId);
      } else if (change.kind === "message" || change.kind === "state" || change.kind === "attempt") {
        this.#waiting.push(change);
      }
    }
    if (this.#waiting.length > apiLimits.liveChangesMax) {
      this.#lose();
    } else if (!this.#isTelling && this.#waiting.length > 0) {
      this.#isTelling = true;
      void this.#tellAll();
    }
  }

  async #tellAll(): Promise<void> {
    while (this.#waiting.length > 0) {
      const changes = this.#waiting;
      this.#waiting = [];
      for (const change of changes) {
        try {
          const event = await this.#eventOf(change);
          if (event !== undefined) for (const listener of this.#listeners) listener.tell(event);
        } catch {
          // The storage cannot answer now. Who listens comes back and is told from then on.
          this.#lose();
        }
      }
    }
    this.#isTelling = false;
  }

  #lose(): void {
    this.#waiting = [];
    for (const listener of this.#listeners) listener.lost();
  }

  async #eventOf(change: LiveChange): Promise<LiveEvent | undefined> {
    if (change.kind === "message") remember(this.#conversationOf, change.message.id, change.message.conversationId);
    const id = change.kind === "message" ? change.message.id : messageIdOf(change);
    const conversation = this.#conversationOf.get(id) ?? (await this.#findConversationOf(id));
    if (conversation === undefined) return undefined;
    const bot = this.#botOf.get(conversation) ?? (await this.#findBotOf(conversation));
    if (bot === undefined) return undefined;
    switch (change.kind) {
      case "message":
        return { type: "message", bot, conversation, message: messageView(change.message) };
      case "state": {
        const { to: state, reason } = change;
        return { type: "state", bot, conversation, id, state, reason, at: isoTime(this.#host.clock.now()) };
      }
      case "attempt": {
        const { attempt, outcome, reason, at } = change.attempt;
        return { type: "delivery", bot, conversation, id, attempt, outcome, reason, at: isoTime(at) };
      }
    }
  }

  async #findConversationOf(id: MessageId): Promise<ConversationId | undefined> {
    const message = await this.#store.findMessage(id);
    if (message !== undefined) remember(this.#conversationOf, id, message.conversationId);
    return message?.conversationId;
  }

  async #findBotOf(id: ConversationId): Promise<BotId | undefined> {
    const conversation = await this.#store.findConversation(id);
    if (conversation !== undefined) remember(this.#botOf, id, conversation.botId);
    return conversation?.botId;
  }
}

function messageIdOf(change: Extract<LiveChange, { readonly kind: "state" | "attempt" }>): MessageId {
  return change.kind === "state" ? change.messageId : change.attempt.messageId;
}

/** Forgets the oldest over `apiLimits.livePlacesMax`. */
function remember<Key, Value>(known: Map<Key, Value>, key: Key, value: Value): void {
  known.set(key, value);
  if (known.size <= apiLimits.livePlacesMax) return;
  for (const oldest of known.keys()) {
    known.delete(oldest);
    return;
  }
}
