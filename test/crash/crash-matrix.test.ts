import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, type TestContext, test } from "node:test";
import { journeyPoints } from "../../src/journey/meter.ts";
import { FakeTelegram } from "../platforms/telegram/fake-telegram.ts";
import { accountOf, untold } from "./account.ts";
import { ChildServer } from "./child-server.ts";
import { type CrashFolder, makeCrashFolder, webhookSecret } from "./crash-folder.ts";
import { ParleyDatabase } from "./parley-database.ts";
import { Script } from "./said.ts";

/** Once nothing has been done yet; the second time something has. */
const crashCount = 2;
const chats = [7, 8, 9];
/** A few messages take less than a second. */
const doneMs = 60_000;

type Mode = "poll" | "webhook";

/** A server that is killed at one point of the journey, and the fake Telegram with those who write to it. */
class CrashScene {
  readonly fake = new FakeTelegram();
  readonly script = new Script();
  readonly #mode: Mode;
  readonly #child: string;
  readonly #point: string;
  #folder: CrashFolder | undefined;
  #server: ChildServer | undefined;

  constructor(point: string, mode: Mode, child: string) {
    this.#point = point;
    this.#mode = mode;
    this.#child = child;
  }

  get folder(): CrashFolder {
    assert.ok(this.#folder !== undefined);
    return this.#folder;
  }

  async open(): Promise<void> {
    await this.fake.start();
    this.#folder = await makeCrashFolder(this.fake, this.#mode);
  }

  say(chat: number, length: "short" | "long" = "short"): void {
    this.fake.say(chat, this.script[length](String(chat)).text);
  }

  async start(): Promise<ChildServer> {
    const program = join(import.meta.dirname, this.#child);
    const marker = join(this.folder.path, "crashed");
    const server = new ChildServer([program, this.folder.config, this.#point, String(crashCount), marker]);
    this.#server = server;
    if (this.#mode === "webhook") {
      const url = await server.ready.catch(() => "");
      if (url !== "") await this.#setWebhook(`${url}/webhooks/demo-telegram`);
    }
    return server;
  }

  /** What was under way at the crash, by chat. */
  async crash(): Promise<ReadonlyMap<string, number>> {
    const server = await this.start();
    // When the point is not reached, it goes on to the end.
    const done = server.ready.then(() => this.#done(server));
    const ended = await Promise.race([server.ended, done]);
    assert.ok(ended !== undefined, `${this.#point} was never reached`);
    const isAtPoint = ended.signal === "SIGKILL" && existsSync(join(this.folder.path, "crashed"));
    assert.ok(isAtPoint, server.error("ended otherwise than by the crash").message);
    // Until this process has let go of the database, it would not see a commit that was cut off on its way to the disk.
    await Promise.allSettled([done]);
    using database = new ParleyDatabase(this.folder.database);
    return new Map(database.sending().map((chat) => [chat, 1]));
  }

  async goOn(): Promise<void> {
    const server = await this.start();
    await server.ready;
    await this.#done(server);
    await server.stop();
  }

  async close(): Promise<void> {
    await this.#server?.kill();
    await this.fake.stop();
    await this.#folder?.remove();
  }

  async #done(server: ChildServer): Promise<void> {
    using database = new ParleyDatabase(this.folder.database);
    await server.until(() => database.isDone(this.script.said.length), doneMs);
  }

  /** As the one does who runs the bot, each time the address is another. */
  async #setWebhook(url: string): Promise<void> {
    const answer = await fetch(`${this.fake.url}/bot${this.fake.token}/setWebhook`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ url, secret_token: webhookSecret }),
    });
    assert.equal(answer.status, 200);
  }
}

async function survives(
  context: TestContext,
  point: string,
  mode: Mode,
  child = "crash-child.ts",
): Promise<CrashScene> {
  const scene = new CrashScene(point, mode, child);
  context.after(() => scene.close());
  await scene.open();
  for (const chat of chats) {
    scene.say(chat);
    scene.say(chat, "long");
    scene.say(chat);
  }
  const crashes = await scene.crash();
  for (const chat of chats) {
    scene.say(chat);
    scene.say(chat);
  }
  await scene.goOn();

  const heard = scene.fake.sent().map(({ chatId, params }) => ({ chat: String(chatId), text: String(params.text) }));
  const { violations, ids } = accountOf({ said: scene.script.said, heard, database: scene.folder.database, crashes });
  assert.deepEqual(violations, []);
  assert.deepEqual(await untold(scene.folder.path, ids), [], "every message can be explained");
  return scene;
}

describe("killed once and started again, everything is received, answered in order and delivered once", {
  concurrency: 2,
}, () => {
  for (const point of journeyPoints.filter((name) => name !== "turn:step-saved")) {
    test(`${point}, by long poll`, async (context) => {
      await survives(context, point, "poll");
    });
    test(`${point}, by webhook`, async (context) => {
      await survives(context, point, "webhook");
    });
  }

  test("turn:step-saved, and no step is taken twice", async (context) => {
    const { folder } = await survives(context, "turn:step-saved", "poll", "step-child.ts");
    const steps = readFileSync(join(folder.path, "steps.txt"), "utf8").trimEnd().split("\n");
    assert.equal(new Set(steps).size, steps.length, `a step was taken twice:\n${steps.join("\n")}`);
    using database = new ParleyDatabase(folder.database);
    assert.equal(steps.length, 2 * database.turns);
  });
});
