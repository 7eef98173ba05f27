import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import { loadConfig } from "../config/load-config.ts";
import type { Log } from "../core/log.ts";
import { adapterSchemas, type Data, openData } from "../server.ts";

export interface GlobalOptions {
  readonly config?: string;
  readonly json?: boolean;
}

/** What stands before and after any verb. */
export function globals(command: Command): GlobalOptions {
  return command.optsWithGlobals<GlobalOptions>();
}

/** Throws `SetupError`. */
export function configOf({ config }: GlobalOptions): Promise<Config> {
  return loadConfig({ path: config, env: process.env, schemas: adapterSchemas });
}

/** Does `work` with the data that the configuration names, beside a running server or without one. */
export async function withData<Result>(options: GlobalOptions, work: (data: Data) => Promise<Result>): Promise<Result> {
  const data = await openData(await configOf(options), "command");
  try {
    return await work(data);
  } finally {
    await data.storage.close();
  }
}

/** For commands: what matters to them is thrown. */
export const quiet: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
