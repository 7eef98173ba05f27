import type { Change } from "../../core/change.ts";
import { must } from "../../core/errors.ts";
import type { MessageId } from "../../core/ids.ts";
import type { NewJob } from "../../core/job.ts";
import { messageMoves } from "../../core/message.ts";
import type { ClaimRequest } from "../../core/queue.ts";

/** Refuses what only a wrong program asks for, before anything is written. Throws `BugError`. */
export function checkChanges(changes: readonly Change[]): void {
  for (const change of changes) {
    if (change.kind === "job") checkJob(change.job);
    if (change.kind === "message") {
      const { id, from, state } = change.message;
      must(from === "person" || state !== "delivered", `Message ${id} is new, so it cannot be delivered yet.`);
    }
    if (change.kind === "state") {
      const { messageId, from, to } = change;
      must(
        messageMoves[from].includes(to),
        `Message ${messageId} cannot move from ${from} to ${to}: see messageMoves.`,
      );
    }
  }
}

/** Throws `BugError`. */
export function checkJob(job: NewJob): void {
  const { priority } = job;
  must(
    Number.isInteger(priority) && priority >= 1 && priority <= 10,
    `Job ${job.key} has priority ${priority}; it is a whole number from 1 to 10.`,
  );
}

/** Throws `BugError`. */
export function checkClaim(request: ClaimRequest): void {
  must(request.lanesMax >= 1 && request.jobsMax >= 1, "A claim asks for at least one lane and one job.");
  checkLease(request.leaseMs);
}

/** Throws `BugError`. */
export function checkLease(leaseMs: number): void {
  must(leaseMs > 0, `A lease of ${leaseMs} ms would be over before it began.`);
}

/** What a `BugError` says when a lease's or a new job's `state` or `parts` change comes too late: only `apply` may race. */
export const movedMeanwhile =
  "A message was no longer in the state that a change starts from, so nothing was written: read it again before moving it.";

/** What a `BugError` says of a job whose message is not there. */
export function noSuchMessage({ key, messageId, conversationId }: NewJob): string {
  return `Job ${key} is for message ${messageId}, which conversation ${conversationId} does not have: write the message first.`;
}

/** What a `BugError` says of a send that would go past the gate. */
export function notReviewed(messageId: MessageId): string {
  return `Message ${messageId} cannot go out, as no outbound verdict passed this content: review it first.`;
}
