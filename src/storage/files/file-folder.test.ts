import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, test } from "node:test";
import { FileMissingError, FileTooLargeError, StorageError } from "../../core/errors.ts";
import type { ContentHash } from "../../core/ids.ts";
import { createFileFolder } from "./file-folder.ts";

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "parley-files-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function* chunks(...texts: string[]): AsyncGenerator<Uint8Array> {
  for (const text of texts) yield Buffer.from(text);
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(content)).toString();
}

describe("a folder of files", () => {
  test("gives back what was saved, under the hash of its content", async () => {
    const files = createFileFolder(folder);
    const file = await files.save(chunks("hello ", "world"), 100);
    assert.deepEqual(file, { hash: createHash("sha256").update("hello world").digest("hex"), bytes: 11 });
    assert.equal(await textOf(files.read(file.hash)), "hello world");
    assert.equal(await textOf(createFileFolder(folder).read(file.hash)), "hello world");
  });

  test("keeps the same content once, also when saved at the same time", async () => {
    const files = createFileFolder(folder);
    const saved = await Promise.all(Array.from({ length: 5 }, () => files.save(chunks("same"), 100)));
    const hash = saved[0]!.hash;
    assert.ok(saved.every((file) => file.hash === hash));
    assert.deepEqual(readdirSync(join(folder, hash.slice(0, 2))), [hash.slice(2)]);
  });

  test("lets nobody else on the machine read it", async () => {
    const { hash } = await createFileFolder(folder).save(chunks("secret"), 100);
    const shelf = join(folder, hash.slice(0, 2));
    assert.equal(statSync(shelf).mode & 0o777, 0o700);
    assert.equal(statSync(join(shelf, hash.slice(2))).mode & 0o777, 0o600);
  });

  test("refuses a file that is too large and leaves nothing behind", async () => {
    const files = createFileFolder(folder);
    await assert.rejects(files.save(chunks("12345", "67890", "1"), 10), FileTooLargeError);
    assert.deepEqual(readdirSync(folder), ["tmp"]);
    assert.deepEqual(readdirSync(join(folder, "tmp")), []);
    assert.equal((await files.save(chunks("12345", "67890"), 10)).bytes, 10);
  });

  test("leaves nothing behind when the content breaks off, and passes on why", async () => {
    const failure = Object.assign(new Error("connection reset"), { code: "ECONNRESET", syscall: "read", errno: -104 });
    const broken = async function* () {
      yield Buffer.from("half");
      throw failure;
    };
    await assert.rejects(createFileFolder(folder).save(broken(), 100), (error) => error === failure);
    assert.deepEqual(readdirSync(join(folder, "tmp")), []);
  });

  test("says that a file is missing, also for what is no hash at all", async () => {
    const files = createFileFolder(folder);
    await assert.rejects(textOf(files.read("0".repeat(64) as ContentHash)), FileMissingError);
    writeFileSync(join(folder, "secret"), "not a file of ours");
    await assert.rejects(textOf(files.read("../secret" as ContentHash)), FileMissingError);
    await assert.rejects(textOf(files.read("/../secret" as ContentHash)), FileMissingError);
  });

  test("removes at start what a crash left a day ago, and nothing younger", () => {
    createFileFolder(folder);
    const hoursOld = (hours: number) => {
      const path = join(folder, "tmp", `left-${hours}`);
      writeFileSync(path, "half");
      const at = Date.now() / 1_000 - hours * 3_600;
      utimesSync(path, at, at);
    };
    hoursOld(25);
    hoursOld(23);
    createFileFolder(folder);
    assert.deepEqual(readdirSync(join(folder, "tmp")), ["left-23"]);
  });

  test("says so when the disk fails it", async () => {
    const files = createFileFolder(folder);
    rmSync(folder, { recursive: true });
    await assert.rejects(files.save(chunks("x"), 10), StorageError);
    writeFileSync(folder, "a file where the folder should be");
    assert.throws(() => createFileFolder(folder), StorageError);
  });
});
