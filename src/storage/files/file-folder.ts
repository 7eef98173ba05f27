import { createHash, randomUUID } from "node:crypto";
import { createReadStream, mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { FileMissingError, FileTooLargeError, StorageError } from "../../core/errors.ts";
import type { Files, StoredFile } from "../../core/files.ts";
import type { ContentHash } from "../../core/ids.ts";

const day = 24 * 60 * 60 * 1_000;

/**
 * Files in a folder of their own, readable by nobody else: `<folder>/ab/cdef…`, named by their SHA-256. A file is written
 * beside its place, forced to disk and renamed, so that a name never stands for half a content.
 *
 * Creates the folder and removes what a crash left half written more than a day ago. Throws `StorageError` where the
 * folder cannot be used; so does `save` when the disk fails it.
 */
export function createFileFolder(folder: string): Files {
  const unfinished = join(folder, "tmp");
  prepare(unfinished);

  return {
    async save(content, bytesMax) {
      const temporary = join(unfinished, randomUUID());
      try {
        const file = await write(temporary, content, bytesMax);
        await onDisk(put(temporary, folder, file.hash));
        return file;
      } catch (error) {
        await rm(temporary, { force: true });
        throw error;
      }
    },
    read: (hash) => read(folder, hash),
  };
}

function prepare(unfinished: string): void {
  try {
    mkdirSync(unfinished, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(unfinished)) {
      const path = join(unfinished, name);
      // A file's age is by the machine's clock, which stamped it.
      if (statSync(path).mtimeMs < Date.now() - day) rmSync(path, { force: true });
    }
  } catch (error) {
    throw new StorageError(`The folder ${unfinished} cannot be used: make it readable and writable.`, { cause: error });
  }
}

async function write(path: string, content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredFile> {
  const hash = createHash("sha256");
  let bytes = 0;
  const handle = await onDisk(open(path, "wx", 0o600));
  try {
    for await (const chunk of content) {
      bytes += chunk.byteLength;
      if (bytes > bytesMax) throw new FileTooLargeError(`The file has more than ${bytesMax} bytes.`);
      hash.update(chunk);
      await onDisk(handle.writeFile(chunk));
    }
    await onDisk(handle.sync());
  } finally {
    await handle.close();
  }
  return { hash: hash.digest("hex") as ContentHash, bytes };
}

/** A rename is durable once the folder that has the name is on disk. */
async function put(temporary: string, folder: string, hash: ContentHash): Promise<void> {
  const shelf = join(folder, hash.slice(0, 2));
  const created = await mkdir(shelf, { recursive: true, mode: 0o700 });
  await rename(temporary, join(shelf, hash.slice(2)));
  await syncFolder(shelf);
  if (created !== undefined) await syncFolder(folder);
}

async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function* read(folder: string, hash: ContentHash): AsyncGenerator<Uint8Array> {
  // A hash may come from outside: only what looks like one becomes a path.
  if (!/^[0-9a-f]{64}$/.test(hash)) throw new FileMissingError("There is no such file: that is not a SHA-256.");
  const digest = createHash("sha256");
  let held: Uint8Array | undefined;
  try {
    for await (const chunk of createReadStream(join(folder, hash.slice(0, 2), hash.slice(2)))) {
      digest.update(chunk);
      if (held !== undefined) yield held;
      held = chunk;
    }
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") {
      throw new FileMissingError(`There is no file ${hash}.`, { cause: error });
    }
    throw new StorageError(`The file ${hash} could not be read: see the cause.`, { cause: error });
  }
  // The last chunk waits until all were seen: what was swapped on the disk is never whole at its receiver.
  if (digest.digest("hex") !== hash) {
    throw new FileMissingError(`The file ${hash} is not what it was: somebody changed it on the disk.`);
  }
  if (held !== undefined) yield held;
}

/** Tells the disk's failures from those of the content's source, which pass as they are. */
async function onDisk<Result>(work: Promise<Result>): Promise<Result> {
  try {
    return await work;
  } catch (error) {
    throw new StorageError("The file could not be stored: see the cause.", { cause: error });
  }
}
