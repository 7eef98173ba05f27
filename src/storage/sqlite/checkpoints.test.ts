import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { Checkpoints, type LogBounds } from "./checkpoints.ts";

const pageBytes = 4_096;

function openLog(context: TestContext, bounds: LogBounds) {
  const folder = mkdtempSync(join(tmpdir(), "parley-checkpoints-"));
  const path = join(folder, "test.db");
  const database = new DatabaseSync(path);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE rows (text TEXT)");
  const insert = database.prepare("INSERT INTO rows VALUES (?)");
  const checkpoints = new Checkpoints(database, path, bounds);
  context.after(async () => {
    await checkpoints.close();
    database.close();
    rmSync(folder, { recursive: true });
  });
  return {
    checkpoints,
    write: () => {
      insert.run("x".repeat(pageBytes));
      checkpoints.committed();
    },
    logBytes: () => statSync(`${path}-wal`).size,
    copiedPages: () => Number(database.prepare("PRAGMA wal_checkpoint(NOOP)").get()?.checkpointed),
  };
}

test("the writer keeps the log short when nothing else does", (context) => {
  const { write, logBytes } = openLog(context, { wantedPages: Number.POSITIVE_INFINITY, pagesMax: 100 });
  for (let count = 0; count < 1_000; count += 1) write();
  assert.ok(logBytes() < 300 * pageBytes, `the log has ${logBytes()} bytes`);
});

test("a thread copies the log into the database, long before the writer has to", async (context) => {
  const { write, checkpoints, copiedPages } = openLog(context, { wantedPages: 10, pagesMax: 1_000_000 });
  for (let count = 0; count < 100; count += 1) write();
  await checkpoints.close();
  assert.ok(copiedPages() > 0);
});
