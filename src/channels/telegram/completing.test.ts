import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { failsWith, outbound, telegramScene } from "../../../test/platforms/telegram/telegram-scene.ts";
import type { CompletionSources } from "../../core/channel.ts";
import { FileTooLargeError } from "../../core/errors.ts";
import type { ContentHash } from "../../core/ids.ts";
import type { Choice, FilePart, Part } from "../../core/part.ts";
import { choiceData } from "./choice-token.ts";

const { signal } = new AbortController();

function pointing(ref: string, bytes: number | null = null): FilePart {
  return {
    kind: "file",
    media: "document",
    mimeType: "text/plain",
    name: "a.txt",
    bytes,
    caption: "look",
    hash: null,
    ref,
    missing: null,
  };
}

function sources(offered: readonly Choice[] = []): CompletionSources {
  return {
    offered: async () => offered,
    saveFile: async (content, bytesMax) => {
      const bytes = Buffer.concat(await Array.fromAsync(content));
      if (bytes.length > bytesMax) throw new FileTooLargeError("too large");
      return { hash: createHash("sha256").update(bytes).digest("hex") as ContentHash, bytes: bytes.length };
    },
  };
}

async function scene() {
  const { fake, channel } = await telegramScene();
  const complete = (parts: readonly Part[], from = sources()) =>
    channel.complete(outbound(new TestHost(), parts), from, signal);
  return { fake, complete };
}

test("a file is fetched and stored, all else of its part stays", async () => {
  const { fake, complete } = await scene();
  const content = Buffer.alloc(300_000, "abc");
  const file = fake.addFile(content);
  const [part] = await complete([pointing(file.id)]);
  const hash = createHash("sha256").update(content).digest("hex");
  assert.deepEqual(part, { ...pointing(file.id), hash, bytes: content.length });
});

test("parts that lack nothing come back as they are, without a call", async () => {
  const { fake, complete } = await scene();
  const whole: Part[] = [
    { kind: "text", text: "hi" },
    { ...pointing("x"), hash: "ab" as ContentHash },
    { ...pointing("x"), missing: "gone" },
    { kind: "choice", value: "yes", label: null, messageRef: null, pending: false },
  ];
  assert.deepEqual(await complete(whole), whole);
  assert.equal(fake.calls.length, 0);
});

test("a file over Telegram's limit is missing: by its size without a call, by Telegram's word, by what comes", async () => {
  const { fake, complete } = await scene();
  const reasonOf = async (part: FilePart, from = sources()) => ((await complete([part], from))[0] as FilePart).missing;
  assert.match((await reasonOf(pointing("x", 20_000_001))) ?? "", /20 MB/);
  assert.equal(fake.calls.length, 0);
  assert.match((await reasonOf(pointing(fake.addFile(Buffer.from("x"), 20_000_001).id))) ?? "", /20 MB/);
  const tooLarge = { ...sources(), saveFile: () => Promise.reject(new FileTooLargeError("x")) };
  assert.match((await reasonOf(pointing(fake.addFile(Buffer.from("x")).id), tooLarge)) ?? "", /20 MB/);
});

test("a file that Telegram no longer has is missing, with its reason", async () => {
  const { fake, complete } = await scene();
  const [unknown] = await complete([pointing("nowhere")]);
  assert.match((unknown as FilePart).missing ?? "", /wrong file_id/);
  const file = fake.addFile(Buffer.from("x"));
  file.isExpired = true;
  const [expired] = await complete([pointing(file.id)]);
  assert.match((expired as FilePart).missing ?? "", /404/);
});

test("what a retry can mend is thrown: not reached, cut off, broken, asked to wait", async () => {
  const { fake, complete } = await scene();
  const file = pointing(fake.addFile(Buffer.alloc(100_000)).id);
  const plans = [
    [{ kind: "dropBefore" }, "getFile"],
    [{ kind: "status", status: 502 }, "getFile"],
    [{ kind: "status", status: 401 }, "getFile"],
    [{ kind: "dropBefore" }, "download"],
    [{ kind: "dropAfter" }, "download"],
    [{ kind: "status", status: 500 }, "download"],
    [{ kind: "status", status: 429 }, "download"],
  ] as const;
  for (const [misbehavior, method] of plans) {
    fake.misbehave(misbehavior, { method });
    await failsWith(fake, complete([file]), { kind: "unavailable" });
  }
  fake.misbehave({ kind: "throttle", retryAfterSeconds: 3 }, { method: "getFile" });
  await failsWith(fake, complete([file]), { kind: "throttled", retryAfterMs: 3_000 });
});

test("a path that leads elsewhere is not fetched", async () => {
  const { fake, complete } = await scene();
  for (const path of ["/var/lib/bot/secret", "files/../../secret"]) {
    const file = { ...fake.addFile(Buffer.from("x")), path };
    fake.chats.getFile = () => ({ file_id: file.id, file_path: path });
    const [part] = await complete([pointing(file.id)]);
    assert.match((part as FilePart).missing ?? "", /no path/);
  }
});

test("a token becomes the value that was offered; one too old, what was written on the button", async () => {
  const { complete } = await scene();
  const value = "a very long value ".repeat(10);
  const token = choiceData(value, new TestHost());
  const pressed: Part = { kind: "choice", value: token, label: "Long", messageRef: "5", pending: true };
  const [found] = await complete(
    [pressed],
    sources([
      { label: "Other", value: "b" },
      { label: "Long", value },
    ]),
  );
  assert.deepEqual(found, { ...pressed, value, pending: false });
  const [old] = await complete([pressed]);
  assert.deepEqual(old, { ...pressed, value: "Long", pending: false });
});
