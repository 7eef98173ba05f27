import assert from "node:assert/strict";
import { test } from "node:test";
import { createApiWorld } from "../../test/api/api-world.ts";

test("conversations are paged, newest first, and can be asked for by bot", async () => {
  const { call, host } = await createApiWorld();
  const ids: string[] = [];
  for (const [bot, person] of [
    ["demo", "anna"],
    ["other", "anna"],
    ["demo", "ben"],
  ]) {
    host.advance(1);
    ids.unshift((await call("POST", `/api/v1/bots/${bot}/messages`, { person, text: "hello" })).body.conversation);
  }
  const first = await call("GET", "/api/v1/conversations?limit=2");
  const second = await call("GET", `/api/v1/conversations?limit=2&cursor=${first.body.next}`);
  const items = [...first.body.items, ...second.body.items];
  assert.deepEqual(
    items.map(({ id }: { id: string }) => id),
    ids,
  );
  assert.equal(second.body.next, null);
  assert.deepEqual(Object.keys(items[0]), ["id", "bot", "channel", "isGroup", "person", "createdAt"]);
  assert.equal(items[0].createdAt, "2026-01-01T00:00:00.003Z");
  const demos = await call("GET", "/api/v1/conversations?bot=demo");
  assert.deepEqual(
    demos.body.items.map(({ bot }: { bot: string }) => bot),
    ["demo", "demo"],
  );
});

test("messages of a conversation are paged, oldest first", async () => {
  const { call, rest } = await createApiWorld();
  const { body } = await call("POST", "/api/v1/bots/demo/messages", { person: "anna", text: "one" });
  await rest();
  await call("POST", "/api/v1/bots/demo/messages", { person: "anna", text: "two" });
  const path = `/api/v1/conversations/${body.conversation}/messages`;
  const seen: string[] = [];
  let next: string | null = "";
  while (next !== null) {
    const page = await call("GET", `${path}?limit=1${next === "" ? "" : `&cursor=${next}`}`);
    seen.push(...page.body.items.map((item: { parts: { text: string }[] }) => item.parts[0]?.text));
    next = page.body.next;
  }
  assert.deepEqual(seen, ["one", "you said: one", "two"]);
  assert.equal((await call("GET", "/api/v1/conversations/nowhere/messages")).status, 404);
});
