import assert from "node:assert/strict";
import { test } from "node:test";
import { createApiWorld, until } from "../../test/api/api-world.ts";
import { engineOf, say } from "../../test/journey/world.ts";
import { StorageError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Reviewer } from "../core/reviewer.ts";
import { apiLimits } from "./api-limits.ts";

const url = "/api/v1/bots/demo/messages";

test("a message is accepted with its ids, and can be read and explained", async () => {
  const { call, rest } = await createApiWorld();
  const sent = await call("POST", url, { person: "anna", text: "hello" });
  assert.equal(sent.status, 202);
  assert.deepEqual(Object.keys(sent.body), ["message", "conversation"]);
  await rest();

  const message = await call("GET", `/api/v1/messages/${sent.body.message}`);
  assert.deepEqual(message.body, {
    id: sent.body.message,
    conversation: sent.body.conversation,
    from: "person",
    parts: [{ kind: "text", text: "hello" }],
    state: "answered",
    reason: null,
    at: "2026-01-01T00:00:00.000Z",
  });
  const why = await call("GET", `/api/v1/messages/${sent.body.message}/why`);
  assert.equal(why.body.message.at, "2026-01-01T00:00:00.000Z");
  assert.deepEqual(why.body.path.map(({ stage }: { stage: string }) => stage).slice(0, 2), ["receive", "review"]);
  assert.equal(why.body.related.length, 1);
  for (const path of ["/api/v1/messages/nobody", "/api/v1/messages/nobody/why"]) {
    assert.equal((await call("GET", path)).body.code, "not_found");
  }
});

test("the same clientId of the same person is the same message; of another person it is another", async () => {
  const { call } = await createApiWorld();
  const first = await call("POST", url, { person: "anna", text: "hello", clientId: "one" });
  const again = await call("POST", url, { person: "anna", text: "hello", clientId: "one" });
  const other = await call("POST", url, { person: "ben", text: "hello", clientId: "one" });
  const bare = await call("POST", url, { person: "anna", text: "hello" });
  assert.deepEqual(again.body, first.body);
  assert.equal(new Set([first, other, bare].map(({ body }) => body.message)).size, 3);
  assert.equal(bare.body.conversation, first.body.conversation);
  assert.notEqual(other.body.conversation, first.body.conversation);
});

test("with wait, the answers come back as soon as they are out", async () => {
  const { call, rest, watching, storage } = await createApiWorld({
    engine: engineOf("agent:two", () => say("one", "two")),
  });
  const called = call("POST", `${url}?wait=30`, { person: "anna", text: "hello", clientId: "c" });
  await until(() => watching() === 1);
  await rest();
  const { status, body } = await called;
  assert.equal(status, 200);
  assert.equal(body.state, "answered");
  assert.deepEqual(
    body.answers.map(({ parts, state }: { parts: { text: string }[]; state: string }) => [parts[0]?.text, state]),
    [
      ["one", "delivered"],
      ["two", "delivered"],
    ],
  );
  assert.equal(watching(), 0);

  const again = await call("POST", `${url}?wait=30`, { person: "anna", text: "hello", clientId: "c" });
  assert.deepEqual(again.body, body, "a duplicate whose turn ended is answered at once");
  assert.equal((await storage.status()).messages, 3);
});

test("a wait that finds an end while it begins misses nothing", async () => {
  const { call, rest, watching, storage } = await createApiWorld();
  const find = storage.findMessage.bind(storage);
  // Everything happens after the message was looked up and before that answer is there.
  storage.findMessage = async (id) => {
    storage.findMessage = find;
    const before = await find(id);
    await rest();
    return before;
  };
  const { status } = await call("POST", `${url}?wait=30`, { person: "anna", text: "hello" });
  assert.equal(status, 200);
  assert.equal(watching(), 0);
});

