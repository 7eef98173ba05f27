import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { createInterface } from "node:readline";
import { after, test } from "node:test";
import { Bot, GrammyError, HttpError, InlineKeyboard, InputFile } from "grammy";
import { TestHost } from "../../contracts/test-host.ts";
import { FakeTelegram } from "./fake-telegram.ts";

const png = Buffer.from("89504e470d0a1a0a", "hex");

async function started(options: ConstructorParameters<typeof FakeTelegram>[0] = {}): Promise<FakeTelegram> {
  const fake = new FakeTelegram(options);
  await fake.start();
  after(() => fake.stop());
  return fake;
}

function botOf(fake: FakeTelegram): Bot {
  return new Bot(fake.token, { client: { apiRoot: fake.url } });
}

test("grammY takes updates by long poll, sends, shows a keyboard and answers its press", async () => {
  const fake = await started();
  const bot = botOf(fake);
  bot.on("message:text", (context) =>
    context.reply(`you said ${context.message.text}`, { reply_markup: new InlineKeyboard().text("Yes", "yes") }),
  );
  bot.on("callback_query:data", async (context) => {
    await context.answerCallbackQuery();
    await context.reply(`pressed ${context.callbackQuery.data}`);
  });
  const running = bot.start();
  fake.say(7, "hello");
  const [first] = await fake.waitForSent(1, 7);
  assert.equal(first?.params.text, "you said hello");
  fake.press(7, first?.messageId ?? 0, "yes");
  const [, second] = await fake.waitForSent(2, 7);
  assert.equal(second?.params.text, "pressed yes");
  assert.ok(fake.calls.some(({ method }) => method === "answerCallbackQuery"));
  await bot.stop();
  await running;
  assert.equal(fake.state().pending, 0, "the last poll of grammY confirms what it took");
});

test("grammY uploads a file, and fetches it again", async () => {
  const fake = await started();
  fake.openChat(7);
  const bot = botOf(fake);
  const sent = await bot.api.sendPhoto(7, new InputFile(png, "a.png"), { caption: "look" });
  assert.deepEqual(fake.sent(7)[0]?.file?.bytes, png.length);
  assert.equal(fake.sent(7)[0]?.params.caption, "look");
  const file = await bot.api.getFile(sent.photo[0]?.file_id ?? "");
  const answer = await fetch(`${fake.url}/file/bot${fake.token}/${file.file_path}`);
  assert.deepEqual(Buffer.from(await answer.arrayBuffer()), png);
});

test("grammY sees Telegram's errors as they are", async () => {
  const fake = await started();
  const { api } = botOf(fake);
  const refusedWith = async (call: Promise<unknown>, code: number, text: string) => {
    await assert.rejects(
      call,
      (error) => error instanceof GrammyError && error.error_code === code && error.description.includes(text),
    );
  };
  await refusedWith(api.sendMessage(7, "x"), 400, "chat not found");
  fake.openChat(7);
  await refusedWith(api.sendMessage(7, ""), 400, "message text is empty");
  await refusedWith(api.sendMessage(7, "x".repeat(4_097)), 400, "message is too long");
  const tooLong = new InlineKeyboard().text("A", "x".repeat(65));
  await refusedWith(api.sendMessage(7, "x", { reply_markup: tooLong }), 400, "BUTTON_DATA_INVALID");
  await refusedWith(api.sendPhoto(7, new InputFile(Buffer.from("no picture"))), 400, "IMAGE_PROCESS_FAILED");
  await refusedWith(api.getFile("nowhere"), 400, "wrong file_id");
  fake.misbehave({ kind: "throttle", retryAfterSeconds: 14 });
  await refusedWith(api.sendMessage(7, "x"), 429, "retry after 14");
  fake.block(7);
  await refusedWith(api.sendMessage(7, "x"), 403, "blocked by the user");
  fake.migrate(-5, -1005);
  await assert.rejects(
    api.sendMessage(-5, "x"),
    (error) => error instanceof GrammyError && error.parameters.migrate_to_chat_id === -1005,
  );
  await refusedWith(new Bot("1:wrong", { client: { apiRoot: fake.url } }).api.getMe(), 401, "Unauthorized");
});

