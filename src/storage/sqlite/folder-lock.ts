import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { SetupError } from "../../core/errors.ts";

/** One server's hold on a data folder. The operating system ends it with the process, however that ends. */
export interface FolderLock {
  release(): void;
}

/**
 * Makes this process the one server of a data folder. Commands that only read or decide need no lock.
 *
 * @throws SetupError when another server has it
 */
export function lockFolder(folder: string): FolderLock {
  const path = join(folder, "server.lock");
  let lock: DatabaseSync | undefined;
  try {
    closeSync(openSync(path, "a", 0o600));
    lock = new DatabaseSync(path);
    lock.exec("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;");
    const held = lock;
    return { release: () => held.close() };
  } catch (cause) {
    lock?.close();
    throw new SetupError(
      `Another Parley server runs on the data folder ${folder}, or ${path} cannot be written. ` +
        "Stop the other one, or give this one a folder of its own with PARLEY_DATA_DIR.",
      { cause },
    );
  }
}
