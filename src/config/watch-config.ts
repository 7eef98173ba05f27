import { watch } from "node:fs";
import { dirname } from "node:path";
import { SetupError } from "../core/errors.ts";
import type { Cancel, Clock } from "../core/host.ts";
import type { Config } from "./config.ts";
import { type ConfigSource, digestOf, readConfigText } from "./load-config.ts";
import { parseConfig } from "./parse-config.ts";

export interface ConfigWatch extends Omit<ConfigSource, "path"> {
  /** The one in use, whose file is watched. */
  readonly config: Config;
  readonly clock: Clock;
  /** The file was changed to another valid configuration. */
  readonly changed: (config: Config) => void;
  /** It was changed to something that cannot be used, or is no longer watched; the last good one stays in use. */
  readonly failed: (error: SetupError) => void;
}

/** Editors write a file in several steps. */
const settleMs = 100;

/**
 * Watches the folder rather than the file, because editors and orchestrators put a new file in its place. Returns what
 * ends it. Also notices what was changed since `config` was read.
 */
export function watchConfig({ config, env, schemas, clock, changed, failed }: ConfigWatch): Cancel {
  const { path } = config;
  let digest = config.digest;
  let cancel: Cancel | undefined;
  let isClosed = false;
  let reading = Promise.resolve();

  let lastFailure: string | undefined;
  const report = (cause: unknown): void => {
    const error =
      cause instanceof SetupError
        ? cause
        : new SetupError(`Cannot watch ${path}: restart after changing it.`, { cause });
    // Other files of the folder change too: what was said once is enough.
    if (error.message !== lastFailure) failed(error);
    lastFailure = error.message;
  };
  const reload = async (): Promise<void> => {
    try {
      const text = await readConfigText(path);
      if (isClosed) return;
      const found = digestOf(text);
      if (found === digest) return;
      digest = found;
      const next = parseConfig({ text, path, digest, env, schemas });
      lastFailure = undefined;
      changed(next);
    } catch (error) {
      if (!isClosed) report(error);
    }
  };
  const soon = (): void => {
    cancel?.();
    cancel = clock.after(settleMs, () => {
      reading = reading.then(reload);
    });
  };

  const watcher = watch(dirname(path), soon);
  watcher.on("error", report);
  soon();
  return () => {
    isClosed = true;
    cancel?.();
    watcher.close();
  };
}
