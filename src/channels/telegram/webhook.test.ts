import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { type Scene, telegramScene, until } from "../../../test/platforms/telegram/telegram-scene.ts";
import type { Accept, WebhookRequest } from "../../core/channel.ts";
import { SetupError, StorageError } from "../../core/errors.ts";

const secretHeader = "x-telegram-bot-api-secret-token";
const hello = {
  update_id: 5,
  message: { message_id: 9, chat: { id: 7, type: "private" }, from: { id: 7 }, text: "hello" },
};

function request(
  body: unknown,
  headers: WebhookRequest["headers"] = { [secretHeader]: "generated-secret" },
): WebhookRequest {
  return { headers, body: Buffer.from(typeof body === "string" ? body : JSON.stringify(body)) };
}

const webhook = { mode: "webhook" };
const unavailable: Accept = () => Promise.reject(new StorageError("The disk is full."));

test("an update is answered 200 only after it was accepted", async () => {
  const { channel, accept, accepted } = await telegramScene(webhook);
  const { promise: stored, resolve: store } = Promise.withResolvers<void>();
  let isAnswered = false;
  const answer = channel.handleWebhook(request(hello), async (update) => {
    await stored;
    return accept(update);
  });
  void answer.then(() => {
    isAnswered = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isAnswered, false);
  store();
  assert.deepEqual(await answer, { status: 200, body: "" });
  assert.equal(accepted[0]?.key, "5");
});

test("without the secret, with a wrong one, or with two, nothing is accepted", async () => {
  const { channel, accept, accepted } = await telegramScene(webhook);
  const headers: WebhookRequest["headers"][] = [
    {},
    { [secretHeader]: "" },
    { [secretHeader]: "generated-secre" },
    { [secretHeader]: "generated-secret2" },
    { [secretHeader]: ["generated-secret", "generated-secret"] },
  ];
  for (const header of headers) assert.equal((await channel.handleWebhook(request(hello, header), accept)).status, 401);
  assert.equal(accepted.length, 0);
});

test("the secret of the options goes before the one that was made up", async () => {
  const { channel, accept } = await telegramScene({ ...webhook, webhookSecret: "my-own" });
  assert.equal((await channel.handleWebhook(request(hello), accept)).status, 401);
  assert.equal((await channel.handleWebhook(request(hello, { [secretHeader]: "my-own" }), accept)).status, 200);
});

test("what is no update is answered 400", async () => {
  const { channel, accept, accepted } = await telegramScene(webhook);
  for (const body of ["", "{", "[]", "null", "5", "{}", '{"update_id":"5"}', '{"update_id":1.5}', '{"update_id":-1}']) {
    assert.equal((await channel.handleWebhook(request(body), accept)).status, 400, body);
  }
  assert.equal(accepted.length, 0);
});

test("an update that could not be stored is answered 503 and told in the log", async () => {
  const { channel, log, fake } = await telegramScene(webhook);
  const press = { update_id: 6, callback_query: { id: "q", from: { id: 7 }, data: "x" } };
  assert.equal((await channel.handleWebhook(request(press), unavailable)).status, 503);
  assert.equal(log[0]?.level, "warn");
  assert.equal(fake.calls.length, 0, "a press that was not stored is not answered");
});

test("the same update twice has one key; a press is answered after it was accepted", async () => {
  const { channel, accept, accepted, fake } = await telegramScene(webhook);
  await channel.handleWebhook(request(hello), accept);
  await channel.handleWebhook(request(hello), accept);
  assert.equal(accepted.length, 1);
  await channel.handleWebhook(
    request({ update_id: 6, callback_query: { id: "q", from: { id: 7 }, data: "x" } }),
    accept,
  );
  await until(() => fake.calls.length === 1);
  assert.equal(fake.calls[0]?.method, "answerCallbackQuery");
});

/** A server that gives what Telegram calls to the channel. */
async function served(scene: () => Scene, accept: Accept): Promise<string> {
  const server = createServer(async (incoming, outgoing) => {
    const chunks: Buffer[] = await Array.fromAsync(incoming);
    const { status, body } = await scene().channel.handleWebhook(
      { headers: incoming.headers, body: Buffer.concat(chunks) },
      accept,
    );
    outgoing.writeHead(status).end(body);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks/shop-telegram`;
}

test("tells Telegram where to send updates, and takes them there: in order, again where they could not be stored", async () => {
  let failures = 1;
  let scene: Scene | undefined;
  const current = () => {
    assert.ok(scene !== undefined);
    return scene;
  };
  const webhookUrl = await served(current, (update) => {
    failures -= 1;
    return failures >= 0 ? unavailable(update) : current().accept(update);
  });
  scene = await telegramScene({ ...webhook, webhookUrl });
  const { fake, channel, accept, accepted } = scene;
  const controller = new AbortController();
  const done = channel.listen(accept, controller.signal);
  await until(() => fake.state().webhook !== null);
  for (const said of ["one", "two", "three"]) fake.say(7, said);
  await until(() => accepted.length === 3);
  assert.deepEqual(
    accepted.map(({ parts }) => parts[0]),
    ["one", "two", "three"].map((said) => ({ kind: "text", text: said })),
  );
  const params = fake.calls[0]?.params ?? {};
  assert.equal(params.secret_token, "generated-secret");
  assert.ok((params.allowed_updates as string[]).includes("message_reaction"));
  controller.abort();
  await done;
});

test("setting the webhook is tried again after a failure, and ends where only an operator can mend it", async () => {
  const { fake, host, channel, accept } = await telegramScene({ ...webhook, webhookUrl: "http://127.0.0.1:9/" });
  fake.misbehave({ kind: "status", status: 502 }, { method: "setWebhook" });
  fake.misbehave({ kind: "throttle", retryAfterSeconds: 3 }, { method: "setWebhook" });
  const controller = new AbortController();
  const done = channel.listen(accept, controller.signal);
  for (const ms of [5_000, 3_000]) {
    await until(() => host.timerCount === 1);
    host.advance(ms);
  }
  await until(() => fake.state().webhook !== null);
  controller.abort();
  await done;
  fake.misbehave({ kind: "status", status: 400, description: "Bad Request: bad webhook" }, { method: "setWebhook" });
  await assert.rejects(channel.listen(accept, new AbortController().signal), (error) => {
    return error instanceof SetupError && error.message.includes("webhookUrl");
  });
});

test("without an address it waits to be called, and ends when it is told to", async () => {
  const { fake, channel, accept } = await telegramScene(webhook);
  const controller = new AbortController();
  const done = channel.listen(accept, controller.signal);
  controller.abort();
  await done;
  assert.equal(fake.calls.length, 0);
});
