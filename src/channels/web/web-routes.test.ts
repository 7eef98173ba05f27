import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { openChat, openLive, type Visitor, visit, type WebMessageText } from "../../../test/web/chat-scene.ts";
import type { MessageState } from "../../core/message.ts";

const texts = (items: readonly WebMessageText[]) => items.flatMap(({ parts }) => parts.map((part) => part.text));

async function problem(response: Response): Promise<{ status: number; code: string }> {
  assert.equal(response.headers.get("content-type"), "application/problem+json; charset=utf-8");
  const body = (await response.json()) as Record<string, unknown>;
  assert.deepEqual(Object.keys(body).sort(), ["code", "detail", "status", "title", "type"]);
  assert.equal(body.status, response.status);
  return { status: response.status, code: String(body.code) };
}

describe("messages of the web channel", () => {
  test("are accepted once for each clientId, and stand in the person's history", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const first = await ann.post({ clientId: "a-1", text: "hello" });
    assert.deepEqual(await ann.post({ clientId: "a-1", text: "hello" }), first);
    await ann.post({ clientId: "a-2", parts: [{ kind: "location", latitude: 1, longitude: 2 }] });

    const { items, next } = await ann.list();
    assert.equal(next, null);
    assert.deepEqual(items[0], {
      id: first.message,
      from: "person",
      parts: [{ kind: "text", text: "hello" }],
      state: "received",
      at: "2026-01-01T00:00:00.000Z",
      clientId: "a-1",
    });
    assert.deepEqual(items[1]!.parts, [{ kind: "location", latitude: 1, longitude: 2, name: null }]);
    const kept = await scene.storage.findConversation(first.conversation);
    assert.equal(kept?.channelId, "demo-web");
  });

  test("are shown in every state when they are one's own, and only delivered when they are the bot's", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const { conversation, message } = await ann.post({ clientId: "1", text: "mine" });
    for (const state of ["queued", "held", "dead", "unknown", "delivered"] satisfies MessageState[]) {
      await scene.say(conversation, state, state);
    }
    const rejected = await scene.say(conversation, "rejected", "held");
    await scene.move(rejected, "rejected");
    assert.deepEqual(texts((await ann.list()).items), ["mine", "delivered"]);
    await scene.move(message, "rejected");
    assert.deepEqual(texts((await ann.list()).items), ["mine", "delivered"]);
  });

  test("are paged from the newest back, each once, however long the history is", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const { conversation } = await ann.post({ clientId: "1", text: "0" });
    for (let n = 1; n < 450; n++) await scene.say(conversation, String(n), n % 9 === 0 ? "held" : "delivered");

    const seen: (string | undefined)[] = [];
    let next: string | null = null;
    do {
      const page: Awaited<ReturnType<Visitor["list"]>> = await ann.list(
        next === null ? "" : `?cursor=${next}&limit=100`,
      );
      seen.unshift(...texts(page.items));
      next = page.next;
    } while (next !== null);
    assert.deepEqual(
      seen,
      Array.from({ length: 450 }, (_, n) => String(n)).filter((text) => text === "0" || Number(text) % 9 !== 0),
    );
  });

  test("are refused with a reason when they are not well formed", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const refusal = async (body: unknown) => {
      const headers = { "content-type": "application/json" };
      return problem(await ann.ask("messages", { method: "POST", headers, body: JSON.stringify(body) }));
    };
    const invalid = { status: 400, code: "invalid_input" };
    assert.deepEqual(await refusal({ clientId: "1" }), invalid);
    assert.deepEqual(await refusal({ clientId: "1", text: " \n" }), invalid);
    assert.deepEqual(await refusal({ clientId: "a:b", text: "x" }), invalid);
    assert.deepEqual(await refusal({ clientId: "1", text: "x", parts: [{ kind: "text", text: "x" }] }), invalid);
    assert.deepEqual(await refusal({ clientId: "1", parts: [{ kind: "choices", choices: [] }] }), invalid);
    assert.deepEqual(await refusal({ clientId: "1", parts: [] }), invalid);
    assert.deepEqual(await refusal({ clientId: "1", text: "x".repeat(65_537) }), invalid);
    assert.deepEqual(await refusal({ clientId: "1", text: "x".repeat(2_000_000) }), { status: 413, code: "too_large" });
    assert.deepEqual(
      await problem(
        await ann.ask("messages", { method: "POST", headers: { "content-type": "text/csv" }, body: "a,b" }),
      ),
      {
        status: 415,
        code: "unsupported_media_type",
      },
    );
    assert.deepEqual(await problem(await ann.ask("messages?limit=101")), invalid);
    assert.deepEqual((await problem(await ann.ask("messages?cursor=nonsense"))).code, "invalid_cursor");
    assert.deepEqual((await problem(await fetch(`${scene.url}/chat/nobody/messages`))).code, "not_found");
  });

  test("are refused, not lost, while they cannot be stored", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    await scene.stopListening();
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify({ clientId: "1", text: "x" });
    const response = await ann.ask("messages", { method: "POST", headers, body });
    assert.equal(response.headers.get("retry-after"), "1");
    assert.deepEqual(await problem(response), { status: 503, code: "unavailable" });
  });

  test("take only a choice that was offered, with the label it was offered by", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const [ann, bob] = [await visit(scene), await visit(scene)];
    const { conversation } = await ann.post({ clientId: "1", text: "x" });
    const offer = [{ kind: "choices" as const, choices: [{ label: "Yes, please", value: "yes" }] }];
    const messageRef = await scene.say(conversation, offer);
    const unseen = await scene.say(conversation, offer, "held");
    const choose = (value: string, ref: string) => ({
      clientId: `${value}-${ref}`,
      parts: [{ kind: "choice", value, messageRef: ref }],
    });

    await ann.post(choose("yes", messageRef));
    assert.deepEqual((await ann.list()).items.at(-1)!.parts, [
      { kind: "choice", value: "yes", label: "Yes, please", messageRef, pending: false },
    ]);
    await assert.rejects(ann.post(choose("no", messageRef)), /not offered/);
    await assert.rejects(ann.post(choose("yes", unseen)), /not offered/);
    await assert.rejects(bob.post(choose("yes", messageRef)), /not offered/);
  });
});

