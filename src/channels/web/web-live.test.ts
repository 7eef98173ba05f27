import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import fc from "fast-check";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { type LiveEventText, type LiveReader, openChat, visit } from "../../../test/web/chat-scene.ts";
import type { MessageId } from "../../core/ids.ts";
import { webLimits } from "./web-limits.ts";

const textOf = (event: LiveEventText) => event.message?.parts[0]?.text ?? `${event.type} ${event.state ?? ""}`;

/** Reads up to the event with this text, and gives all that came. */
async function readTo(live: LiveReader, last: string): Promise<{ texts: string[]; cursor: string }> {
  const texts: string[] = [];
  for (;;) {
    const event = await live.next();
    texts.push(textOf(event));
    if (textOf(event) === last) return { texts, cursor: event.cursor! };
  }
}

describe("a page's socket", () => {
  test("tells of messages and of what becomes of one's own, as it happens", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const live = await ann.live();
    const { message, conversation } = await ann.post({ clientId: "c1", text: "hi" });
    const own = await live.next();
    assert.equal(own.type, "message");
    assert.deepEqual([own.message?.id, own.message?.clientId, own.message?.state], [message, "c1", "received"]);

    await scene.move(message, "answered");
    const { cursor, ...state } = await live.next();
    assert.deepEqual(state, { type: "state", id: message, state: "answered" });
    assert.equal(typeof cursor, "string");
    await scene.say(conversation, "hello yourself");
    assert.equal(textOf(await live.next()), "hello yourself");
  });

  test("first brings what was missed, each thing once", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const { conversation } = await ann.post({ clientId: "c1", text: "hi" });
    const { live: start } = await ann.list();
    for (const text of ["one", "two", "three"]) await scene.say(conversation, text);
    const first = await ann.live(start);
    const { texts, cursor } = await readTo(first, "two");
    assert.deepEqual(texts, ["one", "two"]);
    first.socket.terminate();
    await scene.say(conversation, "four");
    const second = await ann.live(cursor);
    assert.deepEqual((await readTo(second, "four")).texts, ["three", "four"]);
  });

  test("brings an answer that was still under way, or held, when a later message had been read", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const { conversation, message } = await ann.post({ clientId: "c1", text: "hi" });
    const slow = await scene.say(conversation, "slow", "queued");
    const held = await scene.say(conversation, "held", "held");
    await scene.say(conversation, "later");
    const { live } = await ann.list();
    await scene.move(slow, "delivered");
    await scene.move(held, "queued");
    await scene.move(held, "delivered");
    await scene.move(message, "answered");
    const reader = await ann.live(live);
    const { texts, cursor } = await readTo(reader, "held");
    assert.deepEqual(texts, ["state answered", "slow", "held"]);
    reader.socket.terminate();
    await scene.say(conversation, "end");
    assert.deepEqual((await readTo(await ann.live(cursor), "end")).texts, ["end"]);
  });

  test("finds its place however far back it is, and says so when it is nowhere", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const [ann, bob] = [await visit(scene), await visit(scene)];
    const { live: beginning } = await ann.list();
    const { conversation } = await ann.post({ clientId: "c1", text: "0" });
    const { live: start } = await ann.list();
    const numbers = Array.from({ length: 450 }, (_, n) => String(n + 1));
    for (const text of numbers) await scene.say(conversation, text);
    assert.deepEqual((await readTo(await ann.live(start), "450")).texts, numbers);
    assert.deepEqual((await readTo(await ann.live(beginning), "450")).texts, ["0", ...numbers]);

    assert.equal(await (await bob.live(start)).closed, 4400);
    await assert.rejects(ann.live("nonsense"), /refused: 400/);
  });

  test("never brings what is another's, also when its cursor names it", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const [ann, bob] = [await visit(scene), await visit(scene)];
    const { conversation } = await ann.post({ clientId: "c1", text: "hi" });
    const secret = await scene.say(conversation, "secret");
    const his = await bob.post({ clientId: "c1", text: "hi" });
    const cursor = Buffer.from(JSON.stringify([his.message, [[secret, "queued"]]])).toString("base64url");
    const live = await bob.live(cursor);
    await scene.say(his.conversation, "mine");
    assert.deepEqual((await readTo(live, "mine")).texts, ["mine"]);
  });

  test("has neither a gap nor a copy, whatever happens and wherever it breaks", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const act = fc.constantFrom("say", "queue", "release", "ask", "break");
    await fc.assert(
      fc.asyncProperty(fc.array(act, { minLength: 1, maxLength: 25 }), async (acts) => {
        const ann = await visit(scene);
        const { conversation } = await ann.post({ clientId: "first", text: "first" });
        let cursor = (await ann.list()).live!;
        let live = await ann.live(cursor);
        const shown: string[] = [];
        const note = (event: LiveEventText) => {
          if (event.message !== undefined) shown.push(textOf(event));
          cursor = event.cursor ?? cursor;
        };
        const [said, queued]: [string[], { id: MessageId; text: string }[]] = [[], []];
        for (const [n, act] of [...acts, "say"].entries()) {
          const text = `${act} ${n}`;
          if (act === "say") await scene.say(conversation, text);
          if (act === "ask") await ann.post({ clientId: `c${n}`, text });
          if (act === "say" || act === "ask") said.push(text);
          if (act === "queue") queued.push({ id: await scene.say(conversation, text, "queued"), text });
          const released = act === "release" ? queued.shift() : undefined;
          if (released !== undefined) {
            await scene.move(released.id, "delivered");
            said.push(released.text);
          }
          if (act !== "break") continue;
          // What had arrived was read; the rest is lost with the line.
          for (const event of live.rest()) note(event);
          live.socket.terminate();
          live = await ann.live(cursor);
        }
        while (shown.length < said.length) note(await live.next());
        assert.deepEqual([...shown].sort(), [...said].sort());
        live.socket.terminate();
      }),
      { numRuns: 40 },
    );
  });
});

