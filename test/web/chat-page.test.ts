import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, type TestContext, test } from "node:test";
import type { Locator } from "playwright-core";
import { createMachine } from "../../src/machine.ts";
import { noBrowser, online, openPage, openTab, useBrowser } from "./chat-browser.ts";
import { type ChatScene, openChat, type Script } from "./chat-scene.ts";

const choices = [
  { label: "Yes, please", value: "yes" },
  { label: "No", value: "no" },
];

/** Says everything again; offers choices when asked for them; keeps quiet when told so. */
const echo: Script = async (message, scene) => {
  const [part] = message.parts;
  const text = part?.kind === "text" ? part.text : `${part?.kind}: ${part?.kind === "choice" ? part.value : ""}`;
  await scene.move(message.id, "answered");
  if (text === "quiet") return;
  const offer = text === "offer" ? [{ kind: "choices" as const, choices }] : [];
  await scene.say(message.conversationId, [{ kind: "text", text: `echo ${text}` }, ...offer]);
};

const open = (t: TestContext, script: Script = echo) => openChat(t, { host: createMachine(), script });

async function conversationOf({ storage }: ChatScene) {
  const { items } = await storage.conversations({}, { limit: 1, cursor: null });
  return items[0]!.id;
}

const said = async (scene: ChatScene, text: string) => {
  const all = await scene.storage.transcript(await conversationOf(scene), 200);
  return all.filter(({ from, parts }) => from === "person" && parts[0]?.kind === "text" && parts[0].text === text)
    .length;
};

const shown = (place: Locator) => place.waitFor({ state: "visible" });

useBrowser();

