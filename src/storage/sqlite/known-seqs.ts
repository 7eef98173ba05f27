import type { DatabaseSync, StatementSync } from "node:sqlite";
import { must } from "../../core/errors.ts";
import type { ConversationId, MessageId } from "../../core/ids.ts";

/** Ids of each kind that are remembered; past this many it starts anew. Small, so that it stays in the processor's cache. */
const knownMax = 8_192;

/** Where a message is. */
interface MessagePlace {
  readonly seq: number;
  /** Its conversation's `seq`. */
  readonly conversation: number;
}

/** The `seq` of conversations and messages, remembered, as these never change. */
export class KnownSeqs {
  readonly #conversations = new Map<ConversationId, number>();
  readonly #messages = new Map<MessageId, MessagePlace>();
  readonly #findConversation: StatementSync;
  readonly #findMessage: StatementSync;

  constructor(database: DatabaseSync) {
    this.#findConversation = database.prepare("SELECT seq FROM conversations WHERE id = ?");
    this.#findMessage = database.prepare("SELECT seq, conversation FROM messages WHERE id = ?");
  }

  findConversation(id: ConversationId): number | undefined {
    const known = this.#conversations.get(id);
    if (known !== undefined) return known;
    const row = this.#findConversation.get(id) as { seq: number } | undefined;
    if (row !== undefined) this.rememberConversation(id, row.seq);
    return row?.seq;
  }

  findMessage(id: MessageId): MessagePlace | undefined {
    const known = this.#messages.get(id);
    if (known !== undefined) return known;
    const place = this.#findMessage.get(id) as MessagePlace | undefined;
    if (place !== undefined) this.rememberMessage(id, place);
    return place;
  }

  /** Throws `BugError` when it is not there. */
  conversation(id: ConversationId): number {
    const seq = this.findConversation(id);
    must(seq !== undefined, `There is no conversation ${id}: write it before what belongs to it.`);
    return seq;
  }

  /** The `seq` of a message. Throws `BugError` when it is not there. */
  message(id: MessageId): number {
    const place = this.findMessage(id);
    must(place !== undefined, `There is no message ${id}: write it before what belongs to it.`);
    return place.seq;
  }

  rememberConversation(id: ConversationId, seq: number): void {
    if (this.#conversations.size >= knownMax) this.#conversations.clear();
    this.#conversations.set(id, seq);
  }

  rememberMessage(id: MessageId, place: MessagePlace): void {
    if (this.#messages.size >= knownMax) this.#messages.clear();
    this.#messages.set(id, place);
  }

  /** To be called when a transaction was taken back: what it wrote is not there. */
  forget(): void {
    this.#conversations.clear();
    this.#messages.clear();
  }
}