test("a wait that is over is answered without answers, and the message goes on", async () => {
  const { call, rest, host, watching } = await createApiWorld();
  const called = call("POST", `${url}?wait=1.5`, { person: "anna", text: "hello" });
  await until(() => watching() === 1);
  host.advance(1_499);
  host.advance(1);
  const { status, body } = await called;
  assert.equal(status, 202);
  await rest();
  assert.equal((await call("GET", `/api/v1/messages/${body.message}`)).body.state, "answered");
});

test("a message that is held is told at once: nobody knows when an operator comes", async () => {
  const strict: Reviewer = { name: "strict", review: () => ({ kind: "hold", reason: "looks odd" }) };
  const { call, rest, watching } = await createApiWorld({ reviewers: [strict] });
  const called = call("POST", `${url}?wait=30`, { person: "anna", text: "hello" });
  await until(() => watching() === 1);
  await rest();
  const { status, body } = await called;
  assert.equal(status, 200);
  assert.deepEqual([body.state, body.answers], ["held", []]);
});

test("who hangs up waits no longer, and a server that stops answers who waits", async () => {
  const { app, key, host, call, watching } = await createApiWorld();
  await call("POST", url, { person: "anna", text: "hello" });
  const timers = host.timerCount;
  const base = await app.listen({ host: "127.0.0.1", port: 0 });
  const send = (signal: AbortSignal | null) =>
    fetch(`${base}${url}?wait=60`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify({ person: "anna", text: "hello" }),
      signal,
    });
  const hangUp = new AbortController();
  const left = assert.rejects(send(hangUp.signal));
  await until(() => watching() === 1);
  hangUp.abort();
  await left;
  await until(() => watching() === 0);
  assert.equal(host.timerCount, timers);

  const waiting = send(null);
  await until(() => watching() === 1);
  const closed = app.close();
  assert.equal((await waiting).status, 202);
  await closed;
  assert.equal(watching(), 0);
});

test("more waits than the limit are refused with a remedy", async () => {
  const { call, app, host } = await createApiWorld();
  const before = Array.from({ length: apiLimits.waitsMax }, (_, index) =>
    call("POST", `${url}?wait=60`, { person: `p${index}`, text: "hello" }),
  );
  await until(() => host.timerCount >= apiLimits.waitsMax);
  const refused = await call("POST", `${url}?wait=60`, { person: "anna", text: "hello" });
  assert.equal(refused.status, 429);
  assert.equal(refused.body.code, "too_many");
  assert.equal(refused.headers["retry-after"], "1");
  await app.close();
  await Promise.all(before);
});

test("a conversation must be this person's with this bot", async () => {
  const { call } = await createApiWorld();
  const { body: annas } = await call("POST", url, { person: "anna", text: "hello" });
  const conversation = annas.conversation;
  const own = await call("POST", url, { person: "anna", text: "and", conversation });
  assert.equal(own.status, 202);
  assert.equal(own.body.conversation, conversation);
  for (const [bot, person, id] of [
    ["demo", "ben", conversation],
    ["other", "anna", conversation],
    ["demo", "anna", "cnv_nowhere"],
  ]) {
    const refused = await call("POST", `/api/v1/bots/${bot}/messages`, { person, text: "hi", conversation: id });
    assert.equal(refused.status, 404, `${bot} ${person} ${id}`);
  }
});

test("a bot that is not there, or has no web channel, is told with a remedy", async () => {
  const { call } = await createApiWorld();
  assert.equal((await call("POST", "/api/v1/bots/nobody/messages", { person: "a", text: "b" })).status, 404);
  const mute = await call("POST", "/api/v1/bots/mute/messages", { person: "a", text: "b" });
  assert.equal(mute.status, 409);
  assert.match(mute.body.detail, /platform: web/);
});

