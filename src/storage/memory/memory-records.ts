import type { ApiKey, Change, StateChange } from "../../core/change.ts";
import type { Conversation } from "../../core/conversation.ts";
import { type DeliveryAttempt, mergedReceipts, type Receipt } from "../../core/delivery.ts";
import { must } from "../../core/errors.ts";
import { frozen } from "../../core/frozen.ts";
import type { ContentHash, ConversationId, MessageId, TurnId } from "../../core/ids.ts";
import type { Message } from "../../core/message.ts";
import type { MovedAddress } from "../../core/store.ts";
import type { Step, Turn } from "../../core/turn.ts";
import type { VerdictRecord } from "../../core/verdict.ts";
import { notReviewed } from "../shared/checked-call.ts";

/** What takes a write back. */
export type Undo = () => void;

/** Everything that is kept but the lanes. What is in here never changes: a write replaces it. */
export class MemoryRecords {
  /** Maps keep the order of first writing, which is the order of the lists. */
  readonly conversations = new Map<ConversationId, Conversation>();
  readonly messages = new Map<MessageId, Message>();
  readonly turns = new Map<TurnId, Turn>();
  readonly apiKeys = new Map<string, ApiKey>();
  readonly moved = new Map<string, MovedAddress>();
  readonly #steps = new Map<TurnId, readonly Step[]>();
  readonly #verdicts = new Map<MessageId, readonly VerdictRecord[]>();
  readonly #attempts = new Map<MessageId, readonly DeliveryAttempt[]>();

  /** Throws `BugError` when it is not there. */
  conversation(id: ConversationId): Conversation {
    const conversation = this.conversations.get(id);
    must(conversation !== undefined, `There is no conversation ${id}: write it before what belongs to it.`);
    return conversation;
  }

  /** Throws `BugError` when it is not there. */
  message(id: MessageId): Message {
    const message = this.messages.get(id);
    must(message !== undefined, `There is no message ${id}: write it before what belongs to it.`);
    return message;
  }

  steps(turnId: TurnId): readonly Step[] {
    return this.#steps.get(turnId) ?? [];
  }

  verdicts(messageId: MessageId): readonly VerdictRecord[] {
    return this.#verdicts.get(messageId) ?? [];
  }

  attempts(messageId: MessageId): readonly DeliveryAttempt[] {
    return this.#attempts.get(messageId) ?? [];
  }

  receipts(messageId: MessageId): readonly Receipt[] {
    return this.attempts(messageId).flatMap((attempt) => attempt.receipts);
  }

  /** Whether a verdict lets the message out with this content. What a person said never goes out. */
  hasPassed(message: Message, contentHash: ContentHash): boolean {
    return (
      message.from !== "person" &&
      message.contentHash === contentHash &&
      this.verdicts(message.id).some(
        (verdict) =>
          verdict.contentHash === contentHash && verdict.outcome === "pass" && verdict.direction === "outbound",
      )
    );
  }

  /** Writes one change, a frozen copy. Undefined: the message was no longer in the state that the change starts from. */
  write(change: Exclude<Change, { kind: "job" }>): Undo | undefined {
    switch (change.kind) {
      case "conversation":
        return addOnce(this.conversations, change.conversation.id, change.conversation);
      case "moved":
        return this.#move(change.conversationId, change.ref);
      case "person":
        // Nothing reads persons by themselves yet.
        return () => undefined;
      case "message":
        this.conversation(change.message.conversationId);
        return addOnce(this.messages, change.message.id, change.message);
      case "parts":
        return this.#writeParts(change);
      case "state":
        return this.#writeState(change);
      case "verdict":
        return this.#writeVerdict(change.verdict);
      case "turn":
        return put(this.turns, change.turn.id, change.turn);
      case "step":
        return this.#writeStep(change.step);
      case "engineState": {
        const conversation = this.conversation(change.conversationId);
        return put(this.conversations, conversation.id, { ...conversation, engineState: change.state });
      }
      case "attempt":
        return this.#writeAttempt(change.attempt);
      case "apiKey":
        return put(this.apiKeys, change.apiKey.id, change.apiKey);
    }
  }

  #move(conversationId: ConversationId, ref: string): Undo {
    const conversation = this.conversation(conversationId);
    const { channelId } = conversation;
    const undoConversation = put(this.conversations, conversationId, { ...conversation, ref });
    const undoAddress = put(this.moved, JSON.stringify([channelId, ref]), { channelId, ref, conversationId });
    return () => {
      undoAddress();
      undoConversation();
    };
  }

  #writeParts({ messageId, parts, contentHash }: Extract<Change, { kind: "parts" }>): Undo | undefined {
    const message = this.messages.get(messageId);
    if (message?.state !== "received") return undefined;
    must(message.from === "person", `Message ${messageId} was judged as it is: only what a person said is completed.`);
    return put(this.messages, messageId, { ...message, parts, contentHash });
  }

  #writeState(change: StateChange): Undo | undefined {
    const message = this.messages.get(change.messageId);
    if (message?.state !== change.from) return undefined;
    if (message.from !== "person" && (change.to === "queued" || change.to === "delivered")) {
      must(this.hasPassed(message, message.contentHash), notReviewed(message.id));
    }
    const { turnId = message.turnId, platformRef = message.platformRef } = change;
    return put(this.messages, message.id, { ...message, state: change.to, reason: change.reason, turnId, platformRef });
  }

  #writeVerdict(verdict: VerdictRecord): Undo {
    const known = this.verdicts(verdict.messageId);
    const isKnown = known.some(
      (other) =>
        other.contentHash === verdict.contentHash &&
        other.outcome === verdict.outcome &&
        other.direction === verdict.direction,
    );
    return isKnown ? () => undefined : put(this.#verdicts, verdict.messageId, [...known, verdict]);
  }

  #writeStep(step: Step): Undo {
    const known = this.steps(step.turnId);
    const isKnown = known.some((other) => other.name === step.name);
    return isKnown ? () => undefined : put(this.#steps, step.turnId, [...known, step]);
  }

  #writeAttempt(attempt: DeliveryAttempt): Undo {
    const known = this.attempts(attempt.messageId);
    const before = known.find((other) => other.attempt === attempt.attempt);
    const receipts = mergedReceipts(before?.receipts ?? [], attempt.receipts);
    const attempts = [...known.filter((other) => other !== before), { ...attempt, receipts }];
    return put(
      this.#attempts,
      attempt.messageId,
      attempts.sort((a, b) => a.attempt - b.attempt),
    );
  }
}

/** Sets an entry, and returns what puts back what was there. */
export function put<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): Undo {
  const before = map.get(key);
  map.set(key, frozen(value));
  return () => {
    if (before === undefined) map.delete(key);
    else map.set(key, before);
  };
}

function addOnce<Key, Value>(map: Map<Key, Value>, key: Key, value: Value): Undo {
  return map.has(key) ? () => undefined : put(map, key, value);
}
