import type { ContentHash, MessageId } from "./ids.ts";
import type { Part } from "./part.ts";

/** A judgement on one content. Always with a reason unless it passes. */
export type Verdict =
  | { readonly kind: "pass" }
  /** Passes with these parts instead. The next reviewer sees them. */
  | { readonly kind: "change"; readonly parts: readonly Part[]; readonly reason: string }
  /** Waits for an operator. */
  | { readonly kind: "hold"; readonly reason: string }
  | { readonly kind: "reject"; readonly reason: string };

/**
 * What the gate decided on one message, and on exactly which content. The outbox refuses a message whose content has no
 * record here that passed it.
 */
export interface VerdictRecord {
  readonly messageId: MessageId;
  /** Of the content that was judged; of the changed content where a reviewer changed it. */
  readonly contentHash: ContentHash;
  readonly outcome: "pass" | "hold" | "reject";
  readonly direction: "inbound" | "outbound";
  /** Who decided: the reviewer that changed, held or rejected it, or all that let it pass, by comma. */
  readonly reviewer: string;
  /** True when a reviewer changed what was said. */
  readonly changed: boolean;
  /** Null when it passed unchanged. */
  readonly reason: string | null;
  readonly at: number;
}
