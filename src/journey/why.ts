import type { MessageId } from "../core/ids.ts";
import type { Message } from "../core/message.ts";
import type { MessagePath, Store } from "../core/store.ts";

/** What became of a message, and why: its whole path, oldest first. */
export interface Why {
  readonly message: Pick<Message, "id" | "from" | "state" | "reason" | "notice" | "at">;
  readonly conversation: string;
  readonly bot: string;
  readonly channel: string;
  /** The state in a sentence. */
  readonly summary: string;
  readonly path: readonly PathEntry[];
  /** For a person's message, what the bot said to it. For the bot's, what it answered. */
  readonly related: readonly Pick<Message, "id" | "from" | "state" | "reason">[];
}

interface PathEntry {
  readonly stage: "receive" | "review" | "turn" | "step" | "decide" | "deliver";
  readonly at: number;
  readonly what: string;
}

/** Undefined when there is no such message. */
export async function why(id: MessageId, store: Store): Promise<Why | undefined> {
  const path = await store.findPath(id);
  if (path === undefined) return undefined;
  const { message, conversation, turn } = path;
  const relatedIds = message.from === "person" ? turn?.answerIds : turn?.messageIds;
  const related = await store.findMessages(relatedIds ?? []);
  const { from, state, reason, notice, at } = message;
  return {
    message: { id, from, state, reason, notice, at },
    conversation: conversation.id,
    bot: conversation.botId,
    channel: conversation.channelId,
    summary: reason === null ? meaning[state] : `${meaning[state]} Reason: ${reason}.`,
    path: entries(path),
    related: related.map(({ id, from, state, reason }) => ({ id, from, state, reason })),
  };
}

const meaning: Readonly<Record<Message["state"], string>> = {
  received: "It is on disk and waits for its turn.",
  queued: "It passed its review and waits to be delivered.",
  held: "It waits for an operator to release or reject it.",
  answered: "The bot took it in a turn and answered.",
  ignored: "It was taken note of; no answer was due.",
  rejected: "It was rejected and went no further.",
  delivered: "The platform has it.",
  unknown: "It may or may not have arrived; it is not sent again by itself.",
  dead: "It was given up; an operator can resubmit it.",
};

function entries({ message, verdicts, turn, steps, attempts }: MessagePath): readonly PathEntry[] {
  const all: PathEntry[] = [];
  const isPersons = message.from === "person";
  if (isPersons) all.push({ stage: "receive", at: message.at, what: "received and written to disk" });
  if (turn !== undefined && !isPersons) {
    all.push({
      stage: "turn",
      at: turn.startedAt,
      what: `drafted by ${turn.engine}, chosen by the route "${turn.route}"`,
    });
  }
  for (const { outcome, reviewer, changed, reason, at } of verdicts) {
    const what = `${outcome}${changed ? " with changes" : ""} by ${reviewer}${reason === null ? "" : `: ${reason}`}`;
    all.push({ stage: reviewer.startsWith("operator:") ? "decide" : "review", at, what });
  }
  if (turn !== undefined && isPersons) {
    const taken = turn.messageIds.length === 1 ? "taken" : `taken with ${turn.messageIds.length - 1} more`;
    const attempt = turn.attempt === 1 ? "" : `, at attempt ${turn.attempt}`;
    all.push({
      stage: "turn",
      at: turn.startedAt,
      what: `${taken} by ${turn.engine}, chosen by the route "${turn.route}"${attempt}`,
    });
    for (const step of steps) all.push({ stage: "step", at: step.at, what: `step "${step.name}" done` });
    if (turn.endedAt !== null)
      all.push({ stage: "turn", at: turn.endedAt, what: `answered with ${turn.answerIds.length} messages` });
  }
  for (const { attempt, outcome, receipts, reason, at } of attempts) {
    const proof =
      receipts.length === 0 ? "" : `; the platform's ids: ${receipts.map(({ platformRef }) => platformRef).join(", ")}`;
    all.push({
      stage: "deliver",
      at,
      what: `attempt ${attempt}: ${outcome}${reason === null ? "" : ` (${reason})`}${proof}`,
    });
  }
  return all.toSorted((a, b) => a.at - b.at);
}
