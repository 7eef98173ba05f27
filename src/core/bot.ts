import type { Engine } from "./engine.ts";
import type { BotId } from "./ids.ts";
import type { Reviewer } from "./reviewer.ts";
import type { Route } from "./route.ts";

/** A bot as the journey needs it: who judges, where messages go, who answers. */
export interface Bot {
  readonly id: BotId;
  readonly name: string;
  /** In the order they are asked. Never empty: a bot without a reviewer does not start. */
  readonly reviewers: readonly Reviewer[];
  /** In order of priority, highest first. */
  readonly routes: readonly Route[];
  /** By `Engine.name`. */
  readonly engines: ReadonlyMap<string, Engine>;
  /** A turn waits until the conversation was quiet for this long, so that a burst is one turn. */
  readonly quietMs: number;
}
