import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { createApiWorld, until } from "../../test/api/api-world.ts";
import { limits } from "../core/limits.ts";

const png = Buffer.concat([
  Buffer.from("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489", "hex"),
  Buffer.alloc(5_000),
]);

test("a file comes back byte for byte, to be saved and never shown", async () => {
  const { app, key } = await createApiWorld();
  const headers = { authorization: `Bearer ${key}`, "content-type": "text/html" };
  const put = await app.inject({ method: "PUT", url: "/api/v1/files?name=a.html", headers, payload: "<b>hello</b>" });
  assert.equal(put.statusCode, 200);
  const { hash, ...rest } = put.json();
  assert.deepEqual(rest, { bytes: 12, mimeType: "text/html", name: "a.html" });
  const got = await app.inject({ url: `/api/v1/files/${hash}`, headers });
  assert.equal(got.body, "<b>hello</b>");
  assert.equal(got.headers["content-type"], "application/octet-stream");
  assert.match(String(got.headers["content-disposition"]), /^attachment/);
  assert.equal(got.headers["x-content-type-options"], "nosniff");
});

test("a file's type is what its content shows, then what it was said to be", async () => {
  const { app, key } = await createApiWorld();
  const typeOf = async (payload: Buffer, type?: string) => {
    const headers = { authorization: `Bearer ${key}`, ...(type === undefined ? {} : { "content-type": type }) };
    return (await app.inject({ method: "PUT", url: "/api/v1/files", headers, payload })).json().mimeType;
  };
  const text = Buffer.from("hello");
  assert.equal(await typeOf(png, "text/plain"), "image/png");
  assert.equal(await typeOf(text, "Text/CSV; charset=utf-8"), "text/csv");
  assert.equal(await typeOf(text, "application/json"), "application/json");
  assert.equal(await typeOf(text, "a/!b"), "application/octet-stream");
  assert.equal(await typeOf(text), "application/octet-stream");
  assert.equal(await typeOf(Buffer.alloc(0), "text/plain"), "text/plain");
});

test("a file over the limit is refused to the one who sends it, who may send it to its end", async (t) => {
  const { app, key } = await createApiWorld();
  await app.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => app.close());
  const address = app.server.address();
  assert.ok(typeof address === "object" && address !== null);
  const socket = connect(address.port, "127.0.0.1");
  const send = promisify<string | Uint8Array, void>(socket.write.bind(socket));
  const tail = new Uint8Array(20 * 1024 * 1024);
  const length = limits.fileBytesMax + 1 + tail.length;
  await send(
    `PUT /api/v1/files HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${key}\r\ncontent-length: ${length}\r\n\r\n`,
  );
  const answered = once(socket, "data");
  await send(new Uint8Array(limits.fileBytesMax + 1));
  assert.match(String((await answered)[0]), /^HTTP\/1\.1 413 .*"code":"too_large"/s);
  await send(tail);
  socket.destroy();
});

test("only a hash names a file", async () => {
  const { call } = await createApiWorld();
  assert.equal((await call("GET", `/api/v1/files/${"0".repeat(64)}`)).status, 404);
  for (const name of ["..%2f..%2fetc%2fpasswd", "abc", "0".repeat(63)]) {
    assert.equal((await call("GET", `/api/v1/files/${name}`)).status, 400, name);
  }
});

test("a download that is broken off lets the file go", async (t) => {
  let isOpen = false;
  const files = {
    save: () => Promise.reject(new Error("not here")),
    async *read() {
      isOpen = true;
      try {
        for (;;) yield await setImmediate(Buffer.alloc(65_536));
      } finally {
        isOpen = false;
      }
    },
  };
  const { app, key } = await createApiWorld({ parts: { files } });
  const base = await app.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => app.close());
  const answer = await fetch(`${base}/api/v1/files/${"0".repeat(64)}`, { headers: { authorization: `Bearer ${key}` } });
  assert.equal(answer.status, 200);
  assert.ok(isOpen);
  await answer.body?.cancel();
  await until(() => !isOpen);
});
