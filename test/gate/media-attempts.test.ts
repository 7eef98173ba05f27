import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { piecesOf } from "../../src/channels/telegram/pieces.ts";
import { DeliveryError } from "../../src/core/delivery.ts";
import { FileMissingError } from "../../src/core/errors.ts";
import type { Files, StoredFile } from "../../src/core/files.ts";
import type { ContentHash } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { FilePart, Part } from "../../src/core/part.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import { deliver } from "../../src/journey/6-deliver.ts";
import { createFileFolder } from "../../src/storage/files/file-folder.ts";
import { attempt, forbidden, type Gate, nothingLeft, saysParts, strict } from "./gate-scene.ts";

function picture(fields: Partial<FilePart> = {}): FilePart {
  const hash = "a".repeat(64) as ContentHash;
  const basics = { kind: "file", media: "image", mimeType: "image/png", bytes: 4 } as const;
  return { ...basics, name: null, caption: null, hash, ref: null, missing: null, ...fields };
}

/** Holds every file, and passes the rest. */
const wary: Reviewer = {
  name: "wary",
  review: ({ parts }) =>
    parts.some(({ kind }) => kind === "file") ? { kind: "hold", reason: "a file" } : { kind: "pass" },
};

attempt("a picture without a word is judged before an engine sees it", async (open) => {
  const gate = await open({ reviewers: [wary] });
  const id = await gate.receive({ parts: [picture()] });
  await gate.rest();
  await nothingLeft(gate, id, "held", /a file/);
  assert.deepEqual(gate.seen, []);
});

attempt("a picture without a word is judged before it goes out", async (open) => {
  const gate = await open({ answer: () => saysParts([picture()]), reviewers: [wary] });
  const id = await gate.say("hello");
  await gate.rest();
  await nothingLeft(gate, (await gate.answerTo(id)).id, "held", /a file/);
});

attempt("a picture with nothing but a caption has its caption judged", async (open) => {
  const gate = await open({ answer: () => saysParts([picture({ caption: forbidden })]) });
  const id = await gate.say("hello");
  await gate.rest();
  await nothingLeft(gate, (await gate.answerTo(id)).id, "rejected", /a forbidden word/);
});

attempt("of several pictures, those that a reviewer takes out do not go out", async (open) => {
  const [good, bad] = [
    picture({ name: "good.png" }),
    picture({ name: "bad.png", hash: "b".repeat(64) as ContentHash }),
  ];
  const choosy: Reviewer = {
    name: "choosy",
    review({ parts }) {
      const rest = parts.filter((part) => part.kind !== "file" || part.name !== "bad.png");
      return rest.length === parts.length ? { kind: "pass" } : { kind: "change", parts: rest, reason: "a bad picture" };
    },
  };
  const gate = await open({ answer: () => saysParts([good, bad]), reviewers: [choosy] });
  await gate.say("hello");
  await gate.rest();
  assert.deepEqual(gate.channel.delivered[0]?.parts, [good]);
});

attempt("two pictures that differ in nothing but their content are two contents to the gate", async (open) => {
  const pictures = [picture(), picture({ hash: "b".repeat(64) as ContentHash })];
  const gate = await open({ answer: () => ({ drafts: pictures.map((part) => ({ parts: [part], replyTo: null })) }) });
  await gate.say("hello");
  await gate.rest();
  const hashes = gate.channel.delivered.map(({ contentHash }) => contentHash);
  assert.equal(new Set(hashes).size, 2);
});

/** Fetches what a message points at, as `fetch` says. */
function completeWith(gate: Gate, fetch: (part: Part) => Part): void {
  Object.assign(gate.channel, {
    complete: async (message: { readonly parts: readonly Part[] }) => message.parts.map(fetch),
  });
}

attempt("a file that is only pointed at is fetched before anybody judges it", async (open) => {
  const order: string[] = [];
  const noting: Reviewer = {
    name: "noting",
    review: ({ kind, parts }) => {
      if (kind === "inbound")
        order.push(`judged ${parts.map((part) => (part.kind === "file" ? part.hash : "")).join()}`);
      return { kind: "pass" };
    },
  };
  const gate = await open({ reviewers: [noting] });
  completeWith(gate, (part) => {
    order.push("fetched");
    return { ...(part as FilePart), hash: "c".repeat(64) as ContentHash };
  });
  await gate.receive({ parts: [picture({ hash: null, ref: "file-1" })] });
  await gate.rest();
  assert.deepEqual(order, ["fetched", `judged ${"c".repeat(64)}`]);
  assert.deepEqual(gate.channel.texts, ["hello back"]);
});

attempt("what comes with a fetched file is judged too", async (open) => {
  const gate = await open();
  completeWith(gate, (part) => ({ ...(part as FilePart), hash: "c".repeat(64) as ContentHash, name: forbidden }));
  const id = await gate.receive({ parts: [picture({ hash: null, ref: "file-1" })] });
  await gate.rest();
  await nothingLeft(gate, id, "rejected", /a forbidden word/);
  assert.deepEqual(gate.seen, []);
});

