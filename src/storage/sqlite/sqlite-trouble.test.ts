import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { Scene } from "../../../test/contracts/storage-scene.ts";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { StorageError } from "../../core/errors.ts";
import { openSqliteStorage } from "./sqlite-storage.ts";

/** A folder on a disk of its own, of 2 MB. Undefined, and the test skipped, where none can be mounted. */
function newDisk(context: TestContext): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), "parley-disk-"));
  const { status } = spawnSync("/usr/bin/mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", folder]);
  if (status !== 0) {
    rmSync(folder, { recursive: true });
    context.skip("a small disk cannot be mounted here: that takes the rights of root");
    return undefined;
  }
  context.after(() => {
    spawnSync("/usr/bin/umount", ["--lazy", folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
}

async function openScene(context: TestContext, folder: string): Promise<Scene> {
  const host = new TestHost();
  const storage = await openSqliteStorage({ folder, host, as: "server" });
  context.after(() => storage.close());
  return new Scene(storage, host);
}

test("on a full disk a call is refused with the remedy, nothing of it is written, and all goes on once there is space", async (context) => {
  const folder = newDisk(context);
  if (folder === undefined) return;
  const scene = await openScene(context, folder);
  const { message: kept } = await scene.receive(scene.conversation("kept"));
  const filler = join(folder, "filler");
  spawnSync("dd", ["if=/dev/zero", `of=${filler}`, "bs=4k"]);
  const conversation = scene.conversation("refused");
  const message = scene.message(conversation, { parts: [{ kind: "text", text: "long ".repeat(20_000) }] });
  const isFull = (error: unknown) =>
    error instanceof StorageError && /disk is full: free some space/.test(error.message);
  await assert.rejects(scene.receive(conversation, {}, message), isFull);

  const [found, refused] = await Promise.allSettled([
    scene.storage.findMessage(kept.id),
    scene.receive(conversation, {}, message),
  ]);
  assert.deepEqual(found, { status: "fulfilled", value: kept }, "what is there can be read all the same");
  assert.equal(refused.status, "rejected");
  assert.equal(await scene.storage.findMessage(message.id), undefined);
  assert.equal(await scene.storage.findConversation(conversation.id), undefined);

  rmSync(filler);
  const { enqueued } = await scene.receive(conversation, {}, message);
  assert.equal(enqueued.isDuplicate, false);
  assert.equal((await scene.claim("inbox")).length, 2);
  await scene.storage.close();
  isIntact(folder);
});

test("what is read does not wait for what another process writes", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "parley-locked-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const scene = await openScene(context, folder);
  const { message } = await scene.receive(scene.conversation("a"));
  const other = new DatabaseSync(join(folder, "parley.db"));
  other.exec("BEGIN IMMEDIATE");
  assert.deepEqual(await scene.storage.findMessage(message.id), message);
  other.close();
});

test("a damaged database is refused with the remedy, and the process goes on", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "parley-damaged-"));
  context.after(() => rmSync(folder, { recursive: true }));
  const scene = await openScene(context, folder);
  const { message } = await scene.receive(scene.conversation("a"));
  await scene.storage.close();
  const path = join(folder, "parley.db");
  const database = new DatabaseSync(path);
  const { rootpage } = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = 'messages'").get() ?? {};
  database.close();
  damagePage(path, Number(rootpage));
  const damaged = await openScene(context, folder);
  const isDamaged = (error: unknown) =>
    error instanceof StorageError && /damaged: restore a backup/.test(error.message);
  await assert.rejects(damaged.storage.findMessage(message.id), isDamaged);
  await assert.rejects(damaged.receive(damaged.conversation("b")), isDamaged);
  assert.deepEqual(await damaged.storage.apiKeys({ limit: 1, cursor: null }), { items: [], next: null });
  await damaged.storage.close();
});

function damagePage(path: string, page: number): void {
  const bytes = Buffer.alloc(4_096, 0x5a);
  writeFileSync(`${path}.page`, bytes);
  spawnSync("dd", [`if=${path}.page`, `of=${path}`, "bs=4096", `seek=${page - 1}`, "conv=notrunc"]);
}

function isIntact(folder: string): void {
  const database = new DatabaseSync(join(folder, "parley.db"));
  assert.equal(database.prepare("PRAGMA integrity_check").get()?.integrity_check, "ok");
  database.close();
}
