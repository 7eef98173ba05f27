import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { z } from "zod";
import type { SetupError } from "../core/errors.ts";
import type { Cancel, Clock } from "../core/host.ts";
import type { Config } from "./config.ts";
import { loadConfig } from "./load-config.ts";
import { watchConfig } from "./watch-config.ts";

const schemas = {
  platforms: { web: z.strictObject({}) },
  reviewers: { rules: z.strictObject({}) },
  models: { local: z.strictObject({}) },
};

function yamlOf(name: string): string {
  return `bots: { demo: { name: ${name}, channels: {}, routes: [{ agent: a }] } }
agents: { a: { persona: { name: A, role: r }, engine: e } }
engines: { e: { type: local } }`;
}

/** Time does not pass: what is due later is due at once, but not within the same call. */
const clock: Clock = {
  now: () => 0,
  after: (_, work) => {
    const immediate = setImmediate(work);
    return () => clearImmediate(immediate);
  },
};

let folder: string;
let path: string;
let stop: Cancel;
let events: string[];
let next: PromiseWithResolvers<string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-watch-"));
  path = join(folder, "parley.yaml");
  events = [];
  next = Promise.withResolvers();
});
afterEach(async () => {
  stop();
  await rm(folder, { recursive: true });
});

function happened(event: string): void {
  events.push(event);
  next.resolve(event);
  next = Promise.withResolvers();
}

async function watchFile(beforeWatching = async (): Promise<void> => undefined): Promise<void> {
  await writeFile(path, yamlOf("first"));
  const config = await loadConfig({ path, env: {}, schemas });
  await beforeWatching();
  const changed = ({ bots }: Config): void => happened(`changed to ${bots[0]?.name}`);
  const failed = ({ message }: SetupError): void => happened(`failed: ${message.split("\n")[0]}`);
  stop = watchConfig({ config, env: {}, schemas, clock, changed, failed });
}

test("a file that is written anew is handed over, a broken one reported, and the next good one handed over", async () => {
  await watchFile();
  for (const [text, wanted] of [
    [yamlOf("second"), "changed to second"],
    ["bots: 1", "failed: The configuration has 3 mistakes:"],
    [yamlOf("third"), "changed to third"],
  ] as const) {
    const event = next.promise;
    // In one step, so that no half-written file is seen.
    await writeFile(`${path}.tmp`, text);
    await rename(`${path}.tmp`, path);
    assert.equal(await event, wanted);
  }
});

test("a change between loading and watching is noticed", async () => {
  const event = next.promise;
  await watchFile(() => writeFile(path, yamlOf("meanwhile")));
  assert.equal(await event, "changed to meanwhile");
});

test("a removed file is reported, and its return in another version handed over", async () => {
  await watchFile();
  let event = next.promise;
  await rm(path);
  assert.match(await event, /^failed: There is no configuration at /);
  event = next.promise;
  await writeFile(`${path}.tmp`, yamlOf("back"));
  await rename(`${path}.tmp`, path);
  while (!events.includes("changed to back")) await next.promise;
});

test("other files of the folder, and the same text again, change nothing", async () => {
  await watchFile();
  await writeFile(join(folder, "other"), "x");
  await writeFile(`${path}.tmp`, yamlOf("first"));
  await rename(`${path}.tmp`, path);
  const event = next.promise;
  await writeFile(`${path}.tmp`, yamlOf("second"));
  await rename(`${path}.tmp`, path);
  assert.equal(await event, "changed to second");
  assert.deepEqual(events, ["changed to second"]);
});