test("what is not a message is refused, and says where it is wrong", async () => {
  const { call, storage } = await createApiWorld();
  const hash = "0".repeat(64);
  const wrong: [object, RegExp][] = [
    [{}, /person/],
    [{ person: "a" }, /either text or parts/],
    [{ person: "a", text: "b", parts: [{ kind: "text", text: "c" }] }, /either text or parts/],
    [{ person: "", text: "b" }, /person/],
    [{ person: "a".repeat(257), text: "b" }, /person/],
    [{ person: "a\u0000b", text: "b" }, /control characters/],
    [{ person: "a\ud800", text: "b" }, /control characters/],
    [{ person: "a", text: "" }, /text/],
    [{ person: "a", text: "x".repeat(limits.textMax + 1) }, /text/],
    [{ person: "a", text: "b", clientId: "a:b" }, /clientId/],
    [{ person: "a", text: "b", admin: true }, /admin/],
    [{ person: "a", parts: [] }, /parts/],
    [{ person: "a", parts: [{ kind: "choices", choices: [] }] }, /parts\.0/],
    [{ person: "a", parts: [{ kind: "location", latitude: 91, longitude: 0 }] }, /parts\.0\.latitude/],
    [{ person: "a", parts: [{ kind: "file", hash: "../../etc/passwd", mimeType: "text/plain" }] }, /hash/],
    [{ person: "a", parts: [{ kind: "file", hash, mimeType: "text/plain" }] }, /upload it first/],
  ];
  for (const [body, detail] of wrong) {
    const refused = await call("POST", url, body);
    assert.equal(refused.status, 400, JSON.stringify(body).slice(0, 80));
    assert.equal(refused.body.code, "invalid_input");
    assert.match(refused.body.detail, detail);
  }
  for (const wait of ["61", "-1", "soon", "1&wait=2"]) {
    assert.equal((await call("POST", `${url}?wait=${wait}`, { person: "a", text: "b" })).status, 400, wait);
  }
  assert.equal((await storage.status()).messages, 0);
});

test("a person may send every kind of part that persons have", async () => {
  const { call, app, key } = await createApiWorld();
  const upload = await app.inject({
    method: "PUT",
    url: "/api/v1/files?name=a.txt",
    headers: { authorization: `Bearer ${key}`, "content-type": "text/plain" },
    payload: "hello",
  });
  const { hash, mimeType, bytes, name } = upload.json();
  const { body } = await call("POST", url, {
    person: "anna",
    parts: [
      { kind: "text", text: "hello" },
      { kind: "choice", value: "yes" },
      { kind: "location", latitude: 1, longitude: 2 },
      { kind: "contact", name: "Ben" },
      { kind: "file", hash, mimeType, bytes, name },
    ],
  });
  const { parts } = (await call("GET", `/api/v1/messages/${body.message}`)).body;
  assert.deepEqual(parts.slice(1), [
    { kind: "choice", value: "yes", label: null, messageRef: null, pending: false },
    { kind: "location", latitude: 1, longitude: 2, name: null },
    { kind: "contact", name: "Ben", phone: null },
    {
      kind: "file",
      media: "document",
      mimeType: "text/plain",
      name: "a.txt",
      bytes: 5,
      caption: null,
      hash,
      ref: null,
      missing: null,
    },
  ]);
});

test("what could not be stored is not accepted", async () => {
  const { call, fail } = await createApiWorld();
  fail(new StorageError("the disk is full at /secret/place"));
  const { status, body, headers } = await call("POST", url, { person: "anna", text: "hello" });
  assert.equal(status, 503);
  assert.equal(headers["retry-after"], "1");
  assert.deepEqual([body.code, body.detail], ["unavailable", "Nothing was stored. Send it again in a moment."]);
});

test("a file that cannot be read now is no mistake of the caller", async () => {
  const files = {
    save: () => Promise.reject(new Error("not here")),
    async *read() {
      yield await Promise.reject(new StorageError("the disk is gone"));
    },
  };
  const { call } = await createApiWorld({ parts: { files } });
  const part = { kind: "file", hash: "0".repeat(64), mimeType: "text/plain" };
  assert.equal((await call("POST", url, { person: "anna", parts: [part] })).status, 503);
});
