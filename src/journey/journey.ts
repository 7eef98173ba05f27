import type { Change } from "../core/change.ts";
import type { Accept, Channel } from "../core/channel.ts";
import { BugError, LeaseLostError, must, StorageError } from "../core/errors.ts";
import type { ChannelId, ConversationId } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import type { Lease, LeasedJob, Outcome } from "../core/queue.ts";
import { receive } from "./1-receive.ts";
import { type Decision, deliver } from "./6-deliver.ts";
import { backoffMs } from "./backoff.ts";
import type { JourneyParts } from "./journey-parts.ts";
import { reportMoves } from "./report-moves.ts";
import { settle } from "./settle.ts";
import { type TurnDecision, workTurn } from "./work-turn.ts";

/**
 * The way of every message: 1 receive → inbox → 2 review → 3 route → 4 take turn → 5 review → outbox → 6 deliver.
 * Stages decide; what they decided is written here, through `settle`.
 */
export class Journey {
  readonly #parts: JourneyParts;
  /** Addresses that a conversation got after it began, by `<channel>\n<address>`. */
  readonly #moved = new Map<string, ConversationId>();

  constructor(parts: JourneyParts) {
    this.#parts = parts;
  }

  /** To be awaited before anything is received. */
  async open(): Promise<void> {
    const { storage } = this.#parts;
    for (const { channelId, ref, conversationId } of await storage.movedAddresses()) {
      this.#moved.set(`${channelId}\n${ref}`, conversationId);
    }
  }

  /** Stage 1 for a channel: see `Accept`. */
  acceptFrom(channel: Channel): Accept {
    const { storage, directory, host, meter, at } = this.#parts;
    return async (update) => {
      const bot = directory.findBot(channel.botId);
      must(bot !== undefined, `The channel ${channel.id} belongs to the bot ${channel.botId}, which is not there.`);
      const conversationOf = (ref: string): ConversationId | undefined => this.#moved.get(`${channel.id}\n${ref}`);
      const { job, changes } = receive(update, channel, bot, conversationOf, host);
      at("receive:before-commit");
      const accepted = await storage.enqueue(job, changes);
      at("receive:committed");
      this.#noteMoves(channel.id, changes);
      meter.received(channel.platform, accepted.isDuplicate);
      return accepted;
    };
  }

  /** Stages 2 to 5 for the waiting messages of one conversation. */
  async takeTurn(lease: Lease, signal: AbortSignal): Promise<void> {
    const { host, log, meter, at, directory } = this.#parts;
    at("turn:claimed");
    const began = host.clock.now();
    const { conversation } = lease;
    const bot = directory.findBot(conversation.botId);
    const channel = directory.findChannel(conversation.channelId);
    let decision: TurnDecision;
    if (bot === undefined || channel === undefined) {
      decision = giveUp(lease, "its bot or channel is no longer configured", "received");
    } else if (lease.attempt > limits.turnClaimsMax) {
      decision = giveUp(lease, `Parley ended ${lease.attempt - 1} times while answering it`, "received");
    } else {
      try {
        decision = await workTurn(lease, { bot, channel }, this.#parts, signal);
      } catch (error) {
        if (error instanceof LeaseLostError || error instanceof StorageError || signal.aborted) throw error;
        decision = this.#afterFailedTurn(error, lease);
      }
    }
    at("turn:before-commit");
    await this.#settle({ ...lease, jobs: lease.jobs.slice(0, decision.jobs) }, decision, signal);
    meter.stage("turn", host.clock.now() - began);
    log.debug(
      { conversation: conversation.id, outcome: decision.outcome.kind, attempt: lease.attempt },
      "turn settled",
    );
  }

  /**
   * Stage 6 for the waiting messages of one conversation, one after the other, until one has to wait or `stopping` aborts.
   */
  async deliver(lease: Lease, signal: AbortSignal, stopping: AbortSignal): Promise<void> {
    this.#parts.at("deliver:claimed");
    const waiting = lease.jobs.filter(({ message }) => message.state === "queued");
    if (waiting.length === 0) return this.#settle(lease, { outcome: { kind: "done" }, changes: [] }, signal);
    for (const job of waiting) {
      // Of what another worker left behind, only the first that is not known to be out can have been under way.
      const wasAbandoned = lease.wasAbandoned && job === waiting[0];
      const decision = await this.#deliverOne({ ...lease, wasAbandoned }, job, signal);
      this.#parts.at("deliver:sent");
      const index = lease.jobs.indexOf(job);
      if (decision.outcome.kind === "retry") {
        if (index === 0) return this.#settle({ ...lease, jobs: [job] }, decision, signal);
        // Those before it are done. It comes next, at once, and is then the one that its lane waits for.
        return this.#settle(
          { ...lease, jobs: lease.jobs.slice(0, index) },
          { outcome: { kind: "done" }, changes: [] },
          signal,
        );
      }
      if (job === waiting.at(-1) || signal.aborted || stopping.aborted) {
        return this.#settle({ ...lease, jobs: lease.jobs.slice(0, index + 1) }, decision, signal);
      }
      await this.#save(lease, decision.changes);
    }
  }

