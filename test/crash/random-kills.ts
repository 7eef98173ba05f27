/**
 * `npm run test:crash -- [--kills 200] [--seed n] [--storage local]`: kills a server under load at random moments, starts it
 * again each time, and in the end holds what persons said against what is stored and what they saw. Fails when a message
 * was lost, duplicated, out of order, not reviewed, or ended without a reason.
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { FakeTelegram } from "../platforms/telegram/fake-telegram.ts";
import { accountOf, untold } from "./account.ts";
import { ChildServer } from "./child-server.ts";
import { type CrashFolder, makeCrashFolder } from "./crash-folder.ts";
import { ParleyDatabase } from "./parley-database.ts";
import { type Heard, Script } from "./said.ts";
import { WebPersons } from "./web-persons.ts";

const chats = Array.from({ length: 20 }, (_, index) => 1_001 + index);
const webPersons = ["ada", "bo", "cleo", "dan", "eve"];
/** Somebody writes on Telegram this often, and somebody on the web. */
const sayEveryMs = 10;
/** A kill comes within this time, after the start or after the server is up. */
const killWithinMs = 500;
/** What is left to do after the last kill takes seconds. */
const drainMs = 180_000;
const killsMax = 1_000;
const violationsShownMax = 20;

const program = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
const fake = new FakeTelegram();
const script = new Script();
/** How often each chat had something under way when the server was killed. */
const crashes = new Map<string, number>();

const { kills, seed } = optionsOf(process.argv.slice(2));
await fake.start();
const folder = await makeCrashFolder(fake, "poll");
try {
  process.exitCode = (await run(folder, kills)) ? 0 : 1;
} finally {
  await fake.stop();
  await folder.remove();
}

/** True when every promise was kept. */
async function run({ path, config, database }: CrashFolder, kills: number): Promise<boolean> {
  const random = randomFrom(seed);
  const start = (): ChildServer => new ChildServer([program, "start", "--config", config, "--json"]);
  let server = start();
  process.once("exit", () => void server.kill());
  const persons = new WebPersons(script, await createKey(config), async () => addressOf(() => server));
  const talking = setInterval(() => {
    talk(persons, random);
  }, sayEveryMs);
  for (let killed = 0; killed < kills; killed += 1) {
    const isWhileStarting = random() < 0.2;
    if (!isWhileStarting) await server.ready;
    await sleep(random() * killWithinMs);
    const { signal } = await server.kill();
    if (signal !== "SIGKILL") throw server.error("ended before it was killed");
    noteCrash(database);
    server = start();
    progress(`${killed + 1} of ${kills} kills, ${script.said.length} messages`);
  }
  clearInterval(talking);
  await persons.acknowledged();
  await drain(server, database);
  const fromWeb = await persons.heard();
  await server.stop();
  return report([...fromTelegram(), ...fromWeb], { path, database });
}

/** The address of the server that runs now; of the next one when it was killed before it had any. */
async function addressOf(current: () => ChildServer): Promise<string> {
  for (;;) {
    try {
      return await current().ready;
    } catch {
      await sleep(1);
    }
  }
}

function talk(persons: WebPersons, random: () => number): void {
  const chat = chats[Math.floor(random() * chats.length)]!;
  const { text } = random() < 0.1 ? script.long(String(chat)) : script.short(String(chat));
  fake.say(chat, text);
  persons.say(webPersons[Math.floor(random() * webPersons.length)]!);
}

function noteCrash(path: string): void {
  if (!existsSync(path)) return;
  using database = new ParleyDatabase(path);
  for (const chat of database.sending()) crashes.set(chat, (crashes.get(chat) ?? 0) + 1);
}

async function drain(server: ChildServer, path: string): Promise<void> {
  progress(`waiting until all of ${script.said.length} messages are answered`);
  using database = new ParleyDatabase(path);
  await server.until(() => database.isDone(script.said.length), drainMs);
}

function fromTelegram(): readonly Heard[] {
  return fake.sent().map(({ chatId, params }) => ({ chat: String(chatId), text: String(params.text) }));
}

async function report(heard: readonly Heard[], folder: { path: string; database: string }): Promise<boolean> {
  const { answered, unknown, ids, violations } = accountOf({
    said: script.said,
    heard,
    database: folder.database,
    crashes,
  });
  const count = (kind: string): string => `${kind} ${violations.filter((violation) => violation.kind === kind).length}`;
  const kinds = ["lost", "duplicated", "out of order", "unreviewed", "unexplained"].map(count).join(", ");
  progress("");
  console.log(
    `kills ${kills}, messages ${script.said.length}, answered ${answered}, unknown ${unknown}, ${kinds} (seed ${seed})`,
  );
  for (const { kind, what } of violations.slice(0, violationsShownMax)) console.log(`${kind}: ${what}`);
  const left = await untold(folder.path, ids);
  for (const id of left.slice(0, violationsShownMax)) console.log(`unexplained: nobody can tell what became of ${id}`);
  return violations.length + left.length === 0;
}

async function createKey(config: string): Promise<string> {
  const args = [program, "key", "create", "--config", config, "--json"];
  const { stdout } = await promisify(execFile)(process.execPath, args);
  return JSON.parse(stdout).key;
}

/** On a terminal, one line that changes. */
function progress(line: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${line}`);
}

function optionsOf(args: string[]): { readonly kills: number; readonly seed: number } {
  const { values } = parseArgs({
    args,
    options: {
      kills: { type: "string", default: "200" },
      seed: { type: "string", default: String(Date.now() % 1_000_000) },
      storage: { type: "string", default: "local" },
    },
  });
  const [kills, seed] = [Number(values.kills), Number(values.seed)];
  if (!(Number.isSafeInteger(kills) && kills >= 1 && kills <= killsMax))
    throw new Error(`--kills takes 1 to ${killsMax}.`);
  if (!Number.isSafeInteger(seed)) throw new Error("--seed takes a whole number.");
  if (values.storage !== "local") throw new Error("--storage takes local: nothing else survives a kill today.");
  return { kills, seed };
}

/** Numbers from 0 to below 1, the same ones for the same seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