attempt("a file that cannot be fetched is not judged until it is given up, and then as missing", async (open) => {
  let asked = 0;
  const counting: Reviewer = {
    name: "counting",
    review: ({ parts }) => {
      asked += 1;
      return parts.some((part) => part.kind === "file" && part.hash === null && part.missing === null)
        ? { kind: "reject", reason: "judged before it was fetched" }
        : { kind: "pass" };
    },
  };
  const gate = await open({ reviewers: [counting] });
  completeWith(gate, () => {
    throw new DeliveryError({ kind: "unavailable" }, "the platform is down");
  });
  const id = await gate.receive({ parts: [picture({ hash: null, ref: "file-1" })] });
  await gate.turn();
  assert.deepEqual([asked, gate.seen], [0, []]);
  await gate.exhaust();
  assert.deepEqual((await gate.load(id)).parts, [
    picture({ hash: null, ref: "file-1", missing: "could not be fetched" }),
  ]);
});

attempt("a picture that the bot only points at goes to no channel that would send it unseen", async (open) => {
  const gate = await open({ answer: () => saysParts([picture({ hash: null, ref: "file-id-of-telegram" })]) });
  await gate.say("hello");
  await gate.rest();
  const [message] = gate.channel.delivered;
  assert.throws(() => piecesOf(message!, gate.host), {
    name: "DeliveryError",
    message: /a file that Parley does not hold/,
  });
});

function folderOf(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "parley-gate-files-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function* bytes(...chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

/** Replaces the bytes of a stored file, as anybody could who may write to the folder. */
function swap(folder: string, { hash }: StoredFile, content: Uint8Array): void {
  const shelf = join(folder, hash.slice(0, 2));
  for (const name of readdirSync(shelf)) writeFileSync(join(shelf, name), content);
}

async function readAll(files: Files, hash: ContentHash): Promise<{ bytes: number; error: unknown }> {
  let count = 0;
  try {
    for await (const chunk of files.read(hash)) count += chunk.byteLength;
  } catch (error) {
    return { bytes: count, error };
  }
  return { bytes: count, error: undefined };
}

test("a file that was swapped on the disk is never whole at its reader, whatever its size", async (context) => {
  const folder = folderOf(context);
  const files = createFileFolder(folder);
  for (const size of [1, 4, 100_000, 300_000]) {
    const saved = await files.save(bytes(Buffer.alloc(size, 1)), limits.fileBytesMax);
    swap(folder, saved, Buffer.alloc(size, 2));
    const read = await readAll(files, saved.hash);
    assert.ok(read.error instanceof FileMissingError, `${size} bytes`);
    assert.ok(read.bytes < size);
  }
});

test("a file that was emptied on the disk is told from one that is empty", async (context) => {
  const folder = folderOf(context);
  const files = createFileFolder(folder);
  const saved = await files.save(bytes(Buffer.from("png!")), limits.fileBytesMax);
  swap(folder, saved, Buffer.alloc(0));
  assert.ok((await readAll(files, saved.hash)).error instanceof FileMissingError);
});

test("saving other content never changes what an earlier hash stands for", async (context) => {
  const files = createFileFolder(folderOf(context));
  const judged = await files.save(bytes(Buffer.from("judged")), limits.fileBytesMax);
  const other = await files.save(bytes(Buffer.from("others")), limits.fileBytesMax);
  assert.notEqual(judged.hash, other.hash);
  const chunks: Uint8Array[] = [];
  for await (const chunk of files.read(judged.hash)) chunks.push(chunk);
  assert.equal(Buffer.concat(chunks).toString(), "judged");
});

attempt(
  "a picture that was swapped on the disk after it was judged does not go out, and the message says so",
  async (open, context) => {
    const folder = folderOf(context);
    const files = createFileFolder(folder);
    const saved = await files.save(bytes(Buffer.from("judged")), limits.fileBytesMax);
    const gate = await open({ answer: () => saysParts([picture({ hash: saved.hash })]), reviewers: [strict] });
    await gate.say("hello");
    await gate.turn();
    swap(folder, saved, Buffer.from("swapped"));
    const sent: Uint8Array[] = [];
    gate.channel.before = async ({ readFile }) => {
      for await (const chunk of readFile(saved.hash)) sent.push(chunk);
    };
    const [lease] = await gate.storage.claim({ queue: "outbox", lanesMax: 1, jobsMax: 1, leaseMs: limits.leaseMs });
    const sources = { channel: gate.channel, files, host: gate.host, save: async () => undefined };
    const decision = await deliver(lease!, lease!.jobs[0]!, sources, new AbortController().signal);
    assert.deepEqual([gate.channel.delivered, Buffer.concat(sent).toString()], [[], ""]);
    assert.notEqual(decision.outcome.kind, "done");
  },
);