describe("a person of the web channel", () => {
  test("is who their cookie says, and somebody new with a forged one, never somebody else", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    await ann.post({ clientId: "1", text: "secret" });
    const [name, value = ""] = ann.cookie.split("=");
    const withCookie = async (cookie: string) => {
      const response = await fetch(`${scene.url}/chat/demo/messages`, { headers: { cookie: `${name}=${cookie}` } });
      const { items } = (await response.json()) as { items: WebMessageText[] };
      return { texts: texts(items), isNew: response.headers.getSetCookie().length > 0 };
    };
    assert.deepEqual(await withCookie(value), { texts: ["secret"], isNew: false });
    await fc.assert(
      fc.asyncProperty(forged(value), async (cookie) => {
        assert.deepEqual(await withCookie(cookie), { texts: [], isNew: true });
      }),
      { numRuns: 200 },
    );
  });

  test("gets a cookie that scripts cannot read and other sites cannot use", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const plain = (await fetch(`${scene.url}/chat/demo`)).headers.getSetCookie()[0]!;
    assert.match(plain, /^parley_person=[\w-]{22}\.[\w-]{43}; Max-Age=31536000; Path=\/; HttpOnly; SameSite=Lax$/);
    const secure = await fetch(`${scene.url}/chat/demo`, { headers: { "x-forwarded-proto": "https" } });
    assert.match(secure.headers.getSetCookie()[0]!, /; Secure/);
    assert.deepEqual((await fetch(`${scene.url}/chat/demo?embed=1`)).headers.getSetCookie(), []);
  });

  test("may be known by a token instead, and a token that is not ours is refused", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const response = await fetch(`${scene.url}/chat/demo/session`, { method: "POST" });
    const { token, person } = (await response.json()) as { token: string; person: string };
    const authorization = `Bearer ${token}`;
    const headers = { authorization, "content-type": "application/json" };
    const body = JSON.stringify({ clientId: "1", text: "by token" });
    const sent = await fetch(`${scene.url}/chat/demo/messages`, { method: "POST", headers, body });
    const { conversation } = (await sent.json()) as { conversation: never };
    assert.equal((await scene.storage.findConversation(conversation))?.ref, person);

    const live = await openLive(scene, "demo", { protocols: ["parley", token] });
    assert.equal(live.socket.protocol, "parley");
    await scene.say(conversation, "answer");
    assert.deepEqual(texts([(await live.next()).message!]), ["answer"]);

    const refused = await fetch(`${scene.url}/chat/demo/messages`, { headers: { authorization: `${authorization}x` } });
    assert.deepEqual(await problem(refused), { status: 401, code: "unauthorized" });
    await assert.rejects(openLive(scene, "demo", { protocols: ["parley", `${token}x`] }), /refused: 401/);
    await assert.rejects(openLive(scene, "demo", {}), /refused: 401/);
  });

  test("is a stranger to every other bot", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const { conversation } = await ann.post({ clientId: "1", text: "for demo" });
    const response = await fetch(`${scene.url}/chat/other/messages`, {
      method: "POST",
      headers: { cookie: ann.cookie, "content-type": "application/json" },
      body: JSON.stringify({ clientId: "1", text: "for other" }),
    });
    const other = (await response.json()) as { conversation: never };
    const [a, b] = await Promise.all(
      [conversation, other.conversation].map((id) => scene.storage.findConversation(id)),
    );
    assert.notEqual(a!.ref, b!.ref);
    assert.deepEqual(texts((await ann.list()).items), ["for demo"]);
  });

  test("never sees what is another's, whoever says what in whichever order", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const act = fc.record({
      who: fc.nat(2),
      isBot: fc.boolean(),
      text: fc.string({ minLength: 1 }).filter((text) => text.trim() !== ""),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(act, { maxLength: 12 }), async (acts) => {
        run += 1;
        const people = await Promise.all([visit(scene), visit(scene), visit(scene)]);
        const said = people.map(() => [] as string[]);
        const places = await Promise.all(
          people.map((person) => person.post({ clientId: "first", text: `run ${run}` })),
        );
        for (const [n, { who, isBot, text }] of acts.entries()) {
          const marked = `${run}/${who}: ${text}`;
          if (isBot) await scene.say(places[who]!.conversation, marked);
          else await people[who]!.post({ clientId: `c${n}`, text: marked });
          said[who]!.push(marked.toWellFormed().replaceAll("\u0000", "\uFFFD"));
        }
        for (const [who, person] of people.entries()) {
          assert.deepEqual(texts((await person.list()).items).slice(1), said[who]);
          const foreign = places[(who + 1) % 3]!.message;
          assert.equal((await person.ask(`messages?cursor=${foreign}`)).status, 400);
        }
      }),
      { numRuns: 15 },
    );
  });
});

