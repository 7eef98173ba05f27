/**
 * A process of its own on a data folder, for the tests: `node sqlite-process.ts <folder> <what> [number]`.
 * `open`: opens and closes. `work`: claims and settles until the inbox is empty, and prints `<conversation> <key>` for each job
 * it settled. `enqueue`: enqueues without end, and prints the id of each message whose promise resolved.
 */
import { createHash, randomUUID } from "node:crypto";
import { writeSync } from "node:fs";
import type { Host } from "../../src/core/host.ts";
import type { Storage } from "../../src/core/store.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { done, Scene } from "./storage-scene.ts";
import { TestHost } from "./test-host.ts";

const [folder = "", what = "", number = "0"] = process.argv.slice(2);

const machine: Host = {
  clock: {
    now: () => Date.now(),
    after(ms, work) {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  },
  hash: (text) => createHash("sha256").update(text).digest("hex"),
  newId: (prefix) => `${prefix}_${randomUUID()}`,
  random: Math.random,
};

async function work(storage: Storage): Promise<void> {
  for (;;) {
    const leases = await storage.claim({ queue: "inbox", lanesMax: 3, jobsMax: 2, leaseMs: 60_000 });
    for (const lease of leases) {
      if (!(await storage.settle(lease, done, []))) throw new Error("a lease that nobody can have was lost");
      for (const job of lease.jobs) writeSync(1, `${lease.conversation.ref} ${job.key}\n`);
    }
    const { lanes, leased } = (await storage.status()).queues.inbox;
    if (lanes === 0) return;
    if (leases.length === 0 && lanes === leased) await new Promise((resolve) => setImmediate(resolve));
  }
}

async function enqueue(storage: Storage): Promise<void> {
  const scene = new Scene(storage, new TestHost());
  const one = async (): Promise<void> => {
    for (;;) {
      const conversation = scene.conversation(`${number} ${Math.floor(Math.random() * 50)}`);
      const message = scene.message(conversation, { id: machine.newId("message") as never });
      await scene.receive(conversation, {}, message);
      writeSync(1, `${message.id}\n`);
    }
  };
  await Promise.all(Array.from({ length: 20 }, one));
}

const storage = await openSqliteStorage({ folder, host: machine, as: "command" });
if (what === "work") await work(storage);
if (what === "enqueue") await enqueue(storage);
await storage.close();
