import type { Bot } from "../core/bot.ts";
import type { Channel } from "../core/channel.ts";
import type { Files } from "../core/files.ts";
import type { Host } from "../core/host.ts";
import type { BotId, ChannelId } from "../core/ids.ts";
import type { Log } from "../core/log.ts";
import type { Storage } from "../core/store.ts";
import type { At, Meter } from "./meter.ts";

/** Who is there now. The configuration may change while messages are under way. */
export interface Directory {
  findBot(id: BotId): Bot | undefined;
  findChannel(id: ChannelId): Channel | undefined;
}

export interface JourneyParts {
  readonly storage: Storage;
  readonly files: Files;
  readonly directory: Directory;
  readonly host: Host;
  readonly log: Log;
  readonly meter: Meter;
  readonly at: At;
}
