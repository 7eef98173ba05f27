import { dirname, resolve } from "node:path";
import type { BotId, ChannelId } from "../core/ids.ts";
import type { Persona } from "../core/model.ts";
import type { Route } from "../core/route.ts";
import type { BotConfig, Config } from "./config.ts";
import type { ParsedFile } from "./config-schema.ts";
import { channelId } from "./cross-check.ts";

type ParsedBot = ParsedFile["bots"][string];

/** A checked file in our words. */
export function buildConfig(
  file: ParsedFile,
  about: { readonly path: string; readonly digest: string; readonly offIds: readonly ChannelId[] },
): Config {
  const { server, storage, log, bots, agents, engines } = file;
  return {
    path: about.path,
    digest: about.digest,
    server: { host: server.host, port: server.port, publicUrl: server.public_url?.replace(/\/+$/, "") ?? null },
    storage: { kind: storage.type },
    dataFolder: resolve(dirname(about.path), storage.local.base_path),
    log,
    bots: Object.entries(bots).map(([id, bot]) => toBot(id as BotId, bot)),
    agents: Object.entries(agents).map(([id, { persona, engine }]) => ({ id, persona: toPersona(persona), engine })),
    engines: Object.entries(engines).map(([id, { type, ...options }]) => ({ id, type: String(type), options })),
    off: about.offIds.map((id) => ({ channelId: id, reason: "its token is empty" })),
  };
}

function toBot(id: BotId, { name, quiet_ms, channels, routes, review }: ParsedBot): BotConfig {
  return {
    id,
    name: name ?? id,
    quietMs: quiet_ms,
    channels: Object.entries(channels).map(([channelName, { platform, ...options }]) => ({
      id: channelId(id, channelName),
      platform: String(platform),
      options,
    })),
    routes: routes.map(toRoute).sort((a, b) => b.priority - a.priority),
    reviewers: Object.entries(review).map(([reviewer, options]) => ({ name: reviewer, options })),
  };
}

function toRoute({ name, keywords, agent, priority }: ParsedBot["routes"][number]): Route {
  return {
    name: name ?? keywords?.join(", ") ?? "default",
    when: keywords === undefined ? {} : { keywords },
    engine: `agent:${agent}`,
    // A route that takes every message would otherwise hide those after it.
    priority: priority ?? (keywords === undefined ? 0 : 50),
  };
}

function toPersona(persona: ParsedFile["agents"][string]["persona"]): Persona {
  const { knowledge_base: knowledge, ...rest } = persona;
  return { ...rest, knowledge };
}
