import { cleanParts, contentHash } from "../core/content.ts";
import { frozen } from "../core/frozen.ts";
import type { Host } from "../core/host.ts";
import { limits } from "../core/limits.ts";
import type { Part } from "../core/part.ts";
import type { Reviewer, Subject } from "../core/reviewer.ts";
import type { Verdict, VerdictRecord } from "../core/verdict.ts";

/** The gate's decision on one message: the record to keep, and the parts it is about. */
export interface Judgement {
  readonly verdict: VerdictRecord;
  readonly parts: readonly Part[];
}

/**
 * Asks the reviewers in order. A change is what the next one sees; the first hold or reject ends it. One that throws,
 * takes too long or answers with nonsense holds the message, and so does a bot without reviewers: when in doubt, a person looks.
 */
export async function askReviewers(
  reviewers: readonly Reviewer[],
  subject: Subject,
  host: Host,
  signal: AbortSignal,
): Promise<Judgement> {
  const judge = (outcome: VerdictRecord["outcome"], reviewer: string, reason: string | null): Judgement => ({
    verdict: {
      messageId: subject.message.id,
      // What the storage gave is hashed anew; a draft was hashed just before, from a copy that nobody else holds.
      contentHash:
        parts === subject.message.parts && subject.kind === "outbound"
          ? subject.message.contentHash
          : contentHash(parts, host),
      outcome,
      direction: subject.kind,
      reviewer,
      changed: parts !== subject.message.parts,
      reason,
      at: Math.floor(host.clock.now()),
    },
    parts,
  });
  let parts = subject.message.parts;
  let reason: string | null = null;
  if (reviewers.length === 0) return judge("hold", "gate", "the bot has no reviewer");
  for (const reviewer of reviewers) {
    const verdict = await ask(reviewer, frozen({ ...subject, parts }), host, signal);
    if (verdict.kind === "hold" || verdict.kind === "reject") return judge(verdict.kind, reviewer.name, verdict.reason);
    if (verdict.kind === "change") {
      parts = verdict.parts;
      reason = reason === null ? verdict.reason : `${reason}; ${verdict.reason}`;
    }
  }
  return judge("pass", reviewers.map(({ name }) => name).join(","), reason);
}

async function ask(
  reviewer: Reviewer,
  subject: Subject & { readonly parts: readonly Part[] },
  host: Host,
  signal: AbortSignal,
): Promise<Verdict> {
  try {
    const answer = reviewer.review(subject, signal);
    return checked(answer instanceof Promise ? await inTime(answer, host) : answer);
  } catch (error) {
    // The shutdown's or the lost lease's abort is no judgement: whoever takes the message next asks again.
    signal.throwIfAborted();
    return { kind: "hold", reason: `the reviewer ${reviewer.name} failed: ${failureOf(error)}` };
  }
}

function inTime<Value>(work: Promise<Value>, host: Host): Promise<Value> {
  return new Promise((resolve, reject) => {
    const cancel = host.clock.after(limits.reviewMs, () => reject(new TooSlow()));
    work.then(resolve, reject).finally(cancel);
  });
}

class TooSlow extends Error {
  override readonly name = "TooSlow";
}

/** Only the kind of error: its message may carry what the person wrote. */
function failureOf(error: unknown): string {
  if (error instanceof TooSlow) return `no answer within ${limits.reviewMs / 1000} seconds`;
  return error instanceof Error ? error.name : "it threw something that is no error";
}

class NoVerdict extends Error {
  override readonly name = "NoVerdict";
}

/** Reviewers may be plugins: what they return is looked at before it is believed. */
function checked(verdict: Verdict): Verdict {
  switch (verdict?.kind) {
    case "pass":
      return { kind: "pass" };
    case "change": {
      const parts = cleanParts(verdict.parts);
      if (parts.length === 0) throw new NoVerdict("a change without parts");
      return { kind: "change", parts, reason: sentence(verdict.reason) };
    }
    case "hold":
      return { kind: "hold", reason: sentence(verdict.reason) };
    case "reject":
      return { kind: "reject", reason: sentence(verdict.reason) };
    default:
      throw new NoVerdict("neither pass, change, hold nor reject");
  }
}

function sentence(reason: unknown): string {
  return typeof reason === "string" && reason !== "" ? reason.slice(0, limits.labelMax) : "no reason given";
}
