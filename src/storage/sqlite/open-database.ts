import { DatabaseSync } from "node:sqlite";
import { SetupError } from "../../core/errors.ts";
import { migrations } from "./schema.ts";

/** How long a process waits for another one's transaction. */
const busyMs = 10_000;

/**
 * Opens the database, made or brought up to date as needed; several processes may do so at once.
 * Throws `SetupError` when a newer Parley wrote it, and whatever SQLite throws.
 */
export function openDatabase(path: string): DatabaseSync {
  const database = new DatabaseSync(path, { timeout: busyMs });
  // Space is given back only where this was set before the first table.
  database.exec("PRAGMA auto_vacuum = INCREMENTAL");
  database.exec("PRAGMA journal_mode = WAL");
  // FULL: what was committed is on the disk. The checkpoint thread empties the log, not a commit that happens by.
  database.exec("PRAGMA synchronous = FULL");
  database.exec("PRAGMA wal_autocheckpoint = 0");
  database.exec("PRAGMA cache_size = -32768");
  database.exec("PRAGMA temp_store = MEMORY");
  migrate(database, path);
  return database;
}

/** What a process that is no more had leased is free at once, rather than when its leases run out. */
export function endLeases(database: DatabaseSync): void {
  for (const lanes of ["inbox_lanes", "outbox_lanes"]) {
    database.exec(`UPDATE ${lanes} SET state = 'ready', token = NULL, was_abandoned = 1 WHERE state = 'leased'`);
  }
}

/** Whoever is first does it; the others wait, and find it done. */
function migrate(database: DatabaseSync, path: string): void {
  if (versionOf(database) === migrations.length) return;
  database.exec("BEGIN EXCLUSIVE");
  try {
    const version = versionOf(database);
    if (version > migrations.length) throw tooNew(path, version);
    for (const step of migrations.slice(version)) database.exec(step);
    database.exec(`PRAGMA user_version = ${migrations.length}`);
    database.exec("COMMIT");
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function versionOf(database: DatabaseSync): number {
  return Number(database.prepare("PRAGMA user_version").get()?.user_version);
}

function tooNew(path: string, version: number): SetupError {
  return new SetupError(
    `The database ${path} has version ${version}, and this Parley knows only up to version ${migrations.length}: ` +
      "start the newer Parley that wrote it, or restore a backup made before the update.",
  );
}
