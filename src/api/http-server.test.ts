import assert from "node:assert/strict";
import { test } from "node:test";
import { createApiWorld } from "../../test/api/api-world.ts";
import { StorageError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { newApiKey } from "./api-keys.ts";
import { apiLimits } from "./api-limits.ts";

const url = "/api/v1/bots";

test("without a key that works, no call of the API gets further", async () => {
  const { app, key, storage, host } = await createApiWorld();
  const revoked = newApiKey("old", host);
  await storage.apply([{ kind: "apiKey", apiKey: { ...revoked.apiKey, revokedAt: 1 } }]);
  const refused = [
    undefined,
    "",
    "Bearer",
    "Bearer ",
    `Basic ${key}`,
    key,
    `Bearer ${key}x`,
    `Bearer ${key} x`,
    `Bearer ${revoked.key}`,
    `Bearer ${host.hash(key)}`,
    `Bearer ${"a".repeat(10_000)}`,
  ];
  const routes = ["/api/v1/bots", "/api/v1/status", "/api/v1/held", "/api/v1/live", "/api/v1/conversations"];
  for (const authorization of refused) {
    for (const path of routes) {
      const answer = await app.inject({ url: path, headers: authorization === undefined ? {} : { authorization } });
      assert.equal(answer.statusCode, 401, `${path} ${authorization?.slice(0, 30)}`);
      assert.equal(answer.headers["www-authenticate"], 'Bearer realm="parley"');
      assert.equal(answer.json().code, "unauthorized");
      assert.ok(!answer.body.includes(key));
    }
  }
  assert.equal((await app.inject({ url, headers: { authorization: `bearer ${key}` } })).statusCode, 200);
});

test("a key in the address is no key: addresses are logged", async () => {
  const { app, key } = await createApiWorld();
  assert.equal((await app.inject(`${url}?key=${key}`)).statusCode, 401);
  assert.equal((await app.inject({ url, headers: { "sec-websocket-protocol": `bearer.${key}` } })).statusCode, 401);
});

test("a body is not read before the caller is known", async () => {
  const { app } = await createApiWorld();
  const headers = { "content-type": "application/json" };
  const answer = await app.inject({ method: "POST", url: `${url}/demo/messages`, headers, payload: "{not json" });
  assert.equal(answer.statusCode, 401);
});

test("a revoked key stops working within the time its memory lasts, and a new one works at once", async () => {
  const { app, storage, host } = await createApiWorld();
  const { key, apiKey } = newApiKey("new", host);
  const status = async () => (await app.inject({ url, headers: { authorization: `Bearer ${key}` } })).statusCode;
  assert.equal(await status(), 401);
  await storage.apply([{ kind: "apiKey", apiKey }]);
  assert.equal(await status(), 200);
  await storage.apply([{ kind: "apiKey", apiKey: { ...apiKey, revokedAt: host.clock.now() } }]);
  host.advance(apiLimits.keyCacheMs);
  assert.equal(await status(), 401);
});

test("a key is long, random, and kept only as its hash", async () => {
  const { host } = await createApiWorld();
  const { key, apiKey } = newApiKey("backup", host);
  assert.match(key, /^parley_[\w-]{43}$/);
  assert.equal(apiKey.keyHash, host.hash(key));
  assert.ok(!JSON.stringify(apiKey).includes(key));
  assert.notEqual(newApiKey("backup", host).key, key);
});

test("probes are open; readiness says what is wrong", async () => {
  const checks = [{ name: "storage", ok: false, detail: "the disk is full" }];
  const { app } = await createApiWorld({ parts: { readiness: async () => checks } });
  const alive = await app.inject("/healthz");
  assert.deepEqual([alive.statusCode, alive.json()], [200, { ok: true }]);
  const ready = await app.inject("/readyz");
  assert.deepEqual([ready.statusCode, ready.json()], [503, { ready: false, checks }]);
  const { call } = await createApiWorld();
  assert.equal((await call("GET", "/readyz")).status, 200);
});

test("metrics are open to the machine itself, and to others with a key", async () => {
  const { app, key, call } = await createApiWorld();
  await call("POST", "/api/v1/bots/demo/messages", { person: "anna", text: "hello" });
  const local = await app.inject("/metrics");
  assert.equal(local.statusCode, 200);
  assert.match(String(local.headers["content-type"]), /^text\/plain; version=0\.0\.4/);
  assert.match(local.body, /parley_messages_received_total\{platform="web",duplicate="false"\} 1/);
  assert.match(local.body, /parley_queue_jobs\{queue="inbox"\} 1/);
  const away = { url: "/metrics", remoteAddress: "10.0.0.1" };
  assert.equal((await app.inject({ url: "/metrics", remoteAddress: "::ffff:127.0.0.1" })).statusCode, 200);
  assert.equal((await app.inject(away)).statusCode, 401);
  assert.equal((await app.inject({ ...away, headers: { authorization: `Bearer ${key}` } })).statusCode, 200);
  const passedOn = { url: "/metrics", headers: { "x-forwarded-for": "10.0.0.1" } };
  assert.equal((await app.inject(passedOn)).statusCode, 401, "a proxy on this machine passes on for others");
});

test("metrics outlive the storage's troubles", async () => {
  const { app, storage } = await createApiWorld();
  storage.status = () => Promise.reject(new StorageError("the disk is full"));
  const { statusCode, body } = await app.inject("/metrics");
  assert.equal(statusCode, 200);
  assert.doesNotMatch(body, /parley_queue_jobs\{/);
});

test("every refusal is a problem document with a stable code", async () => {
  const { app, key } = await createApiWorld();
  const authorization = `Bearer ${key}`;
  const json = { authorization, "content-type": "application/json" };
  const messages = `${url}/demo/messages`;
  const deep = `{"person":"a","parts":${"[".repeat(200_000)}${"]".repeat(200_000)}}`;
  const cases = [
    [{ url: "/nowhere" }, 404, "not_found"],
    [{ url: "/api/v1/nowhere", headers: json }, 404, "not_found"],
    [{ url: "/api/v1/%zz" }, 400, "invalid_input"],
    [{ method: "DELETE", url, headers: json }, 405, "method_not_allowed"],
    [{ method: "POST", url: messages, headers: json, payload: "{" }, 400, "invalid_input"],
    [{ method: "POST", url: messages, headers: json, payload: "" }, 400, "invalid_input"],
    [{ method: "POST", url: messages, headers: { authorization } }, 400, "invalid_input"],
    [{ method: "POST", url: messages, headers: json, payload: '"text"' }, 400, "invalid_input"],
    [{ method: "POST", url: messages, headers: json, payload: '{"__proto__":{"x":1}}' }, 400, "invalid_input"],
    [
      { method: "POST", url: messages, headers: json, payload: '{"constructor":{"prototype":1}}' },
      400,
      "invalid_input",
    ],
    [{ method: "POST", url: messages, headers: json, payload: deep }, 400, "invalid_input"],
    [{ method: "POST", url: messages, headers: json, payload: " ".repeat(limits.bodyBytesMax + 1) }, 413, "too_large"],
    [
      { method: "POST", url: messages, headers: { authorization, "content-type": "text/plain" }, payload: "x" },
      415,
      "unsupported_media_type",
    ],
    [
      { method: "POST", url: messages, headers: { authorization, "content-type": "?" }, payload: "x" },
      415,
      "unsupported_media_type",
    ],
    [{ url: "/api/v1/live", headers: json }, 426, "upgrade_required"],
    [{ url: "/api/v1/conversations?limit=0", headers: json }, 400, "invalid_input"],
    [{ url: "/api/v1/conversations?limit=201", headers: json }, 400, "invalid_input"],
    [{ url: "/api/v1/conversations?cursor=forged", headers: json }, 400, "invalid_cursor"],
    [{ url: "/api/v1/conversations?other=1", headers: json }, 400, "invalid_input"],
  ] as const;
  for (const [request, status, code] of cases) {
    const answer = await app.inject(request);
    const what = JSON.stringify(request).slice(0, 120);
    assert.equal(answer.statusCode, status, what);
    assert.match(String(answer.headers["content-type"]), /^application\/problem\+json/, what);
    const problem = answer.json();
    assert.deepEqual(Object.keys(problem), ["type", "title", "status", "detail", "code"], what);
    assert.deepEqual([problem.type, problem.status, problem.code], ["about:blank", status, code], what);
  }
});

test("what is our own fault is told without details, and logged with them", async () => {
  const { app, storage, key, lines } = await createApiWorld();
  storage.conversations = () => Promise.reject(new Error("secret place"));
  const answer = await app.inject({ url: "/api/v1/conversations", headers: { authorization: `Bearer ${key}` } });
  assert.equal(answer.statusCode, 500);
  assert.equal(answer.json().code, "internal");
  assert.ok(!answer.body.includes("secret"));
  assert.deepEqual(
    lines.map(({ level, data }) => [level, Reflect.get(data, "request")]),
    [["error", answer.headers["x-request-id"]]],
  );
});

test("a call that goes well writes no log line", async () => {
  const { call, lines } = await createApiWorld();
  await call("GET", url);
  assert.deepEqual(lines, []);
});

test("HEAD is answered like GET without a body, OPTIONS with what an address takes", async () => {
  const { app, key } = await createApiWorld();
  const head = await app.inject({ method: "HEAD", url, headers: { authorization: `Bearer ${key}` } });
  assert.deepEqual([head.statusCode, head.body], [200, ""]);
  const options = await app.inject({ method: "OPTIONS", url: `${url}/demo/messages` });
  assert.deepEqual([options.statusCode, options.headers.allow], [204, "POST"]);
  assert.equal(options.headers["access-control-allow-origin"], undefined);
});

test("browsers are told to be careful, unless a route knows better", async () => {
  const registerExtra = async (app: Parameters<NonNullable<typeof own>>[0]) => {
    app.get("/own", async (_request, reply) => reply.header("content-security-policy", "default-src 'self'").send("x"));
  };
  const own: import("./http-parts.ts").HttpParts["registerExtra"] = registerExtra;
  const { app } = await createApiWorld({ parts: { registerExtra: own } });
  const { headers } = await app.inject("/healthz");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.match(String(headers["content-security-policy"]), /default-src 'none'/);
  assert.equal((await app.inject("/own")).headers["content-security-policy"], "default-src 'self'");
  assert.equal((await app.inject("/api/openapi.json")).headers["cache-control"], "no-store");
});

test("the pages name the bots as text, whatever their names are", async () => {
  const bots = [{ id: "demo", name: "<script>alert(1)</script>" }];
  const { app } = await createApiWorld({
    parts: {
      directory: {
        bots: () => bots as never,
        channels: () => [{ botId: "demo", platform: "web" }] as never,
        findBot: () => undefined,
        findChannel: () => undefined,
      },
    },
  });
  const home = await app.inject("/");
  assert.match(home.body, /href="\/chat\/demo"/);
  assert.ok(!home.body.includes("<script"));
  const docs = await app.inject("/api/docs");
  assert.match(docs.body, /POST \/api\/v1\/bots\/\{bot\}\/messages/);
});

test("the status says what waits, and the bots have their channels", async () => {
  const { call } = await createApiWorld();
  await call("POST", "/api/v1/bots/demo/messages", { person: "anna", text: "hello" });
  const { body } = await call("GET", "/api/v1/status");
  assert.deepEqual([body.messages, body.queues.inbox.jobs, body.ready], [1, 1, true]);
  const bots = await call("GET", url);
  assert.deepEqual(bots.body.items[0], {
    id: "demo",
    name: "The demo bot",
    channels: [
      { id: "demo-web", platform: "web" },
      { id: "demo-hook", platform: "hook" },
    ],
  });
});
