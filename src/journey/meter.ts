import type { Message, MessageState } from "../core/message.ts";

/** What the journey tells whoever counts. Called on the hot path: must be cheap and must not throw. */
export interface Meter {
  received(platform: string, isDuplicate: boolean): void;
  /** A message reached this state, `ms` after it was received or decided. */
  moved(from: Message["from"], state: MessageState, ms: number): void;
  /** A stage was done. `turn` is stages 2 to 5 together, `engine` stage 4 alone. */
  stage(name: "turn" | "engine" | "deliver", ms: number): void;
  attempted(platform: string, outcome: string): void;
}

/**
 * Called at each named point of the journey, in this order. Does nothing but in the crash tests, which stop the process
 * there.
 */
export type At = (point: JourneyPoint) => void;

export const journeyPoints = [
  "receive:before-commit",
  "receive:committed",
  "turn:claimed",
  "turn:reviewed",
  "turn:step-saved",
  "turn:answered",
  "turn:before-commit",
  "turn:committed",
  "deliver:claimed",
  "deliver:piece-saved",
  "deliver:sent",
  "deliver:committed",
] as const;

export type JourneyPoint = (typeof journeyPoints)[number];