test("a dropped connection before acting sends nothing, after acting it does", async () => {
  const fake = await started();
  fake.openChat(7);
  const { api } = botOf(fake);
  fake.misbehave({ kind: "dropBefore" });
  await assert.rejects(api.sendMessage(7, "one"), HttpError);
  assert.equal(fake.sent(7).length, 0);
  fake.misbehave({ kind: "dropAfter" });
  await assert.rejects(api.sendMessage(7, "two"), HttpError);
  assert.equal(fake.sent(7).length, 1);
  await api.sendMessage(7, "two");
  assert.equal(fake.duplicates(7).length, 1);
});

test("updates stay until the offset moves over them, and no longer than a day", async () => {
  const host = new TestHost();
  const fake = await started({ clock: host.clock });
  const { api } = botOf(fake);
  const { updateId } = fake.say(7, "one");
  fake.say(7, "two");
  const ids = async (offset?: number) =>
    (await api.getUpdates(offset === undefined ? {} : { offset })).map((update) => update.update_id);
  assert.deepEqual(await ids(), [updateId, updateId + 1]);
  assert.deepEqual(await ids(), [updateId, updateId + 1]);
  assert.deepEqual(await ids(updateId + 1), [updateId + 1]);
  assert.deepEqual(await ids(), [updateId + 1], "what is before the offset is forgotten for good");
  host.advance(24 * 60 * 60 * 1_000);
  assert.deepEqual(await ids(), []);
});

test("the second poller throws the first out, and a webhook both", async () => {
  const fake = await started({ clock: new TestHost().clock });
  const { api } = botOf(fake);
  const conflict = (text: string) => (error: unknown) =>
    error instanceof GrammyError && error.error_code === 409 && error.description.includes(text);
  const first = api.getUpdates({ timeout: 50 });
  const thrownOut = assert.rejects(first, conflict("terminated by other getUpdates request"));
  const second = new Bot(fake.token, { client: { apiRoot: fake.url } }).api.getUpdates({ timeout: 50 });
  const endedToo = assert.rejects(second, conflict("terminated by setWebhook request"));
  await thrownOut;
  await api.setWebhook("http://127.0.0.1:1/x");
  await endedToo;
  await assert.rejects(api.getUpdates(), conflict("webhook is active"));
});

test("a webhook gets a chat's updates in order, the first again until it is taken, with the secret", async () => {
  const host = new TestHost();
  const fake = await started({ clock: host.clock });
  const taken: unknown[] = [];
  let refusals = 2;
  const { promise: gotThree, resolve } = Promise.withResolvers<void>();
  const { promise: refusedTwice, resolve: resolveRefused } = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = await Array.fromAsync(request);
    taken.push([
      request.headers["x-telegram-bot-api-secret-token"],
      JSON.parse(Buffer.concat(chunks).toString()).message.text,
    ]);
    refusals -= 1;
    response.writeHead(refusals >= 0 ? 503 : 200).end();
    if (refusals === 0) resolveRefused();
    if (taken.length === 5) resolve();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  await botOf(fake).api.setWebhook(`http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, {
    secret_token: "s",
  });
  fake.misbehave({ kind: "repeatUpdates" });
  for (const text of ["one", "two"]) fake.say(7, text);
  fake.say(7, "three");
  await refusedTwice;
  // The second retry waits a second; let its timer be set before the clock moves.
  while (host.timerCount === 0) await new Promise((resolveSoon) => setImmediate(resolveSoon));
  host.advance(1_000);
  await gotThree;
  const texts = taken.map((one) => (one as string[])[1]);
  assert.deepEqual(texts, ["one", "one", "one", "one", "two"], "refused twice, taken, repeated once, then the next");
  assert.ok(taken.every((one) => (one as string[])[0] === "s"));
});

test("as a process it prints where it listens, and is controlled over HTTP", async () => {
  const child: ChildProcess = spawn(process.execPath, [`${import.meta.dirname}/main.ts`, "--port", "0"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  assert.ok(child.stdout !== null && child.stdin !== null);
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const { url, token } = JSON.parse(line) as { url: string; token: string };
  const post = async (path: string, body: unknown): Promise<unknown> => {
    const answer = await fetch(`${url}${path}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    return answer.json();
  };
  await post("/control/say", { chat: 7, text: "hello" });
  assert.equal(((await post("/control/state", {})) as { pending: number }).pending, 1);
  await post(`/bot${token}/sendMessage`, { chat_id: 7, text: "hi" });
  assert.equal(((await post("/control/sent", { chat: 7 })) as unknown[]).length, 1);
  child.stdin.end();
  const [code] = await once(child, "exit");
  assert.equal(code, 0);
});