  async #deliverOne(lease: Lease, job: LeasedJob, signal: AbortSignal): Promise<Decision> {
    const { files, directory, host, meter, at } = this.#parts;
    const channel = directory.findChannel(lease.conversation.channelId);
    if (channel === undefined)
      return giveUp({ ...lease, jobs: [job] }, "its channel is no longer configured", "queued");
    const began = host.clock.now();
    const save = async (changes: readonly Change[]): Promise<void> => {
      await this.#save(lease, changes);
      at("deliver:piece-saved");
    };
    const decision = await deliver(lease, job, { channel, files, host, save }, signal);
    meter.stage("deliver", host.clock.now() - began);
    const attempt = decision.changes.find((change) => change.kind === "attempt");
    if (attempt !== undefined) meter.attempted(channel.platform, attempt.attempt.outcome);
    return decision;
  }

  async #save(lease: Lease, changes: readonly Change[]): Promise<void> {
    const isSaved = await this.#parts.storage.save(lease, changes);
    if (!isSaved) throw new LeaseLostError("Another worker has this conversation now.");
    reportMoves(lease, changes, this.#parts);
  }

  async #settle(
    lease: Lease,
    { outcome, changes }: { outcome: Outcome; changes: readonly Change[] },
    signal: AbortSignal,
  ): Promise<void> {
    await settle(lease, outcome, changes, this.#parts, signal);
    this.#noteMoves(lease.conversation.channelId, changes);
    reportMoves(lease, changes, this.#parts);
    this.#parts.at(lease.queue === "inbox" ? "turn:committed" : "deliver:committed");
  }

  /** A turn that failed is tried again; one that keeps failing ends with the reason, so that the lane goes on. */
  #afterFailedTurn(error: unknown, lease: Lease): TurnDecision {
    const { host, log } = this.#parts;
    const reason = error instanceof Error && !(error instanceof BugError) ? error.message : "an error in Parley";
    log.warn({ conversation: lease.conversation.id, attempt: lease.attempt, err: error }, "a turn failed");
    if (lease.attempt >= limits.turnAttemptsMax)
      return giveUp(lease, `given up after ${lease.attempt} attempts: ${reason}`, "received");
    const outcome: Outcome = { kind: "retry", afterMs: backoffMs(lease.attempt, host), isCounted: true };
    return { outcome, changes: [], jobs: lease.jobs.length };
  }

  #noteMoves(channelId: ChannelId, changes: readonly Change[]): void {
    for (const change of changes) {
      if (change.kind === "moved") this.#moved.set(`${channelId}\n${change.ref}`, change.conversationId);
    }
  }
}

function giveUp(lease: Lease, reason: string, from: "received" | "queued"): TurnDecision {
  const changes = lease.jobs
    .filter(({ message }) => message.state === from)
    .map(({ message }): Change => ({ kind: "state", messageId: message.id, from, to: "dead", reason }));
  return { outcome: { kind: "dead" }, changes, jobs: lease.jobs.length };
}
