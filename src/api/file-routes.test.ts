import assert from "node:assert/strict";
import { test } from "node:test";
import { createApiWorld } from "../../test/api/api-world.ts";
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

test("a file over the limit is refused to the one who sends it", async (t) => {
  const { app, key } = await createApiWorld();
  const base = await app.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => app.close());
  const answer = await fetch(`${base}/api/v1/files`, {
    method: "PUT",
    headers: { authorization: `Bearer ${key}` },
    body: new Uint8Array(limits.fileBytesMax + 1),
  });
  assert.equal(answer.status, 413);
  assert.match(await answer.text(), /"code":"too_large"/);
});

test("only a hash names a file", async () => {
  const { call } = await createApiWorld();
  assert.equal((await call("GET", `/api/v1/files/${"0".repeat(64)}`)).status, 404);
  for (const name of ["..%2f..%2fetc%2fpasswd", "abc", "0".repeat(63)]) {
    assert.equal((await call("GET", `/api/v1/files/${name}`)).status, 400, name);
  }
});
