import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { after, test } from "node:test";
import { Pool } from "undici";
import { exchange } from "./http-exchange.ts";

async function pool(listener: RequestListener): Promise<Pool> {
  const server = createServer(listener);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const one = new Pool(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, { connections: 1 });
  after(async () => {
    await one.destroy();
    server.closeAllConnections();
    server.close();
  });
  return one;
}

function post(dispatcher: Pool, path = "/x", signal?: AbortSignal) {
  return exchange(dispatcher, { path, contentType: "text/plain", body: "hi", timeoutMs: 10_000, signal });
}

test("an answer comes back with its status and when to try again", async () => {
  const one = await pool((_, response) => response.writeHead(429, { "retry-after": "7" }).end("näh"));
  assert.deepEqual(await post(one), { kind: "answered", status: 429, retryAfter: "7", body: "näh" });
});

test("what waits for a connection and is aborted was not sent; what is on its way was broken off", async () => {
  const seen: string[] = [];
  const { promise: arrived, resolve: onArrived } = Promise.withResolvers<void>();
  const one = await pool((request, response) => {
    seen.push(request.url ?? "");
    onArrived();
    if (request.url === "/third") response.end();
  });
  const [first, second] = [new AbortController(), new AbortController()];
  const running = post(one, "/first", first.signal);
  await arrived;
  const waiting = post(one, "/second", second.signal);
  second.abort();
  assert.equal((await waiting).kind, "notSent");
  first.abort();
  assert.equal((await running).kind, "broken");
  assert.equal((await post(one, "/third")).kind, "answered");
  assert.deepEqual(seen, ["/first", "/third"]);
});

test("an answer without end is broken off", async () => {
  const one = await pool((_, response) => {
    const block = Buffer.alloc(1_000_000);
    const write = () => {
      while (!response.destroyed && response.write(block));
    };
    response.on("drain", write);
    write();
  });
  const outcome = await post(one);
  assert.equal(outcome.kind, "broken");
  assert.match(outcome.kind === "broken" ? outcome.cause.message : "", /more than 8388608 bytes/);
});

test("where nobody listens nothing was sent", async () => {
  const one = new Pool("http://127.0.0.1:9");
  after(() => one.destroy());
  assert.equal((await post(one)).kind, "notSent");
});
