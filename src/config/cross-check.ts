import type { ChannelId } from "../core/ids.ts";
import { suggest } from "./mistakes.ts";
import type { Path } from "./yaml-file.ts";

interface Mismatch {
  readonly path: Path;
  readonly message: string;
}

/** Names that must exist, and ids that must be unique. Looks at the raw file, so that it also works on a faulty one. */
export function crossCheck(raw: unknown): Mismatch[] {
  const mismatches: Mismatch[] = [];
  const agents = Object.keys(entries(raw, "agents"));
  const engines = Object.keys(entries(raw, "engines"));
  const owners = new Map<ChannelId, string>();
  for (const [botId, bot] of Object.entries(entries(raw, "bots"))) {
    const routes = entries(bot, "routes");
    for (const [index, route] of Array.isArray(routes) ? routes.entries() : []) {
      const path = ["bots", botId, "routes", index, "agent"];
      mismatches.push(...mustExist({ path, name: property(route, "agent"), known: agents, list: "agents" }));
    }
    for (const channelName of Object.keys(entries(bot, "channels"))) {
      const id = channelId(botId, channelName);
      const owner = owners.get(id);
      const message = `has the id ${id}, as has a channel of the bot ${owner}. Rename one of them`;
      if (owner !== undefined) mismatches.push({ path: ["bots", botId, "channels", channelName], message });
      owners.set(id, botId);
    }
  }
  for (const [agentId, agent] of Object.entries(entries(raw, "agents"))) {
    const path = ["agents", agentId, "engine"];
    mismatches.push(...mustExist({ path, name: property(agent, "engine"), known: engines, list: "engines" }));
  }
  return mismatches;
}

interface NamedChannel {
  readonly botId: string;
  readonly name: string;
  readonly id: ChannelId;
  readonly tokenPath: Path;
}

/** Channels whose token came out empty, like one whose account is still to be made. */
export function channelsWithoutToken(raw: unknown): NamedChannel[] {
  return Object.entries(entries(raw, "bots")).flatMap(([botId, bot]) =>
    Object.entries(entries(bot, "channels"))
      .filter(([, channel]) => property(channel, "token") === "")
      .map(([name]) => ({
        botId,
        name,
        id: channelId(botId, name),
        tokenPath: ["bots", botId, "channels", name, "token"],
      })),
  );
}

/** Takes channels out of the raw file. */
export function removeChannels(raw: unknown, channels: readonly NamedChannel[]): void {
  for (const { botId, name } of channels) delete entries(property(property(raw, "bots"), botId), "channels")[name];
}

export function channelId(botId: string, channelName: string): ChannelId {
  return `${botId}-${channelName}` as ChannelId;
}

function mustExist(reference: { path: Path; name: unknown; known: readonly string[]; list: string }): Mismatch[] {
  const { path, name, known, list } = reference;
  if (typeof name !== "string" || known.includes(name)) return [];
  return [{ path, message: `names ${name}, which is not under ${list}.${suggest(name, known)}` }];
}

function entries(holder: unknown, key: string): Record<string, unknown> {
  const value = property(holder, key);
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

function property(holder: unknown, key: string): unknown {
  return typeof holder === "object" && holder !== null ? (holder as Record<string, unknown>)[key] : undefined;
}
