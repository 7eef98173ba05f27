import assert from "node:assert/strict";
import { test } from "node:test";
import {
  assertNoSecret,
  conversationAt,
  deliveryOf,
  failsWith,
  telegramScene,
  text,
  until,
} from "../../../test/platforms/telegram/telegram-scene.ts";
import type { ContentHash } from "../../core/ids.ts";
import type { FilePart } from "../../core/part.ts";

const { signal } = new AbortController();
const fast = { perSecond: 1_000_000, perChatPerSecond: 1_000_000 };
const png = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(200_000, 7)]);

function image(fields: Partial<FilePart> = {}): FilePart {
  return {
    kind: "file",
    media: "image",
    mimeType: "image/png",
    name: 'a "b".png',
    bytes: png.length,
    caption: "look",
    hash: "h1" as ContentHash,
    ref: null,
    missing: null,
    ...fields,
  };
}

test("a message arrives whole and in order, each piece but the last reported before the next is sent", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(7);
  const delivery = deliveryOf(host, { parts: [text("x".repeat(5_000)), text("end")] });
  const receipts = await channel.deliver(delivery, signal);
  const sent = fake.sent(7);
  assert.deepEqual(
    sent.map(({ params }) => String(params.text).length),
    [4_096, 904, 3],
  );
  assert.deepEqual(
    receipts.map(({ platformRef }) => platformRef),
    sent.map(({ messageId }) => String(messageId)),
  );
  assert.deepEqual(delivery.reported, receipts.slice(0, 2));
});

test("a retry goes on after the pieces that arrived", async () => {
  const { fake, host, channel } = await telegramScene({ rates: fast });
  fake.openChat(7);
  const parts = [text("one"), text("two"), text("three")];
  fake.misbehave({ kind: "slow", ms: 0 });
  fake.misbehave({ kind: "status", status: 503 });
  const first = deliveryOf(host, { parts });
  const failed = failsWith(fake, channel.deliver(first, signal), { kind: "unavailable" });
  await until(() => host.timerCount > 0);
  host.advance(0);
  await failed;
  assert.equal(first.reported.length, 1);
  await channel.deliver(deliveryOf(host, { parts, receipts: first.reported }), signal);
  assert.deepEqual(
    fake.sent(7).map(({ params }) => params.text),
    ["one", "two", "three"],
  );
});

test("when a report fails, nothing more is sent", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(7);
  const delivery = deliveryOf(host, { parts: [text("one"), text("two")] });
  const lost = { ...delivery, pieceDelivered: () => Promise.reject(new Error("lease lost")) };
  await assert.rejects(channel.deliver(lost, signal), /lease lost/);
  assert.equal(fake.sent(7).length, 1);
});

test("goes to the topic, replies, and offers choices", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(-1005);
  const choices = [{ label: "Yes", value: "yes" }];
  const parts = [text("sure?"), { kind: "choices", choices } as const];
  await channel.deliver(deliveryOf(host, { ref: "-1005/44", parts, replyTo: "12" }), signal);
  assert.deepEqual(fake.sent(-1005)[0]?.params, {
    message_thread_id: 44,
    text: "sure?",
    reply_markup: { inline_keyboard: [[{ text: "Yes", callback_data: "yes" }]] },
    reply_parameters: { message_id: 12, allow_sending_without_reply: true },
  });
  await channel.deliver(deliveryOf(host, { ref: "-1005/d8", parts: [text("hi")] }), signal);
  assert.equal(fake.sent(-1005)[1]?.params.direct_messages_topic_id, 8);
});

test("a file is uploaded byte for byte, with its name and caption", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(7);
  await channel.deliver(deliveryOf(host, { parts: [image()], files: { h1: png } }), signal);
  const [sent] = fake.sent(7);
  assert.equal(sent?.method, "sendPhoto");
  assert.equal(sent?.params.caption, "look");
  const { name, mimeType, bytes } = sent?.file ?? {};
  assert.deepEqual([name, mimeType, bytes], ['a "b".png', "image/png", png.length]);
});

test("a picture that Telegram cannot read goes as a document", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(7);
  const files = { h1: Buffer.from("no picture") };
  const receipts = await channel.deliver(deliveryOf(host, { parts: [image()], files }), signal);
  assert.equal(receipts.length, 1);
  assert.equal(fake.sent(7)[0]?.method, "sendDocument");
});

test("a file that is gone is refused, one that cannot be read just now is tried again; neither is sent", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(7);
  await failsWith(fake, channel.deliver(deliveryOf(host, { parts: [image()] }), signal), { kind: "refused" });
  const delivery = {
    ...deliveryOf(host, { parts: [image()] }),
    async *readFile(): AsyncGenerator<Uint8Array> {
      yield png;
      throw new Error("disk");
    },
  };
  await failsWith(fake, channel.deliver(delivery, signal), { kind: "unavailable" });
  assert.equal(fake.sent(7).length, 0);
});

test("over the rates it waits with nothing sent, and the turn it was told is kept", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(7);
  for (const said of ["a", "b", "c"]) await channel.deliver(deliveryOf(host, { parts: [text(said)] }), signal);
  const fourth = deliveryOf(host, { parts: [text("d")] });
  await failsWith(fake, channel.deliver(fourth, signal), { kind: "throttled", retryAfterMs: 1_000 });
  assert.equal(fake.calls.length, 3);
  host.advance(1_000);
  await channel.deliver(fourth, signal);
  assert.equal(fake.sent(7).length, 4);
});