describe("the sockets of a page", () => {
  test("show that the bot is typing, to this conversation only", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const [ann, bob] = [await visit(scene), await visit(scene)];
    const [hers, his] = [await ann.live(), await bob.live()];
    const { conversation } = await ann.post({ clientId: "c1", text: "hi" });
    await hers.next();
    const kept = await scene.storage.findConversation(conversation);
    await scene.channels.get(kept!.botId)!.showTyping(kept!, AbortSignal.abort());
    assert.deepEqual(await hers.next(), { type: "typing" });
    await bob.post({ clientId: "c1", text: "mine" });
    assert.equal(textOf(await his.next()), "mine");
  });

  test("are limited for each person", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const [ann, bob] = [await visit(scene), await visit(scene)];
    const open = await Promise.all(Array.from({ length: webLimits.socketsPerPersonMax }, () => ann.live()));
    await assert.rejects(ann.live(), /refused: 429/);
    (await bob.live()).socket.terminate();
    const { conversation } = await ann.post({ clientId: "c1", text: "to all tabs" });
    for (const live of open) assert.equal(textOf(await live.next()), "to all tabs");

    const [first] = open;
    first!.socket.close();
    await first!.closed;
    const again = await ann.live();
    await scene.say(conversation, "still here");
    assert.equal(textOf(await again.next()), "still here");
  });

  test("find what they were not told of, as when another process wrote it", async (t) => {
    const host = new TestHost();
    const scene = await openChat(t, { host, isDeaf: true });
    const ann = await visit(scene);
    const { conversation } = await ann.post({ clientId: "c1", text: "hi" });
    const live = await ann.live();
    const answer = await scene.say(conversation, "answer", "queued");
    await ann.list();
    host.advance(webLimits.pollLongestMs);
    await scene.move(answer, "delivered");
    await ann.list();
    assert.deepEqual(live.rest(), []);
    host.advance(webLimits.pollFirstMs);
    assert.equal(textOf(await live.next()), "answer");
    await ann.list();
    await scene.say(conversation, "much later");
    host.advance(webLimits.pollLongestMs);
    await readTo(live, "much later");
  });

  test("are ended when they do not answer, or say too much at once", async (t) => {
    const host = new TestHost();
    const scene = await openChat(t, { host });
    const ann = await visit(scene);
    const [silent, alive] = [await ann.live(undefined, { autoPong: false }), await ann.live()];
    host.advance(webLimits.pingMs);
    assert.deepEqual([await silent.next(), await alive.next()], [{ type: "ping" }, { type: "ping" }]);
    // The answer to this ping comes after its own pong was read.
    alive.socket.ping();
    await once(alive.socket, "pong");
    host.advance(webLimits.pingMs);
    assert.equal(await silent.closed, 1006);
    assert.deepEqual(await alive.next(), { type: "ping" });

    alive.socket.send("x".repeat(webLimits.frameBytesMax + 1));
    assert.equal(await alive.closed, 1009);
  });

  test("leave nothing behind when they close", async (t) => {
    const host = new TestHost();
    const scene = await openChat(t, { host });
    const ann = await visit(scene);
    const { conversation } = await ann.post({ clientId: "c1", text: "hi" });
    const before = host.timerCount;
    const live = await ann.live();
    await scene.say(conversation, "there");
    await live.next();
    live.socket.close();
    await live.closed;
    while (host.timerCount > before) await ann.list();
    await scene.say(conversation, "to nobody");
    assert.equal(host.timerCount, before);
  });
});
