import type { Message } from "./message.ts";

/** A private member, unlike a symbol, is not copied by a spread: a copy with other parts is a plain message again. */
declare class Mark<Direction> {
  private readonly reviewed: Direction;
}

/**
 * A message of which every part was judged and passed. Only the gate makes one, from a message and a verdict on its very
 * content (`2-review-inbound.ts`, `5-review-outbound.ts`); engines and channels accept nothing else.
 */
export type ReviewedMessage<Direction extends "inbound" | "outbound"> = Message & Mark<Direction>;
