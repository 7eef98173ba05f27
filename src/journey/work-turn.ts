import type { Bot } from "../core/bot.ts";
import type { Change } from "../core/change.ts";
import { type Channel, isTypingChannel } from "../core/channel.ts";
import type { Engine } from "../core/engine.ts";
import { must } from "../core/errors.ts";
import { frozen } from "../core/frozen.ts";
import type { Cancel } from "../core/host.ts";
import type { MessageId, TurnId } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import type { Message } from "../core/message.ts";
import type { Lease, LeasedJob, Outcome } from "../core/queue.ts";
import type { ReviewedMessage } from "../core/reviewed.ts";
import type { Route } from "../core/route.ts";
import type { Step, Turn } from "../core/turn.ts";
import { reviewInbound } from "./2-review-inbound.ts";
import { route } from "./3-route.ts";
import { takeTurn } from "./4-take-turn.ts";
import { reviewOutbound } from "./5-review-outbound.ts";
import { completeMessage, isIncomplete } from "./complete-message.ts";
import type { JourneyParts } from "./journey-parts.ts";

export interface TurnDecision {
  readonly outcome: Outcome;
  readonly changes: readonly Change[];
  /** How many of the leased jobs it is about, from the oldest; the others stay in the lane. */
  readonly jobs: number;
}

interface Answering {
  readonly bot: Bot;
  readonly channel: Channel;
}

/** What stages 2 and 3 made of the waiting messages. */
interface Sorted {
  /** To be answered in this turn, by one engine. */
  readonly taken: readonly ReviewedMessage<"inbound">[];
  readonly route: Route | undefined;
  readonly changes: readonly Change[];
  readonly jobs: number;
}

/** Stages 2 to 5 under one lease. Returns what is to be written; writes nothing but finished steps. */
export async function workTurn(
  lease: Lease,
  answering: Answering,
  parts: JourneyParts,
  signal: AbortSignal,
): Promise<TurnDecision> {
  const begun = await findBegun(lease, parts);
  const jobs = begun === undefined ? lease.jobs : upTo(lease.jobs, begun.messageIds);
  const sorted = await sort(jobs, lease, answering, parts, signal);
  parts.at("turn:reviewed");
  const [first] = sorted.taken;
  if (first === undefined || sorted.route === undefined) {
    return { outcome: { kind: "done" }, changes: sorted.changes, jobs: sorted.jobs };
  }
  const turn: Turn = {
    id: begun?.id ?? turnIdOf(first.id),
    conversationId: lease.conversation.id,
    messageIds: sorted.taken.map(({ id }) => id),
    answerIds: [],
    route: sorted.route.name,
    engine: sorted.route.engine,
    attempt: lease.attempt,
    startedAt: Math.floor(parts.host.clock.now()),
    endedAt: null,
  };
  const changes = await answer(turn, sorted, lease, answering, parts, signal).catch(async (error: unknown) => {
    await parts.storage.save(lease, judged(sorted));
    throw error;
  });
  return { outcome: { kind: "done" }, changes: [...sorted.changes, ...changes], jobs: sorted.jobs };
}

/** A turn that saved a step and was cut off takes the very messages that it took before, or its steps would lie. */
async function findBegun(lease: Lease, { storage }: JourneyParts): Promise<Turn | undefined> {
  if (lease.attempt === 1) return undefined;
  for (const { message } of lease.jobs) {
    const turn = await storage.findTurn(turnIdOf(message.id));
    if (turn !== undefined) return turn;
  }
  return undefined;
}

function turnIdOf(firstMessage: MessageId): TurnId {
  return firstMessage.replace(/^msg_/, "trn_") as TurnId;
}

function upTo(jobs: readonly LeasedJob[], messageIds: readonly MessageId[]): readonly LeasedJob[] {
  const last = jobs.findLastIndex(({ message }) => messageIds.includes(message.id));
  return jobs.slice(0, last + 1);
}

/** Stages 2 and 3 for each message, oldest first, until one wants another engine than those before it. */
async function sort(
  jobs: readonly LeasedJob[],
  lease: Lease,
  { bot, channel }: Answering,
  { storage, files, host }: JourneyParts,
  signal: AbortSignal,
): Promise<Sorted> {
  const taken: ReviewedMessage<"inbound">[] = [];
  const changes: Change[] = [];
  let chosen: Route | undefined;
  let handled = 0;
  for (const job of jobs) {
    if (job.message.state === "received") {
      const message = isIncomplete(job.message)
        ? await completeMessage(
            job.message,
            channel,
            { store: storage, files, host },
            lease.attempt >= limits.turnAttemptsMax,
            signal,
          )
        : job.message;
      // Only a message that an operator sent back carries a reason, and only then is there an earlier verdict to read.
      const earlier = message.reason === null ? [] : ((await storage.findPath(message.id))?.verdicts ?? []);
      const review = await reviewInbound(message, lease.conversation, bot, earlier, host, signal);
      const decision = review.reviewed === undefined ? undefined : route(review.reviewed, channel.id, bot);
      const next = decision?.kind === "engine" ? decision.route : undefined;
      if (chosen !== undefined && next !== undefined && next.engine !== chosen.engine) break;
      if (message !== job.message) changes.push(completed(message));
      changes.push(...review.changes);
      if (decision?.kind === "ignore") changes.push(ignored(message, decision.reason));
      if (next !== undefined && review.reviewed !== undefined) {
        chosen ??= next;
        taken.push(review.reviewed);
      }
    }
    handled += 1;
  }
  return { taken, route: chosen, changes, jobs: handled };
}