describe("the chat page", { skip: noBrowser }, () => {
  test("sends what is written, shows the answer, and has both after a reload", async (t) => {
    const scene = await open(t);
    const { page, say, texts, mistakes } = await openPage(t, scene);
    await shown(page.getByText("Say hello to demo"));
    await page.fill("#text", "one");
    await page.press("#text", "Shift+Enter");
    await page.keyboard.type("two");
    await page.press("#text", "Enter");
    await shown(page.getByText("echo one"));
    await shown(page.getByRole("img", { name: "Answered" }));
    await say("three");
    await shown(page.getByText("echo three"));
    const expected = ["one\ntwo", "echo one\ntwo", "three", "echo three"];
    assert.deepEqual(await texts(), expected);
    await page.reload();
    await shown(page.getByText("echo three"));
    await online(page);
    assert.deepEqual(await texts(), expected);
    assert.equal(await page.inputValue("#text"), "");
    assert.deepEqual(mistakes, []);
  });

  test("says that it is offline, and then brings what was missed and sends what was written, once", async (t) => {
    const scene = await open(t);
    const { page, say, texts } = await openPage(t, scene);
    await say("before");
    await shown(page.getByText("echo before"));
    await page.context().setOffline(true);
    await shown(page.getByText("Offline – what you write is sent later"));
    await say("written offline");
    await shown(page.getByRole("img", { name: "Sending" }));
    for (const n of [1, 2, 3]) await scene.say(await conversationOf(scene), `missed ${n}`);
    await page.context().setOffline(false);
    await shown(page.getByText("echo written offline"));
    await shown(page.getByText("missed 3"));
    const expected = [
      "before",
      "echo before",
      "missed 1",
      "missed 2",
      "missed 3",
      "written offline",
      "echo written offline",
    ];
    assert.deepEqual(await texts(), expected);
    await page.reload();
    await shown(page.getByText("echo written offline"));
    assert.deepEqual(await texts(), expected);
  });

  test("sends again after a reload what was not confirmed, and it is one message", async (t) => {
    const scene = await open(t);
    const { page, say, texts } = await openPage(t, scene);
    await say("first");
    await shown(page.getByText("echo first"));
    let taken = 0;
    // The server gets it, and the page never hears of it: neither by the answer nor by its socket.
    await page.routeWebSocket("**/live*", (socket) => socket.close());
    await page.route("**/messages", async (route) => {
      if (route.request().method() !== "POST") return route.abort();
      await route.fetch();
      taken += 1;
      return route.abort();
    });
    await page.context().setOffline(true);
    await say("answer lost");
    await page.context().setOffline(false);
    await shown(page.getByRole("img", { name: "Sending" }));
    while (taken === 0) await page.waitForEvent("requestfailed");
    assert.equal(await said(scene, "answer lost"), 1);

    await page.unrouteAll({ behavior: "wait" });
    const tab = await openTab({ page });
    await shown(tab.page.getByText("echo answer lost"));
    assert.deepEqual(await tab.texts(), ["first", "echo first", "answer lost", "echo answer lost"]);
    assert.deepEqual(await tab.page.evaluate("Object.keys(localStorage)"), []);
    assert.equal(await said(scene, "answer lost"), 1);
    assert.ok((await texts()).includes("answer lost"));
  });

  test("says when a message is refused, and lets the writer try again or discard it", async (t) => {
    const scene = await open(t);
    const { page, say, texts } = await openPage(t, scene);
    await page.route("**/messages", (route) =>
      route.fulfill({ status: 400, json: { code: "invalid_input", detail: "That was too much." } }),
    );
    await say("refused");
    await shown(page.getByText("Not sent. That was too much."));
    await page.reload();
    await shown(page.getByText("Not sent. That was too much."));
    await say("also refused");
    await page.getByRole("button", { name: "Discard" }).nth(1).click();
    await page.unrouteAll({ behavior: "wait" });
    await page.getByRole("button", { name: "Try again" }).click();
    await shown(page.getByText("echo refused"));
    assert.deepEqual(await texts(), ["refused", "echo refused"]);
  });

  test("offers choices, of which one can be taken, and none once something else was said", async (t) => {
    const scene = await open(t);
    const { page, say, texts } = await openPage(t, scene);
    await say("offer");
    await page.getByRole("button", { name: "Yes, please" }).click();
    await shown(page.getByText("echo choice: yes"));
    assert.deepEqual(await texts(), ["offer", "echo offer", "Yes, please", "echo choice: yes"]);
    await say("offer");
    await shown(page.locator(".choices button:enabled").first());
    await say("quiet");
    await page.reload();
    await shown(page.getByText("quiet"));
    const states = await page
      .locator(".choices button")
      .evaluateAll((buttons) =>
        buttons.map((button) => [button.hasAttribute("disabled"), button.hasAttribute("data-taken")]),
      );
    assert.deepEqual(states, [
      [true, true],
      [true, false],
      [true, false],
      [true, false],
    ]);
  });

  test("shows the same in every tab, each thing once", async (t) => {
    const scene = await open(t);
    const first = await openPage(t, scene);
    const second = await openTab(first);
    await first.say("from the first");
    await shown(second.page.getByText("echo from the first"));
    await second.say("from the second");
    await shown(first.page.getByText("echo from the second"));
    const expected = ["from the first", "echo from the first", "from the second", "echo from the second"];
    assert.deepEqual([await first.texts(), await second.texts()], [expected, expected]);
  });

  test("brings older messages when asked, and keeps the reader where they were", async (t) => {
    const scene = await open(t);
    const { page, say, texts } = await openPage(t, scene);
    await say("quiet");
    await shown(page.getByRole("img", { name: "Answered" }));
    const id = await conversationOf(scene);
    for (let n = 1; n <= 70; n++) await scene.say(id, `message ${n}`);
    await page.reload();
    await shown(page.getByText("message 70"));
    assert.equal((await texts()).length, 50);
    await page.locator("#scroll").evaluate((element) => element.scrollTo(0, 0));
    const top = page.getByText("message 21", { exact: true });
    const before = await top.boundingBox();
    await page.getByRole("button", { name: "Load older messages" }).click();
    await page.getByText("message 1", { exact: true }).waitFor({ state: "attached" });
    assert.deepEqual(await texts(), ["quiet", ...Array.from({ length: 70 }, (_, n) => `message ${n + 1}`)]);
    const moved = Math.abs((await top.boundingBox())!.y - before!.y);
    assert.ok(moved < 100, `it moved by ${moved} pixels`);

    await scene.say(id, "something new");
    await page.getByRole("button", { name: "New messages" }).click();
    await shown(page.getByText("something new"));
  });

  test("shows hostile and unusual text as text", async (t) => {
    const scene = await open(t);
    const { page, say, texts, mistakes } = await openPage(t, scene, { viewport: { width: 390, height: 844 } });
    const hostile = [
      "<script>alert(1)</script><img src=x onerror=alert(2)>",
      "javascript:alert(3) [x](javascript:alert(4)) data:text/html,<script>alert(5)</script>",
      "שלום עולם \u202Eevil\u202C مرحبا",
      "👩‍👩‍👧‍👦 🏳️‍🌈 e\u0301 \u{1F9D1}\u200D\u{1F680}",
      "x".repeat(10_000),
      "https://example.com/a?b=<c>&d='e'.",
    ];
    for (const text of hostile) {
      await say(text);
      await page.locator(".theirs").nth(hostile.indexOf(text)).waitFor();
    }
    assert.deepEqual(
      await texts(),
      hostile.flatMap((text) => [text, `echo ${text}`]),
    );
    const links = await page
      .locator("#log a")
      .evaluateAll((all) => all.map((link) => [link.getAttribute("href"), link.getAttribute("rel")]));
    assert.deepEqual(
      links,
      Array.from({ length: 2 }, () => ["https://example.com/a?b=", "noopener noreferrer nofollow"]),
    );
    const [inner, outer] = await page.evaluate<number[]>("[document.documentElement.scrollWidth, innerWidth]");
    assert.equal(inner, outer);
    assert.deepEqual(mistakes, []);
  });

  test("does not send while a word is being composed", async (t) => {
    const scene = await open(t);
    const { page } = await openPage(t, scene);
    await page.fill("#text", "にほ");
    const options = { key: "Enter", bubbles: true, cancelable: true };
    await page.locator("#text").dispatchEvent("keydown", { ...options, isComposing: true });
    await page.locator("#text").dispatchEvent("keydown", { ...options, keyCode: 229 });
    assert.equal(await page.inputValue("#text"), "にほ");
    await page.press("#text", "Enter");
    await shown(page.getByText("echo にほ"));
  });

  test("shows that the bot is writing, until it has written", async (t) => {
    const scene = await open(t);
    const { page, say } = await openPage(t, scene);
    await say("quiet");
    await shown(page.getByRole("img", { name: "Answered" }));
    const conversation = (await scene.storage.findConversation(await conversationOf(scene)))!;
    await scene.channels.get(conversation.botId)!.showTyping(conversation, AbortSignal.abort());
    await shown(page.locator("#typing"));
    await scene.say(conversation.id, "done");
    await shown(page.getByText("done"));
    await page.locator("#typing").waitFor({ state: "hidden" });
  });
});

