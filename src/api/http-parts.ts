import type { FastifyInstance } from "fastify";
import type { Bot } from "../core/bot.ts";
import type { Accepted, Channel, Update } from "../core/channel.ts";
import type { Files } from "../core/files.ts";
import type { Host } from "../core/host.ts";
import type { Log } from "../core/log.ts";
import type { Part } from "../core/part.ts";
import type { Store } from "../core/store.ts";
import type { Directory } from "../journey/journey-parts.ts";
import type { Metrics } from "./metrics.ts";

/** All that the HTTP interface works with. */
export interface HttpParts {
  readonly store: Store;
  readonly files: Files;
  readonly host: Host;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly directory: HttpDirectory;
  /** Stage 1 for an update of this channel. */
  accept(channel: Channel, update: Update): Promise<Accepted>;
  /** What a bot's web channel makes of a message that somebody sends through the API. */
  messageUpdate(said: {
    readonly personRef: string;
    readonly clientId: string;
    readonly parts: readonly Part[];
  }): Update;
  /** Whether Parley can do its work, looked at anew. */
  readiness(): Promise<readonly Readiness[]>;
  /** Adds routes that are not the API's: the chat page's. Sockets are there already. */
  registerExtra(app: FastifyInstance): Promise<void>;
}

export interface HttpDirectory extends Directory {
  bots(): readonly Bot[];
  channels(): readonly Channel[];
}

export interface Readiness {
  /** What was looked at: `storage`. */
  readonly name: string;
  readonly ok: boolean;
  /** A sentence; null when all is well. */
  readonly detail: string | null;
}

/** The channel through which the API speaks to a bot; undefined where the bot has none. */
export function webChannelOf(directory: HttpDirectory, bot: Pick<Bot, "id">): Channel | undefined {
  return directory.channels().find(({ botId, platform }) => botId === bot.id && platform === "web");
}
