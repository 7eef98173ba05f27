import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { Scene } from "../../../test/contracts/storage-scene.ts";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { SetupError } from "../../core/errors.ts";
import { openSqliteStorage } from "./sqlite-storage.ts";

function newFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-opening-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openScene(context: TestContext, folder: string, as: "server" | "command" = "server"): Promise<Scene> {
  const host = new TestHost();
  const storage = await openSqliteStorage({ folder, host, as });
  context.after(() => storage.close());
  return new Scene(storage, host);
}

async function isRefused(folder: string, mentioned: RegExp): Promise<void> {
  const open = openSqliteStorage({ folder, host: new TestHost(), as: "server" });
  await assert.rejects(open, (error) => error instanceof SetupError && mentioned.test(error.message));
}

test("what was written is there when the folder is opened again", async (context) => {
  const folder = newFolder(context);
  const first = await openScene(context, folder);
  const { message } = await first.receive(first.conversation("a"));
  const answer = await first.send(first.conversation("a"));
  await first.storage.close();
  const second = await openScene(context, folder);
  assert.deepEqual((await second.claimOne("inbox")).jobs[0]?.message, message);
  assert.deepEqual((await second.claimOne("outbox")).jobs[0]?.message, answer);
});

test("nobody but its owner can read the folder and what is in it", async (context) => {
  const folder = join(newFolder(context), "data");
  const scene = await openScene(context, folder);
  await scene.receive(scene.conversation("a"));
  const modes = ["", "parley.db", "parley.db-wal", "parley.db-shm", "server.lock"].map((name) =>
    (statSync(join(folder, name)).mode & 0o777).toString(8),
  );
  assert.deepEqual(modes, ["700", "600", "600", "600", "600"]);
});

test("a second server of a folder is refused, a command beside it is not", async (context) => {
  const folder = newFolder(context);
  const server = await openScene(context, folder);
  await isRefused(folder, /Another Parley server/);
  await openScene(context, folder, "command");
  await server.storage.close();
  await openScene(context, folder);
});

test("a command's job is found by the server", async (context) => {
  const folder = newFolder(context);
  const server = await openScene(context, folder);
  const command = await openScene(context, folder, "command");
  const { message } = await command.receive(command.conversation("a"));
  assert.deepEqual((await server.claimOne("inbox")).jobs[0]?.message, message);
  await command.claimNone("inbox");
});

test("a database of a newer Parley is refused, naming both versions and the remedy", async (context) => {
  const folder = newFolder(context);
  const database = new DatabaseSync(join(folder, "parley.db"));
  database.exec("PRAGMA user_version = 999");
  database.close();
  await isRefused(folder, /version 999.*version \d+.*newer Parley/s);
  const unharmed = new DatabaseSync(join(folder, "parley.db"));
  assert.equal(unharmed.prepare("SELECT count(*) AS tables FROM sqlite_schema").get()?.tables, 0);
  unharmed.close();
});

test("a file that is not a database is refused, naming it and the remedy", async (context) => {
  const folder = newFolder(context);
  writeFileSync(join(folder, "parley.db"), "this is not a database, but long enough to be taken for one\n".repeat(99));
  await isRefused(folder, /parley\.db.*not a database.*move it away/s);
});

test("a folder that cannot be made is refused, naming it and the remedy", async (context) => {
  const file = join(newFolder(context), "file");
  writeFileSync(file, "");
  await isRefused(join(file, "data"), /data folder .*data.*another folder/s);
});

test("a database that cannot be opened is refused, naming it and the remedy", async (context) => {
  const folder = newFolder(context);
  mkdirSync(join(folder, "parley.db-wal"));
  await isRefused(folder, /parley\.db.*(check|give)/s);
});

test("after a restart with a clock set back, no lane waits for a time of the old clock", async (context) => {
  const folder = newFolder(context);
  const before = await openScene(context, folder);
  await before.receive(before.conversation("leased"));
  await before.claimOne("inbox");
  await before.receive(before.conversation("held"));
  await before.storage.settle(await before.claimOne("inbox"), { kind: "retry", afterMs: 1_000, isCounted: true }, []);
  await before.receive(before.conversation("quiet"), { quietMs: 1_000 });
  await before.receive(before.conversation("ready"));
  await before.storage.close();
  const after = await openScene(context, folder);
  after.host.setBack(86_400_000);
  const leases = await after.claim("inbox");
  assert.deepEqual(
    leases.map(({ conversation, attempt, wasAbandoned }) => [conversation.ref, attempt, wasAbandoned]),
    [
      ["leased", 2, true],
      ["held", 2, false],
      ["quiet", 1, false],
      ["ready", 1, false],
    ],
  );
});