describe("everybody can use the chat page", { skip: noBrowser }, () => {
  for (const colorScheme of ["light", "dark"] as const) {
    for (const [device, viewport] of [
      ["desktop", { width: 1200, height: 800 }],
      ["phone", { width: 360, height: 640 }],
    ] as const) {
      test(`axe finds nothing serious, ${colorScheme} on a ${device}`, async (t) => {
        const scene = await open(t);
        const { page, say } = await openPage(t, scene, { colorScheme, viewport, reducedMotion: "reduce" });
        await say("offer");
        await page.getByRole("button", { name: "No", exact: true }).click();
        await shown(page.getByText("echo choice: no"));
        await say("offer https://example.com");
        await say("offer");
        await shown(page.locator(".choices button:enabled").first());
        const picked = { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("hello") };
        await page.setInputFiles("#picker", picked);
        await shown(page.locator("#files small"));
        await page.context().setOffline(true);
        await page.click("#send");
        await page.evaluate("document.getElementById('typing').hidden = false");
        await shown(page.getByRole("img", { name: "Sending" }));
        await page.evaluate(await readFile(new URL(import.meta.resolve("axe-core/axe.min.js")), "utf8"));
        const violations = await page.evaluate<{ id: string; impact: string; nodes: { html: string }[] }[]>(
          "axe.run().then(({ violations }) => violations)",
        );
        assert.deepEqual(
          violations.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
        );

        const composer = (await page.locator("#composer").boundingBox())!;
        assert.ok(composer.y + composer.height <= viewport.height && composer.x >= 0, "the composer is in sight");
        assert.ok(composer.x + composer.width <= viewport.width, "the composer is not wider than the screen");
      });
    }
  }
});
