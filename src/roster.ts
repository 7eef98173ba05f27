import { isDeepStrictEqual } from "node:util";
import type { Config } from "./config/config.ts";
import type { Bot } from "./core/bot.ts";
import type { Accept, Channel } from "./core/channel.ts";
import type { Host } from "./core/host.ts";
import type { BotId, ChannelId } from "./core/ids.ts";
import type { Log } from "./core/log.ts";
import type { Directory } from "./journey/journey-parts.ts";
import { Listening } from "./journey/listening.ts";

type ChannelConfig = Config["bots"][number]["channels"][number];

export interface RosterParts {
  readonly host: Host;
  readonly log: Log;
  createBot(config: Config["bots"][number], all: Config): Bot;
  createChannel(config: ChannelConfig, botId: BotId): Channel;
  acceptFrom(channel: Channel): Accept;
}

interface Member {
  readonly config: ChannelConfig;
  readonly channel: Channel;
  readonly listening: Listening;
}

/** The bots and channels that are there now, and the one place that changes when the configuration does. */
export class Roster implements Directory {
  readonly #parts: RosterParts;
  #bots = new Map<BotId, Bot>();
  readonly #members = new Map<ChannelId, Member>();

  constructor(parts: RosterParts) {
    this.#parts = parts;
  }

  /** Makes it so: channels that stay as they were go on undisturbed, others stop, start, or do both. */
  async become(config: Config): Promise<void> {
    const { createBot, createChannel, acceptFrom, host, log } = this.#parts;
    const wanted = config.bots.flatMap((bot) => bot.channels.map((channel) => ({ channel, botId: bot.id })));
    const bots = new Map(config.bots.map((bot) => [bot.id, createBot(bot, config)]));
    const leaving = [...this.#members.values()].filter(
      (member) => !wanted.some(({ channel }) => isDeepStrictEqual(channel, member.config)),
    );
    await Promise.all(leaving.map(({ listening }) => listening.stop()));
    for (const { config } of leaving) this.#members.delete(config.id);
    this.#bots = bots;
    for (const { channel: config, botId } of wanted) {
      if (this.#members.has(config.id)) continue;
      const channel = createChannel(config, botId);
      const listening = new Listening(channel, acceptFrom(channel), { host, log });
      this.#members.set(config.id, { config, channel, listening });
    }
  }

  findBot(id: BotId): Bot | undefined {
    return this.#bots.get(id);
  }

  findChannel(id: ChannelId): Channel | undefined {
    return this.#members.get(id)?.channel;
  }

  bots(): readonly Bot[] {
    return [...this.#bots.values()];
  }

  channels(): readonly Channel[] {
    return [...this.#members.values()].map(({ channel }) => channel);
  }

  /** What keeps channels from bringing anything in. */
  troubles(): readonly { readonly channelId: ChannelId; readonly trouble: string | null }[] {
    return [...this.#members].map(([channelId, { listening }]) => ({ channelId, trouble: listening.trouble }));
  }

  /** No update comes in any more. */
  async stop(): Promise<void> {
    await Promise.all([...this.#members.values()].map(({ listening }) => listening.stop()));
  }
}