describe("other sites", () => {
  const from = (origin: string) => ({ headers: { origin } });

  test("may neither speak nor listen unless they are allowed to", async (t) => {
    const options = { allowedOrigins: ["https://shop.example"] };
    const scene = await openChat(t, { host: new TestHost(), options });
    const ann = await visit(scene);
    for (const origin of ["https://evil.example", "null", "https://shop.example.evil.example", "nonsense"]) {
      assert.deepEqual(await problem(await ann.ask("messages", from(origin))), { status: 403, code: "forbidden" });
      assert.equal((await ann.ask("session", { method: "POST", ...from(origin) })).status, 403);
      await assert.rejects(openLive(scene, "demo", { headers: { cookie: ann.cookie, origin } }), /refused: 403/);
    }
    for (const origin of [scene.url, "https://shop.example"]) {
      assert.equal((await ann.ask("messages", from(origin))).status, 200);
      (await openLive(scene, "demo", { headers: { cookie: ann.cookie, origin } })).socket.close();
    }
    const preflight = await ann.ask("messages", { method: "OPTIONS", ...from("https://shop.example") });
    assert.equal(preflight.headers.get("access-control-allow-origin"), "https://shop.example");
    assert.equal(preflight.headers.get("access-control-allow-credentials"), null);
    assert.equal((await ann.ask("messages", from(scene.url))).headers.get("access-control-allow-origin"), null);
  });

  test("may show the page in a frame only when they are allowed to, and nothing foreign runs in it", async (t) => {
    const options = { title: `<b>"Demo" & 'Co'</b>`, allowedOrigins: ["https://shop.example"] };
    const scene = await openChat(t, { host: new TestHost(), options });
    const page = await fetch(`${scene.url}/chat/demo`);
    const policy = page.headers.get("content-security-policy")!;
    assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
    assert.match(policy, /frame-ancestors 'self' https:\/\/shop\.example$/);
    assert.doesNotMatch(policy, /unsafe/);
    assert.equal(page.headers.get("x-content-type-options"), "nosniff");
    const html = await page.text();
    assert.ok(html.includes("<h1>&#60;b&#62;&#34;Demo&#34; &#38; &#39;Co&#39;&#60;/b&#62;</h1>"));
    assert.doesNotMatch(html, /<script(?![^>]* src=)/);
  });
});

describe("the page's files", () => {
  test("are there, small, and not sent again when they have not changed", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const html = await (await fetch(`${scene.url}/chat/demo`)).text();
    const linked = [...html.matchAll(/(?:src|href)="(demo\/page\/[^"]+)"/g)].map(([, path]) => `/chat/${path}`);
    assert.deepEqual(linked.map((path) => path.split("/").at(-1)).sort(), ["app.js", "icon.svg", "style.css"]);
    for (const path of [...linked, "/chat/demo/page/parts.js", "/widget.js"]) {
      const response = await fetch(scene.url + path);
      assert.equal(response.status, 200, path);
      const headers = { "if-none-match": response.headers.get("etag")! };
      assert.equal((await fetch(scene.url + path, { headers })).status, 304);
    }
    assert.equal((await fetch(`${scene.url}/chat/demo/page/..%2fweb-routes.ts`)).status, 404);
    const plain = await scene.app.inject({ url: "/widget.js" });
    assert.equal(plain.headers["content-encoding"], undefined);
    assert.match(plain.body, /attachShadow/);
    const slash = await fetch(`${scene.url}/chat/demo/`, { redirect: "manual" });
    assert.equal(new URL(slash.headers.get("location")!, slash.url).pathname, "/chat/demo");
  });
});

/** What looks more or less like this pass, and is not it. */
function forged(pass: string): fc.Arbitrary<string> {
  const change = fc.tuple(fc.nat(pass.length - 1), fc.constantFrom(..."AZaz09_-."));
  return fc
    .oneof(
      change.map(([at, letter]) => pass.slice(0, at) + letter + pass.slice(at + 1)),
      fc.nat(pass.length - 1).map((end) => pass.slice(0, end)),
      fc.stringMatching(/^[\w-]{22}\.[\w-]{43}$/),
      fc.stringMatching(/^[\w.=-]{0,80}$/),
      fc.constantFrom(`${pass}.x`, `${pass}x`, `.${pass}`, "__proto__", "."),
    )
    .filter((text) => text !== pass);
}
