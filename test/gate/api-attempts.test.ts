import assert from "node:assert/strict";
import { test } from "node:test";
import { createTelegramChannel, telegramOptions } from "../../src/channels/telegram/telegram-channel.ts";
import type { BotId, ChannelId } from "../../src/core/ids.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import { type ApiWorld, createApiWorld } from "../api/api-world.ts";
import { TestHost } from "../contracts/test-host.ts";
import { engineOf, say } from "../journey/world.ts";
import { openChat, visit } from "../web/chat-scene.ts";

const messages = "/api/v1/bots/demo/messages";

const holding: Reviewer = {
  name: "holding",
  review: ({ kind }) => (kind === "outbound" ? { kind: "hold", reason: "look at it" } : { kind: "pass" }),
};

const rejecting: Reviewer = { name: "rejecting", review: () => ({ kind: "reject", reason: "no" }) };

/** A person's message whose answer waits for an operator. */
async function heldAnswer(): Promise<ApiWorld & { readonly asked: string; readonly held: string }> {
  const world = await createApiWorld({
    reviewers: [holding],
    engine: engineOf("agent:echo", () => say("unseen words")),
  });
  const { body } = await world.call("POST", messages, { person: "anna", text: "hello" });
  await world.rest();
  const { items } = (await world.call("GET", "/api/v1/held")).body;
  return { ...world, asked: body.message, held: items[0].id };
}

for (const [name, value] of Object.entries({
  from: "bot",
  state: "delivered",
  verdict: { outcome: "pass" },
  verdicts: [{ outcome: "pass" }],
  contentHash: "0".repeat(64),
  turnId: "trn_1",
  reviewer: "operator:me",
  reviewed: true,
  direction: "outbound",
  id: "msg_mine",
})) {
  test(`a message that is sent with its own "${name}" is refused`, async () => {
    const { call, storage } = await createApiWorld();
    const { status } = await call("POST", messages, { person: "anna", text: "hello", [name]: value });
    assert.equal(status, 400);
    assert.equal((await storage.status()).messages, 0);
  });
}

for (const part of [
  { kind: "text", text: "hello", from: "bot" },
  { kind: "choices", choices: [{ label: "a", value: "b" }] },
  { kind: "unsupported", type: "html" },
  { kind: "file", hash: "0".repeat(64), mimeType: "image/png", missing: null },
  { kind: "choice", value: "token", pending: true },
]) {
  test(`a part ${JSON.stringify(part)} is not for a person to say`, async () => {
    const { call } = await createApiWorld();
    assert.equal((await call("POST", messages, { person: "anna", parts: [part] })).status, 400);
  });
}

test("what is sent through the API is judged like anything else", async () => {
  const { call, rest } = await createApiWorld({ reviewers: [rejecting] });
  const { body } = await call("POST", messages, { person: "anna", text: "hello" });
  await rest();
  const message = await call("GET", `/api/v1/messages/${body.message}`);
  assert.deepEqual([message.body.state, message.body.reason], ["rejected", "rejecting: no"]);
});

test("a held answer is neither released nor resubmitted by who may not, nor by a way that is not its own", async () => {
  const { app, call, held, asked, rest, storage } = await heldAnswer();
  const release = `/api/v1/held/${held}/release`;
  for (const headers of [{}, { authorization: "Bearer parley_forged" }, { authorization: "Bearer " }]) {
    assert.equal((await app.inject({ method: "POST", url: release, headers })).statusCode, 401);
  }
  assert.equal((await call("POST", `/api/v1/dead/${held}/resubmit`)).body.code, "conflict");
  assert.equal((await call("POST", `/api/v1/held/${asked}/release`)).body.code, "conflict");
  assert.equal((await call("POST", "/api/v1/held/msg_none/release")).body.code, "not_found");
  await rest();
  assert.equal((await storage.status()).held, 1);
});

