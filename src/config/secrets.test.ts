import assert from "node:assert/strict";
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import type { ChannelId } from "../core/ids.ts";
import { loadSecrets } from "./secrets.ts";

const channelId = "demo-telegram" as ChannelId;
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-secrets-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("secrets are made once, differ between installations and channels, and fit a webhook header", async () => {
  const first = await loadSecrets(join(folder, "data"));
  const again = await loadSecrets(join(folder, "data"));
  const other = await loadSecrets(join(folder, "other"));
  assert.equal(again.cookieSecret, first.cookieSecret);
  assert.equal(again.webhookSecret(channelId), first.webhookSecret(channelId));
  assert.notEqual(first.webhookSecret(channelId), first.webhookSecret("demo-web" as ChannelId));
  assert.notEqual(first.webhookSecret(channelId), other.webhookSecret(channelId));
  assert.notEqual(first.cookieSecret, other.cookieSecret);
  assert.match(first.webhookSecret(channelId), /^[A-Za-z0-9_-]{43}$/);
});

test("only the owner can read them, also after somebody opened the file to others", async () => {
  const path = join(folder, "secrets.json");
  await loadSecrets(folder);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await chmod(path, 0o644);
  await loadSecrets(folder);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
});

test("those who start at once agree, and leave nothing else behind", async () => {
  const all = await Promise.all(Array.from({ length: 20 }, () => loadSecrets(folder)));
  assert.equal(new Set(all.map(({ cookieSecret }) => cookieSecret)).size, 1);
  assert.deepEqual(await readdir(folder), ["secrets.json"]);
});

test("a damaged file is refused with a remedy, without what is in it, and is kept", async () => {
  for (const text of ["", "{", '{"cookieSecret":"short-secret"}', "[]"]) {
    await writeFile(join(folder, "secrets.json"), text, { mode: 0o600 });
    await assert.rejects(loadSecrets(folder), (error: Error) => {
      assert.equal(error.name, "SetupError");
      assert.match(error.message, /is damaged\. Restore it from a backup/);
      assert.doesNotMatch(error.message, /short-secret/);
      return true;
    });
  }
});

test("a folder that cannot be used is refused with a remedy", async () => {
  await writeFile(join(folder, "file"), "");
  await assert.rejects(loadSecrets(join(folder, "file")), {
    name: "SetupError",
    message: /Cannot use .*PARLEY_DATA_DIR/,
  });
});
