import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import { resolve } from "node:path";
import { SetupError } from "../core/errors.ts";
import type { Config } from "./config.ts";
import type { AdapterSchemas } from "./config-schema.ts";
import { parseConfig } from "./parse-config.ts";
import type { Environment } from "./variables.ts";

export interface ConfigSource {
  /** From the command line; else `PARLEY_CONFIG`, else `./parley.yaml`. */
  readonly path?: string | undefined;
  readonly env: Environment;
  readonly schemas: AdapterSchemas;
}

const fileBytesMax = 1024 * 1024;

/** Reads and checks the configuration. Throws `SetupError` that lists everything that is wrong, each with its place. */
export async function loadConfig({ path, env, schemas }: ConfigSource): Promise<Config> {
  const absolute = resolve(path ?? (env.PARLEY_CONFIG || "parley.yaml"));
  const text = await readConfigText(absolute);
  return parseConfig({ text, path: absolute, digest: digestOf(text), env, schemas });
}

/** The text of a configuration file. Throws `SetupError` when it cannot be had or is over 1 MB. */
export async function readConfigText(path: string): Promise<string> {
  const bytes = Buffer.alloc(fileBytesMax + 1);
  let length: number;
  try {
    await using file = await open(path, "r");
    ({ bytesRead: length } = await file.read(bytes));
  } catch (cause) {
    const isMissing = (cause as NodeJS.ErrnoException).code === "ENOENT";
    throw new SetupError(
      `${isMissing ? "There is no configuration at" : "Cannot read the configuration"} ${path}. ` +
        "Name your file with --config or PARLEY_CONFIG, or start from the parley.yaml that comes with Parley.",
      { cause },
    );
  }
  if (length > fileBytesMax)
    throw new SetupError(`${path} is over 1 MB. A configuration is much smaller: is it this file?`);
  return bytes.toString("utf8", 0, length);
}

/** What `Config.digest` says of a text. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
