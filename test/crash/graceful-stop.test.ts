import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { FakeTelegram } from "../platforms/telegram/fake-telegram.ts";
import { accountOf } from "./account.ts";
import { ChildServer } from "./child-server.ts";
import { type CrashFolder, makeCrashFolder } from "./crash-folder.ts";
import { ParleyDatabase } from "./parley-database.ts";
import { Script } from "./said.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const program = join(root, "src/cli/main.ts");
const chats = Array.from({ length: 10 }, (_, index) => 1_001 + index);
const doneMs = 60_000;

interface Scene {
  readonly fake: FakeTelegram;
  readonly script: Script;
  readonly folder: CrashFolder;
  /** Each chat says so many messages. */
  say(count: number): void;
  /** @param starter What runs the program. */
  start(...starter: string[]): ChildServer;
  /** Until all that was said is answered. */
  done(server: ChildServer): Promise<void>;
  /** Nothing was lost or said twice, and of nothing it is unknown whether it arrived. */
  assertWhole(): void;
}

async function scene(context: TestContext): Promise<Scene> {
  const fake = new FakeTelegram();
  await fake.start();
  const folder = await makeCrashFolder(fake, "poll");
  const script = new Script();
  const servers: ChildServer[] = [];
  context.after(async () => {
    // Not killed: that would leave behind what a starter started.
    await Promise.allSettled(servers.map((server) => server.stop()));
    await fake.stop();
    await folder.remove();
  });
  return {
    fake,
    script,
    folder,
    say(count) {
      for (const chat of Array.from({ length: count }, () => chats).flat()) {
        fake.say(chat, script.short(String(chat)).text);
      }
    },
    start(...starter) {
      const server = new ChildServer([...starter, program, "start", "--config", folder.config, "--json"]);
      servers.push(server);
      return server;
    },
    async done(server) {
      await server.ready;
      using database = new ParleyDatabase(folder.database);
      await server.until(() => database.isDone(script.said.length), doneMs);
    },
    assertWhole() {
      const heard = fake.sent().map(({ chatId, params }) => ({ chat: String(chatId), text: String(params.text) }));
      const account = accountOf({ said: script.said, heard, database: folder.database, crashes: new Map() });
      assert.deepEqual(account.violations, []);
      assert.equal(account.unknown, 0);
    },
  };
}

/** Stopped in the middle of many deliveries, each of which takes a while. */
async function stopsUnderLoad(scene: Scene, server: ChildServer): Promise<void> {
  const { fake, say, start, done, assertWhole } = scene;
  fake.misbehave({ kind: "slow", ms: 50 }, { times: 200 });
  say(20);
  await server.ready;
  await fake.waitForSent(30);
  const stopped = server.stop();
  say(2);
  await stopped;
  const next = start();
  await done(next);
  await next.stop();
  assertWhole();
}

test("stopped under load, the server finishes what it began, and the next one goes on: nothing is unknown", async (context) => {
  const stopped = await scene(context);
  await stopsUnderLoad(stopped, stopped.start());
});

test("npm start passes the stop on, and ends when the server has", async (context) => {
  if (!isInstalledByStart()) return context.skip("node_modules were not installed by start.mjs, which would do it now");
  const stopped = await scene(context);
  await stopsUnderLoad(stopped, stopped.start(join(root, "start.mjs")));
});

test("stopped while a slow platform has much to take, it ends after what is being sent: nothing is unknown", async (context) => {
  const { fake, script, start, done, assertWhole } = await scene(context);
  fake.misbehave({ kind: "slow", ms: 500 }, { times: 32 });
  for (let count = 0; count < 32; count += 1) fake.say(7, script.short("7").text);
  const server = start();
  await server.ready;
  await fake.waitForSent(2);
  await server.stop();
  const next = start();
  await done(next);
  await next.stop();
  assertWhole();
});

test("a connection on which nothing was ever said does not keep a stopping server", async (context) => {
  const { start } = await scene(context);
  const server = start();
  const { hostname, port } = new URL(await server.ready);
  const silent = connect(Number(port), hostname);
  // However it is ended: it is.
  silent.on("error", () => undefined);
  context.after(() => silent.destroy());
  await once(silent, "connect");
  await server.stop();
});

test("a second server on the same data is refused, says why, and the first goes on undisturbed", async (context) => {
  const { start, say, done, assertWhole } = await scene(context);
  const first = start();
  await first.ready;
  const second = start();
  await assert.rejects(second.ready, /Another Parley server runs on the data folder .+ Stop the other one/);
  const { code } = await second.ended;
  assert.equal(code, 1);
  say(2);
  await done(first);
  await first.stop();
  assertWhole();
});

/** What `start.mjs` itself looks at. */
function isInstalledByStart(): boolean {
  const stamp = join(root, "node_modules/.parley-installed");
  const lock = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  return existsSync(stamp) && readFileSync(stamp, "utf8").startsWith(lock);
}