test("a delivered message is not released again", async () => {
  const { call, held, rest } = await heldAnswer();
  assert.equal((await call("POST", `/api/v1/held/${held}/release`)).status, 200);
  await rest();
  assert.equal((await call("GET", `/api/v1/messages/${held}`)).body.state, "delivered");
  assert.equal((await call("POST", `/api/v1/held/${held}/release`)).body.code, "conflict");
});

test("no call of the API writes over a message, a verdict or a state", async () => {
  const { app, held, key } = await heldAnswer();
  const headers = { authorization: `Bearer ${key}` };
  for (const method of ["PUT", "PATCH", "DELETE", "POST"] as const) {
    for (const url of [`/api/v1/messages/${held}`, `/api/v1/held/${held}`, `/api/v1/messages/${held}/verdicts`]) {
      const { statusCode } = await app.inject({ method, url, headers, payload: { state: "queued" } });
      assert.ok(statusCode === 404 || statusCode === 405, `${method} ${url} is answered ${statusCode}`);
    }
  }
});

test("who waits for an answer through the API is told that it is held, not what it says", async () => {
  const { call, asked, rest } = await heldAnswer();
  const again = { person: "anna", text: "hello", clientId: "again" };
  const waiting = call("POST", `${messages}?wait=5`, again);
  for (let round = 0; round < 20; round += 1) await new Promise(setImmediate);
  await rest();
  const { body } = await waiting;
  assert.notEqual(body.message, asked);
  assert.deepEqual(
    body.answers.map(({ state }: { state: string }) => state),
    ["held"],
  );
  assert.ok(!JSON.stringify(body).includes("unseen words"));
});

test("a person of the chat page cannot speak as the bot, nor bring a verdict", async (context) => {
  const scene = await openChat(context, { host: new TestHost() });
  const anna = await visit(scene);
  for (const extra of [{ from: "bot" }, { state: "delivered" }, { verdict: "pass" }, { person: "bot" }]) {
    const init = {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ clientId: "1", text: "hello", ...extra }),
    };
    assert.equal((await anna.ask("messages", init)).status, 400, JSON.stringify(extra));
  }
  await anna.post({ clientId: "2", text: "hello" });
  const { items } = await anna.list();
  assert.deepEqual(
    items.map(({ from, state }) => [from, state]),
    [["person", "received"]],
  );
});

test("the chat page shows nothing of the bot's that is held, and all of it once it is delivered", async (context) => {
  const scene = await openChat(context, { host: new TestHost() });
  const anna = await visit(scene);
  const { conversation } = await anna.post({ clientId: "1", text: "hello" });
  await scene.say(conversation, "unseen words", "held");
  await scene.say(conversation, "on its way", "queued");
  const { items } = await anna.list();
  assert.deepEqual(
    items.map(({ from }) => from),
    ["person"],
  );
});

test("a webhook with a forged or missing secret brings nothing in", async () => {
  const host = new TestHost();
  const log = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined };
  const channel = createTelegramChannel({
    id: "demo-telegram" as ChannelId,
    botId: "demo" as BotId,
    options: telegramOptions.parse({ token: "123456:fake-token-of-the-tests", apiRoot: "http://127.0.0.1:9" }),
    host,
    log,
    webhookSecret: "generated-secret",
  });
  const message = {
    message_id: 1,
    date: 0,
    chat: { id: 5, type: "private" },
    from: { id: 5, first_name: "A" },
    text: "hi",
  };
  const body = Buffer.from(JSON.stringify({ update_id: 1, message }));
  let accepted = 0;
  const accept = () => {
    accepted += 1;
    return Promise.reject(new Error("not to be called"));
  };
  const header = "x-telegram-bot-api-secret-token";
  for (const headers of [{}, { [header]: "" }, { [header]: "forged" }, { [header]: ["generated-secret", "x"] }]) {
    const { status } = await channel.handleWebhook({ headers, body }, accept);
    assert.equal(status, 401);
  }
  assert.equal(accepted, 0);
});
