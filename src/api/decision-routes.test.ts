import assert from "node:assert/strict";
import { test } from "node:test";
import { type ApiWorld, createApiWorld } from "../../test/api/api-world.ts";
import { engineOf } from "../../test/journey/world.ts";
import { limits } from "../core/limits.ts";
import type { Reviewer } from "../core/reviewer.ts";

const strict: Reviewer = {
  name: "strict",
  review: ({ kind }) => (kind === "inbound" ? { kind: "hold", reason: "looks odd" } : { kind: "pass" }),
};

async function held(): Promise<ApiWorld & { readonly id: string }> {
  const world = await createApiWorld({ reviewers: [strict] });
  const { body } = await world.call("POST", "/api/v1/bots/demo/messages", { person: "anna", text: "hello" });
  await world.rest();
  return { ...world, id: body.message };
}

test("a held message is listed with its reason, and goes on once it is released", async () => {
  const { call, rest, id } = await held();
  const list = await call("GET", "/api/v1/held");
  assert.deepEqual(
    list.body.items.map((item: { id: string; reason: string }) => [item.id, item.reason]),
    [[id, "strict: looks odd"]],
  );
  assert.deepEqual((await call("POST", `/api/v1/held/${id}/release`)).body, { message: id, state: "received" });
  await rest();
  assert.equal((await call("GET", `/api/v1/messages/${id}`)).body.state, "answered");
  const why = await call("GET", `/api/v1/messages/${id}/why`);
  assert.ok(
    why.body.path.some(({ what }: { what: string }) => what.includes("operator:tests")),
    "by the key's name",
  );
  assert.equal((await call("POST", `/api/v1/held/${id}/release`)).body.code, "conflict");
});

test("a held message that is rejected ends with the reason", async () => {
  const { call, id } = await held();
  assert.equal((await call("POST", `/api/v1/held/${id}/reject`)).status, 400);
  assert.equal((await call("POST", `/api/v1/held/${id}/reject`, { reason: "" })).status, 400);
  const rejected = await call("POST", `/api/v1/held/${id}/reject`, { reason: "spam" });
  assert.deepEqual(rejected.body, { message: id, state: "rejected" });
  assert.equal((await call("GET", `/api/v1/messages/${id}`)).body.reason, "operator:tests: spam");
  assert.equal((await call("POST", "/api/v1/held/nobody/release")).body.code, "not_found");
});

test("a dead message is listed apart from unknown ones, and is tried again once it is resubmitted", async () => {
  let isBroken = true;
  const engine = engineOf("agent:broken", () => {
    if (isBroken) throw new Error("out of order");
    return { drafts: [] };
  });
  const { call, rest, host } = await createApiWorld({ engine });
  const { body } = await call("POST", "/api/v1/bots/demo/messages", { person: "anna", text: "hello" });
  for (let attempt = 0; attempt < limits.turnAttemptsMax; attempt += 1) {
    await rest();
    host.advance(limits.retryLongestMs);
  }
  const ids = async (query: string) =>
    (await call("GET", `/api/v1/dead${query}`)).body.items.map(({ id }: { id: string }) => id);
  assert.deepEqual(await ids(""), [body.message]);
  assert.deepEqual(await ids("?state=dead"), [body.message]);
  assert.deepEqual(await ids("?state=unknown"), []);
  assert.equal((await call("GET", "/api/v1/dead?state=held")).status, 400);
  isBroken = false;
  const resubmitted = await call("POST", `/api/v1/dead/${body.message}/resubmit`);
  assert.deepEqual(resubmitted.body, { message: body.message, state: "received" });
  await rest();
  assert.equal((await call("GET", `/api/v1/messages/${body.message}`)).body.state, "ignored");
});

test("an empty body that is said to be JSON is no body", async () => {
  const { app, key, id } = await held();
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const answer = await app.inject({ method: "POST", url: `/api/v1/held/${id}/release`, headers });
  assert.equal(answer.statusCode, 200);
});
