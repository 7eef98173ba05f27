import type { MessageId } from "./ids.ts";

/** The platform's proof that it took a piece of a message. */
export interface Receipt {
  /** The platform's own id of what it took. */
  readonly platformRef: string;
  readonly at: number;
}

/** One try to bring a message to its platform, kept as evidence. */
export interface DeliveryAttempt {
  readonly messageId: MessageId;
  readonly attempt: number;
  readonly outcome: "delivered" | "throttled" | "unavailable" | "refused" | "unknown";
  /** Pieces that arrived in this try. A long text is several. */
  readonly receipts: readonly Receipt[];
  readonly reason: string | null;
  readonly at: number;
}

/** Why a delivery failed, by what is to be done next. */
export type DeliveryFailure =
  /** The platform asks to wait. Nothing was sent. */
  | { readonly kind: "throttled"; readonly retryAfterMs: number }
  /** The platform was not reached, or said that it cannot now. Nothing was sent. */
  | { readonly kind: "unavailable" }
  /** The platform will never take this message. */
  | { readonly kind: "refused" }
  /** It may have arrived or not. */
  | { readonly kind: "unknown" }
  /** The conversation lives at another address now. Nothing was sent. */
  | { readonly kind: "moved"; readonly ref: string };

/** Thrown by `Channel.deliver`. Any other error from there is a bug and is treated as `unknown`. */
export class DeliveryError extends Error {
  override readonly name = "DeliveryError";
  readonly failure: DeliveryFailure;

  /** @param reason What happened and what to do, without a secret and without a person's words. */
  constructor(failure: DeliveryFailure, reason: string, options?: ErrorOptions) {
    super(reason, options);
    this.failure = failure;
  }
}

/** All receipts of both lists, a piece once, those of `earlier` first. */
export function mergedReceipts(earlier: readonly Receipt[], later: readonly Receipt[]): readonly Receipt[] {
  const known = new Set(earlier.map(({ platformRef }) => platformRef));
  return [...earlier, ...later.filter(({ platformRef }) => !known.has(platformRef))];
}
