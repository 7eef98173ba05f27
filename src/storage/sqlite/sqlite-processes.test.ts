import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Scene } from "../../../test/contracts/storage-scene.ts";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { openSqliteStorage } from "./sqlite-storage.ts";

const program = fileURLToPath(new URL("../../../test/contracts/sqlite-process.ts", import.meta.url));

function newFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-processes-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function start(context: TestContext, folder: string, what: string): { child: ChildProcess; lines: string[] } {
  const child = spawn(process.execPath, [program, folder, what], { stdio: ["ignore", "pipe", "inherit"] });
  context.after(() => child.kill("SIGKILL"));
  let rest = "";
  const lines: string[] = [];
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    const [...whole] = (rest + text).split("\n");
    rest = whole.pop() ?? "";
    lines.push(...whole);
  });
  return { child, lines };
}

async function runAll(context: TestContext, folder: string, what: string, count: number): Promise<readonly string[][]> {
  const started = Array.from({ length: count }, () => start(context, folder, what));
  const exits = await Promise.all(started.map(({ child }) => once(child, "close")));
  assert.deepEqual(
    exits.map(([code]) => code),
    Array.from({ length: count }, () => 0),
  );
  return started.map(({ lines }) => lines);
}

async function openScene(context: TestContext, folder: string): Promise<Scene> {
  const host = new TestHost(Date.now());
  const storage = await openSqliteStorage({ folder, host, as: "server" });
  context.after(() => storage.close());
  return new Scene(storage, host);
}

test("processes that open a new folder at the same moment all succeed", async (context) => {
  await runAll(context, newFolder(context), "open", 6);
});

test("four processes at once do each job once, in the order of its lane", async (context) => {
  const folder = newFolder(context);
  const scene = await openScene(context, folder);
  const jobs = Array.from({ length: 600 }, (_, index) =>
    scene.receive(scene.conversation(`c${index % 20}`), { key: `${index}` }),
  );
  await Promise.all(jobs);
  const outputs = await runAll(context, folder, "work", 4);
  const settled = outputs.flat().map((line) => line.split(" ") as [string, string]);
  assert.deepEqual(
    settled.map(([, key]) => Number(key)).sort((a, b) => a - b),
    [...jobs.keys()],
  );
  for (const lines of outputs) {
    const last = new Map<string, number>();
    for (const [ref, key] of lines.map((line) => line.split(" ") as [string, string])) {
      assert.ok(Number(key) > (last.get(ref) ?? -1), `${key} of ${ref} came after ${last.get(ref)}`);
      last.set(ref, Number(key));
    }
  }
  await scene.claimNone("inbox");
});

test("what was enqueued before the process was killed is there, whole, and the database is intact", async (context) => {
  const folder = newFolder(context);
  const { child, lines } = start(context, folder, "enqueue");
  const closed = once(child, "close");
  while (lines.length < 500) await once(child.stdout ?? child, "data");
  child.kill("SIGKILL");
  await closed;

  const database = new DatabaseSync(join(folder, "parley.db"));
  assert.equal(database.prepare("PRAGMA integrity_check").get()?.integrity_check, "ok");
  assert.deepEqual(database.prepare("PRAGMA foreign_key_check").all(), []);
  database.close();
  const scene = await openScene(context, folder);
  for (const id of lines) assert.ok(await scene.storage.findMessage(id as never), `${id} was lost`);
  const { messages, queues } = await scene.storage.status();
  assert.equal(queues.inbox.jobs, messages, "each message that is there has its job");
  assert.ok(messages >= lines.length);
});
