import type { Change } from "../core/change.ts";
import type { Message, MessageState } from "../core/message.ts";
import type { Lease } from "../core/queue.ts";
import type { JourneyParts } from "./journey-parts.ts";

/** One log line and one count for each message that came to rest. */
export function reportMoves(
  lease: Lease,
  changes: readonly Change[],
  { host, log, meter }: Pick<JourneyParts, "host" | "log" | "meter">,
): void {
  const { id, botId, channelId } = lease.conversation;
  const now = host.clock.now();
  const report = (message: Message, state: MessageState, reason: string | null): void => {
    const ms = Math.max(0, now - message.at);
    meter.moved(message.from, state, ms);
    const line = {
      message: message.id,
      from: message.from,
      state,
      reason,
      conversation: id,
      bot: botId,
      channel: channelId,
      ms: Math.round(ms),
    };
    if (state === "dead" || state === "unknown" || state === "held") log.warn(line, "message");
    else log.info(line, "message");
  };
  for (const change of changes) {
    if (change.kind === "message" && change.message.state !== "queued") {
      report(change.message, change.message.state, change.message.reason);
    } else if (change.kind === "state") {
      const job = lease.jobs.find(({ message }) => message.id === change.messageId);
      if (job !== undefined) report(job.message, change.to, change.reason);
    }
  }
}
