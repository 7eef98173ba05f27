import assert from "node:assert/strict";
import { connect } from "node:net";
import { type TestContext, test } from "node:test";
import { type ApiWorld, createApiWorld } from "../../test/api/api-world.ts";
import { InputError, StorageError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";

async function listening(t: TestContext): Promise<ApiWorld & { readonly base: string }> {
  const world = await createApiWorld();
  const base = await world.app.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => world.app.close());
  return { ...world, base };
}

test("a webhook reaches its channel byte for byte, and is answered after it was stored", async (t) => {
  const { base, hook, storage } = await listening(t);
  const answer = await fetch(`${base}/webhooks/demo-hook?x=1`, {
    method: "POST",
    headers: { "X-Signature": "s" },
    body: "héllo",
  });
  assert.equal(answer.status, 200);
  assert.equal(await answer.text(), "");
  assert.equal(hook.requests[0]?.headers["x-signature"], "s");
  assert.equal(Buffer.from(hook.requests[0]?.body ?? []).toString(), "héllo");
  assert.equal((await storage.status()).messages, 1);
});

test("what the channel answers is what the platform gets", async (t) => {
  const { base, storage } = await listening(t);
  const answer = await fetch(`${base}/webhooks/demo-hook`, { method: "POST", body: "bad" });
  assert.equal(answer.status, 401);
  assert.equal(await answer.text(), "the signature is wrong");
  assert.equal((await storage.status()).messages, 0);
});

test("an update that was not stored is never acknowledged", async (t) => {
  const { base, fail, lines } = await listening(t);
  for (const error of [
    new StorageError("the disk is full"),
    new Error("a bug"),
    new InputError("invalid_input", "x"),
  ]) {
    fail(error);
    const answer = await fetch(`${base}/webhooks/demo-hook`, { method: "POST", body: "hello" });
    assert.equal(answer.status, 503);
    assert.equal(await answer.text(), "not stored, send again");
  }
  assert.equal(lines.filter(({ level }) => level === "error").length, 3);
});

test("only a channel that has webhooks is found, and only by POST", async (t) => {
  const { base } = await listening(t);
  for (const id of ["demo-web", "nobody", "", "demo-hook/x", "constructor"]) {
    const answer = await fetch(`${base}/webhooks/${id}`, { method: "POST", body: "hello" });
    assert.equal(answer.status, 404, id);
  }
  for (const method of ["GET", "PUT", "DELETE", "OPTIONS"]) {
    const answer = await fetch(`${base}/webhooks/demo-hook`, { method });
    assert.deepEqual([answer.status, answer.headers.get("allow")], [405, "POST"], method);
  }
});

test("a body over the limit is refused and reaches nobody; one at the limit is taken", async (t) => {
  const { base, hook } = await listening(t);
  const atLimit = new Uint8Array(limits.bodyBytesMax).fill(97);
  const post = (body: Uint8Array<ArrayBuffer>) => fetch(`${base}/webhooks/demo-hook`, { method: "POST", body });
  assert.equal((await post(new Uint8Array(limits.bodyBytesMax + 1))).status, 413);
  assert.equal((await post(new Uint8Array(limits.bodyBytesMax * 4))).status, 413);
  assert.equal(hook.requests.length, 0);
  assert.equal((await post(atLimit)).status, 503, "the text is too long for a key, so it was not stored");
  assert.equal(hook.requests[0]?.body.byteLength, limits.bodyBytesMax);
});

test("a sender that never ends is cut off", async (t) => {
  const { app, hook } = await listening(t);
  const address = app.server.address();
  assert.ok(typeof address === "object" && address !== null);
  const socket = connect(address.port, "127.0.0.1");
  socket.on("error", () => undefined);
  socket.resume();
  socket.write("POST /webhooks/demo-hook HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n");
  const megabyte = "a".repeat(2 ** 20);
  const send = (): void => {
    if (!socket.destroyed) socket.write(`${megabyte.length.toString(16)}\r\n${megabyte}\r\n`, send);
  };
  send();
  await new Promise((resolve) => socket.once("close", resolve));
  assert.equal(hook.requests.length, 0);
});

test("a sender that hangs up half-way leaves nothing and breaks nothing", async (t) => {
  const { app, base, hook, lines } = await listening(t);
  const address = app.server.address();
  assert.ok(typeof address === "object" && address !== null);
  const ended = new Promise<void>((resolve) => {
    app.server.once("connection", (socket) => socket.once("close", () => resolve()));
  });
  const socket = connect(address.port, "127.0.0.1");
  socket.write("POST /webhooks/demo-hook HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\nhalf");
  app.server.once("request", () => socket.destroy());
  await ended;
  assert.equal((await fetch(`${base}/webhooks/demo-hook`, { method: "POST", body: "hello" })).status, 200);
  assert.equal(hook.requests.length, 1);
  assert.deepEqual(
    lines.filter(({ level }) => level === "error"),
    [],
  );
});

test("a client that is slow on purpose is cut off by the server's own clocks", async (t) => {
  const { server } = (await listening(t)).app;
  assert.ok(server.headersTimeout > 0 && server.headersTimeout <= 15_000);
  assert.ok(server.requestTimeout > 0 && server.requestTimeout <= 300_000);
  assert.ok(server.maxConnections > 0);
});
