import type { BotId, ChannelId } from "../core/ids.ts";
import type { Persona } from "../core/model.ts";
import type { Route } from "../core/route.ts";

/** What `parley.yaml` says, checked, with every default filled in. */
export interface Config {
  /** Where it was read from, absolute. */
  readonly path: string;
  /** SHA-256 of the file's text, in hexadecimal: the same digest is the same file. */
  readonly digest: string;
  readonly server: {
    readonly host: string;
    /** 0 lets the machine choose one. */
    readonly port: number;
    /** How the outside reaches this server, without a slash at the end; null when it does not. */
    readonly publicUrl: string | null;
  };
  readonly storage: { readonly kind: "local" | "memory" };
  /** For the database, files and generated secrets. Absolute. */
  readonly dataFolder: string;
  readonly log: { readonly level: "debug" | "info" | "warn" | "error" };
  /** Never empty. */
  readonly bots: readonly BotConfig[];
  readonly agents: readonly AgentConfig[];
  readonly engines: readonly EngineConfig[];
  /** Channels that are configured but have no token. They do not start. */
  readonly off: readonly { readonly channelId: ChannelId; readonly reason: string }[];
}

export interface BotConfig {
  readonly id: BotId;
  readonly name: string;
  readonly quietMs: number;
  readonly channels: readonly ChannelConfig[];
  /** In order of priority, highest first. */
  readonly routes: readonly Route[];
  /** In the order they are asked. Never empty. */
  readonly reviewers: readonly ReviewerConfig[];
}

export interface ChannelConfig {
  readonly id: ChannelId;
  readonly platform: string;
  /** As the platform's schema made them. */
  readonly options: Readonly<Record<string, unknown>>;
}

interface ReviewerConfig {
  /** `rules`. */
  readonly name: string;
  /** As the reviewer's schema made them. */
  readonly options: Readonly<Record<string, unknown>>;
}

interface AgentConfig {
  readonly id: string;
  readonly persona: Persona;
  /** The id of one of `Config.engines`. */
  readonly engine: string;
}

/** A configured model: the file calls it an engine. */
interface EngineConfig {
  readonly id: string;
  /** `local`. */
  readonly type: string;
  /** As the model's schema made them. */
  readonly options: Readonly<Record<string, unknown>>;
}
