import type { Change } from "../core/change.ts";
import type { Channel, Delivery } from "../core/channel.ts";
import { type DeliveryAttempt, DeliveryError, type Receipt } from "../core/delivery.ts";
import { LeaseLostError } from "../core/errors.ts";
import type { Files } from "../core/files.ts";
import type { Host } from "../core/host.ts";
import { limits } from "../core/limits.ts";
import type { MessageState } from "../core/message.ts";
import type { Lease, LeasedJob, Outcome } from "../core/queue.ts";
import { confirmReviewed } from "./5-review-outbound.ts";
import { backoffMs } from "./backoff.ts";
import { within } from "./within.ts";

export interface Decision {
  readonly outcome: Outcome;
  readonly changes: readonly Change[];
}

export interface DeliverySources {
  readonly channel: Channel;
  readonly files: Pick<Files, "read">;
  readonly host: Host;
  /** Keeps evidence while the delivery goes on. Throws `LeaseLostError`. */
  save(changes: readonly Change[]): Promise<void>;
}

/**
 * Stage 6: brings one message of the outbox to its platform and decides what that came to. Throws `LeaseLostError` only;
 * whatever else goes wrong is an outcome.
 */
export async function deliver(
  lease: Lease,
  job: LeasedJob,
  sources: DeliverySources,
  signal: AbortSignal,
): Promise<Decision> {
  const { channel, files, host } = sources;
  const message = confirmReviewed(job, host);
  if (message === undefined) return end(job, "dead", "its content is not what its verdict passed", []);
  if (lease.wasAbandoned && channel.whenUnknown === "stop") {
    const reason = "Parley was stopped while it was being sent; it may have arrived";
    const attempt = attemptOf(lease, job, "unknown", [], reason, host);
    return end(job, "unknown", reason, [{ kind: "attempt", attempt }]);
  }
  const arrived: Receipt[] = [];
  try {
    const delivery: Delivery = {
      message,
      conversation: lease.conversation,
      idempotencyKey: message.id,
      receipts: job.receipts,
      readFile: (hash) => files.read(hash),
      pieceDelivered: async (receipt) => {
        arrived.push(receipt);
        const attempt = attemptOf(lease, job, "unknown", arrived, "not finished", host);
        await sources.save([{ kind: "attempt", attempt }]);
      },
    };
    const receipts = await within({ ms: limits.deliverMs, late: tookTooLong }, host, signal, (limited) =>
      channel.deliver(delivery, limited),
    );
    const attempt = attemptOf(lease, job, "delivered", receipts, null, host);
    const platformRef = job.receipts[0]?.platformRef ?? receipts[0]?.platformRef;
    return end(job, "delivered", null, [{ kind: "attempt", attempt }], platformRef);
  } catch (error) {
    if (error instanceof LeaseLostError) throw error;
    return afterFailure(error, lease, job, arrived, sources);
  }
}

function tookTooLong(): Error {
  return new DeliveryError({ kind: "unknown" }, `the channel did not end within ${limits.deliverMs / 1000} seconds`);
}

function afterFailure(
  error: unknown,
  lease: Lease,
  job: LeasedJob,
  arrived: readonly Receipt[],
  { channel, host }: DeliverySources,
): Decision {
  const failure = error instanceof DeliveryError ? error.failure : ({ kind: "unknown" } as const);
  const reason =
    error instanceof DeliveryError
      ? error.message
      : `the channel failed (${error instanceof Error ? error.name : "no error"})`;
  const recorded = failure.kind === "moved" ? "unavailable" : failure.kind;
  const evidence: Change[] = [{ kind: "attempt", attempt: attemptOf(lease, job, recorded, arrived, reason, host) }];
  const isTooOld = host.clock.now() - job.message.at > limits.deliveryAgeMaxMs;
  const isLastAttempt = lease.attempt >= limits.deliveryAttemptsMax || isTooOld;

  switch (failure.kind) {
    case "refused":
      return end(job, "dead", reason, evidence);
    case "throttled":
      if (isTooOld) return end(job, "dead", `given up: ${reason}`, evidence);
      return { outcome: { kind: "retry", afterMs: failure.retryAfterMs, isCounted: false }, changes: evidence };
    case "unknown":
      if (channel.whenUnknown === "stop") return end(job, "unknown", reason, evidence);
      break;
    case "moved":
      evidence.push({ kind: "moved", conversationId: lease.conversation.id, ref: failure.ref });
      break;
    case "unavailable":
      break;
  }
  if (isLastAttempt) return end(job, "dead", `given up after ${lease.attempt} attempts: ${reason}`, evidence);
  const afterMs = failure.kind === "moved" ? 0 : backoffMs(lease.attempt, host);
  return { outcome: { kind: "retry", afterMs, isCounted: true }, changes: evidence };
}

function end(
  job: LeasedJob,
  to: MessageState,
  reason: string | null,
  changes: readonly Change[],
  platformRef?: string,
): Decision {
  const state: Change = {
    kind: "state",
    messageId: job.message.id,
    from: "queued",
    to,
    reason,
    ...(platformRef === undefined ? {} : { platformRef }),
  };
  return { outcome: { kind: to === "delivered" ? "done" : "dead" }, changes: [...changes, state] };
}

function attemptOf(
  lease: Lease,
  job: LeasedJob,
  outcome: DeliveryAttempt["outcome"],
  receipts: readonly Receipt[],
  reason: string | null,
  host: Host,
): DeliveryAttempt {
  const at = Math.floor(host.clock.now());
  return { messageId: job.message.id, attempt: lease.attempt, outcome, receipts: [...receipts], reason, at };
}
