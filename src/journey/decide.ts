import type { Change } from "../core/change.ts";
import { InputError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { MessageId } from "../core/ids.ts";
import type { NewJob } from "../core/job.ts";
import type { Message, MessageState } from "../core/message.ts";
import type { Store } from "../core/store.ts";
import type { VerdictRecord } from "../core/verdict.ts";
import { outboxJob } from "./5-review-outbound.ts";

/** What an operator may decide on a message that waits for a decision. */
export type OperatorDecision =
  /** A held message goes on its way: the operator's verdict on exactly this content. */
  | { readonly kind: "release" }
  /** A held message ends here. */
  | { readonly kind: "reject"; readonly reason: string }
  /** A message that is dead, or may or may not have arrived, is tried again. Its content needs its verdict as before. */
  | { readonly kind: "resubmit" };

/**
 * Carries out an operator's decision and returns the message's new state.
 *
 * @param by Who decided, kept with the verdict.
 * @throws InputError `not_found`, or `conflict` when the message does not wait for this decision
 */
export async function decide(
  messageId: MessageId,
  decision: OperatorDecision,
  by: string,
  { store, host }: { readonly store: Store; readonly host: Host },
): Promise<MessageState> {
  const message = await store.findMessage(messageId);
  if (message === undefined) throw new InputError("not_found", `There is no message ${messageId}.`);
  const awaited = decision.kind === "resubmit" ? ["dead", "unknown"] : ["held"];
  if (!awaited.includes(message.state)) {
    throw new InputError(
      "conflict",
      `The message ${messageId} is ${message.state}: only one that is ${awaited.join(" or ")} takes this.`,
    );
  }
  const { to, changes } = changesOf(message, decision, by, host);
  if (await store.apply(changes)) return to;
  throw new InputError("conflict", `The message ${messageId} was decided on by someone else just now.`);
}

function changesOf(
  message: Message,
  decision: OperatorDecision,
  by: string,
  host: Host,
): { to: MessageState; changes: readonly Change[] } {
  const isInbound = message.from === "person";
  const state = (to: MessageState, reason: string | null): Change => ({
    kind: "state",
    messageId: message.id,
    from: message.state,
    to,
    reason,
  });
  if (decision.kind === "reject") {
    const verdict = verdictOf(message, "reject", decision.reason, by, host);
    return { to: "rejected", changes: [verdict, state("rejected", `operator:${by}: ${decision.reason}`)] };
  }
  // A bot's draft that nobody passed has no verdict to go out with, however it came to be resubmitted.
  const verdicts = decision.kind === "release" ? [verdictOf(message, "pass", null, by, host)] : [];
  const to = isInbound ? "received" : "queued";
  // A reason on a message that is `received` sends stage 2 to look for this verdict.
  const reason = isInbound ? `${decision.kind === "release" ? "released" : "resubmitted"} by ${by}` : null;
  return { to, changes: [...verdicts, state(to, reason), { kind: "job", job: jobOf(message, host) }] };
}

function jobOf(message: Message, host: Host): NewJob {
  const key = host.newId("again");
  if (message.from !== "person") return outboxJob(message, key);
  return {
    queue: "inbox",
    key,
    conversationId: message.conversationId,
    messageId: message.id,
    priority: 5,
    quietMs: 0,
  };
}

function verdictOf(
  message: Message,
  outcome: "pass" | "reject",
  reason: string | null,
  by: string,
  host: Host,
): Change {
  const verdict: VerdictRecord = {
    messageId: message.id,
    contentHash: message.contentHash,
    outcome,
    direction: message.from === "person" ? "inbound" : "outbound",
    reviewer: `operator:${by}`,
    changed: false,
    reason,
    at: Math.floor(host.clock.now()),
  };
  return { kind: "verdict", verdict };
}