test("Telegram's own wait is obeyed: the next send to the chat does not even ask", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(7);
  fake.openChat(8);
  fake.misbehave({ kind: "throttle", retryAfterSeconds: 14 });
  const throttled = { kind: "throttled", retryAfterMs: 14_000 } as const;
  await failsWith(fake, channel.deliver(deliveryOf(host, { parts: [text("a")] }), signal), throttled);
  await failsWith(fake, channel.deliver(deliveryOf(host, { parts: [text("a")] }), signal), throttled);
  await channel.deliver(deliveryOf(host, { ref: "8", parts: [text("a")] }), signal);
  assert.equal(fake.calls.length, 1);
});

test("who blocked the bot, a chat that is not there, and what is no chat are refused", async () => {
  const { fake, host, channel } = await telegramScene();
  const to = (ref: string) => channel.deliver(deliveryOf(host, { ref, parts: [text("a")] }), signal);
  await failsWith(fake, to("7"), { kind: "refused" }, /chat not found/);
  fake.block(7);
  await failsWith(fake, to("7"), { kind: "refused" }, /blocked by the user/);
  for (const ref of ["user:7", "business:7", "updates", "7/x", ""]) await failsWith(fake, to(ref), { kind: "refused" });
});

test("a group that moved tells where it is now", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.migrate(-5, -1005);
  const delivery = deliveryOf(host, { ref: "-5", parts: [text("a")] });
  await failsWith(fake, channel.deliver(delivery, signal), { kind: "moved", ref: "-1005" });
});

test("what Telegram certainly did not take is unavailable, what it may have taken is unknown", async () => {
  const { fake, host, channel } = await telegramScene({ rates: fast });
  fake.openChat(7);
  const cases = [
    { status: 503, kind: "unavailable" },
    { status: 500, kind: "unknown" },
    { status: 502, isJson: false, kind: "unknown" },
    { status: 504, isJson: false, kind: "unknown" },
    { status: 503, isJson: false, kind: "unavailable" },
    { status: 403, isJson: false, kind: "unavailable" },
    { status: 302, isJson: false, kind: "unavailable" },
    { status: 413, isJson: false, kind: "refused" },
    { status: 200, isJson: false, kind: "unknown" },
    { status: 401, kind: "unavailable" },
    { status: 404, kind: "unavailable" },
    { status: 400, kind: "refused" },
  ] as const;
  for (const { kind, ...answer } of cases) {
    fake.misbehave({ kind: "status", ...answer });
    await failsWith(fake, channel.deliver(deliveryOf(host, { parts: [text("a")] }), signal), { kind });
    host.advance(1);
  }
  for (const kind of ["dropBefore", "dropAfter", "garbage"] as const) {
    fake.misbehave({ kind });
    await failsWith(fake, channel.deliver(deliveryOf(host, { parts: [text("a")] }), signal), { kind: "unknown" });
    host.advance(1);
  }
  assert.equal(fake.sent(7).length, 2, "the dropped and the garbled answer were to messages that arrived");
});

test("a token that Telegram does not know makes the message wait, and is told loudly", async () => {
  const { fake, host, channel, log } = await telegramScene({ token: "1:unknown" });
  const delivery = deliveryOf(host, { parts: [text("a")] });
  await failsWith(fake, channel.deliver(delivery, signal), { kind: "unavailable" }, /token/);
  assert.equal(log.filter(({ level }) => level === "error").length, 1);
});

test("where nobody listens it is unavailable", async () => {
  const { fake, host, channel } = await telegramScene();
  await fake.stop();
  await failsWith(fake, channel.deliver(deliveryOf(host, { parts: [text("a")] }), signal), { kind: "unavailable" });
  await fake.start();
});

test("stopped before it was sent it is unavailable, stopped while Telegram works it is unknown", async () => {
  const { fake, host, channel } = await telegramScene();
  fake.openChat(7);
  const stopped = channel.deliver(deliveryOf(host, { parts: [text("a")] }), AbortSignal.abort());
  await failsWith(fake, stopped, { kind: "unavailable" });
  assert.equal(fake.calls.length, 0);
  fake.misbehave({ kind: "hang" });
  const stop = new AbortController();
  const hanging = failsWith(fake, channel.deliver(deliveryOf(host, { parts: [text("a")] }), stop.signal), {
    kind: "unknown",
  });
  await fake.waitForSent(1);
  stop.abort();
  await hanging;
});

test("the base address may have a path", async () => {
  const { fake, host, channel } = await telegramScene();
  assert.ok(fake.url.startsWith("http://127.0.0.1:"));
  const elsewhere = await telegramScene({ apiRoot: `${fake.url}/gateway/` });
  const delivery = deliveryOf(host, { parts: [text("a")] });
  await failsWith(fake, elsewhere.channel.deliver(delivery, signal), { kind: "unavailable" }, /404/);
  assert.equal(channel.whenUnknown, "stop");
});

test("shows that it is typing, and minds no failure", async () => {
  const { fake, channel } = await telegramScene();
  fake.openChat(7);
  await channel.showTyping(conversationAt("7/44"), signal);
  assert.deepEqual(fake.calls[0], {
    method: "sendChatAction",
    params: { chat_id: 7, message_thread_id: 44, action: "typing" },
  });
  await channel.showTyping(conversationAt("8"), signal);
  await channel.showTyping(conversationAt("updates"), signal);
  assertNoSecret(fake, channel);
});