/** What the engine acted on must be known to have been judged even if its turn never ends. */
function judged({ changes }: Sorted): readonly Change[] {
  return changes.filter(({ kind }) => kind === "verdict" || kind === "parts");
}

function completed({ id, parts, contentHash }: Message): Change {
  return { kind: "parts", messageId: id, parts, contentHash };
}

function ignored(message: Message, reason: string, turnId?: TurnId): Change {
  const move = { kind: "state", messageId: message.id, from: "received", to: "ignored", reason } as const;
  return turnId === undefined ? move : { ...move, turnId };
}

/** Stages 4 and 5: what the engine says, reviewed. */
async function answer(
  turn: Turn,
  sorted: Sorted,
  lease: Lease,
  { bot, channel }: Answering,
  parts: JourneyParts,
  signal: AbortSignal,
): Promise<readonly Change[]> {
  const { storage, host, meter, at } = parts;
  const engine = engineOf(bot, turn.engine);
  const began = host.clock.now();
  const stopTyping = typing(channel, lease, parts, signal);
  const result = await takeTurn(
    engine,
    {
      botId: bot.id,
      conversation: { id: lease.conversation.id, isGroup: lease.conversation.isGroup },
      messages: frozen(sorted.taken),
      history: (limit) => history(turn, lease, limit, parts),
      state: lease.conversation.engineState,
      signal,
    },
    {
      finished: lease.attempt === 1 ? [] : await storage.steps(turn.id),
      save: async (name, value) => {
        const step: Step = { turnId: turn.id, name, result: value, at: Math.floor(host.clock.now()) };
        const isSaved = await storage.save(lease, [...judged(sorted), { kind: "turn", turn }, { kind: "step", step }]);
        at("turn:step-saved");
        return isSaved;
      },
    },
    host,
  ).finally(stopTyping);
  at("turn:answered");
  meter.stage("engine", host.clock.now() - began);

  const reviews = [];
  for (const draft of result.drafts) {
    reviews.push(
      await reviewOutbound(
        draft,
        { id: turn.id, bot, conversation: lease.conversation, inReplyTo: sorted.taken },
        host,
        signal,
      ),
    );
  }
  const ended: Turn = {
    ...turn,
    answerIds: reviews.map(({ messageId }) => messageId),
    endedAt: Math.floor(host.clock.now()),
  };
  const changes: Change[] = [{ kind: "turn", turn: ended }, ...reviews.flatMap((review) => review.changes)];
  for (const message of sorted.taken) {
    changes.push(
      reviews.length === 0
        ? ignored(message, "the engine had nothing to say", turn.id)
        : { kind: "state", messageId: message.id, from: "received", to: "answered", reason: null, turnId: turn.id },
    );
  }
  if (result.state !== undefined) {
    changes.push({ kind: "engineState", conversationId: lease.conversation.id, state: result.state });
  }
  return changes;
}

function engineOf(bot: Bot, name: string): Engine {
  const engine = bot.engines.get(name);
  must(engine !== undefined, `A route of the bot ${bot.id} names the engine ${name}, which the bot does not have.`);
  return engine;
}

/** What was said before this turn, without what did not pass its review. */
async function history(
  turn: Turn,
  lease: Lease,
  limit: number,
  { storage }: JourneyParts,
): Promise<readonly Message[]> {
  const wanted = Math.min(Math.max(0, Math.floor(limit)), limits.historyMax);
  if (wanted === 0) return [];
  const transcript = await storage.transcript(lease.conversation.id, limits.historyMax);
  return transcript.filter(({ id, state }) => !turn.messageIds.includes(id) && isHeard(state)).slice(-wanted);
}

function isHeard(state: Message["state"]): boolean {
  return (
    state === "answered" || state === "ignored" || state === "queued" || state === "delivered" || state === "unknown"
  );
}

/** Shows that the bot is busy when a turn takes a while, and again as long as it does: platforms forget it after seconds. */
function typing(channel: Channel, lease: Lease, { host }: JourneyParts, signal: AbortSignal): Cancel {
  if (!isTypingChannel(channel)) return () => undefined;
  let cancel: Cancel;
  const show = (): void => {
    cancel = host.clock.after(limits.typingAgainMs, show);
    channel.showTyping(lease.conversation, signal).catch(() => undefined);
  };
  cancel = host.clock.after(limits.typingAfterMs, show);
  return () => cancel();
}
