import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, type TestContext, test } from "node:test";
import { createMachine } from "../../src/machine.ts";
import { newPage, noBrowser, useBrowser } from "./chat-browser.ts";
import { openChat } from "./chat-scene.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

/** A shop on another site (localhost is not 127.0.0.1), strict about what runs on it, with the widget of a chat. */
async function openShop(t: TestContext, { isAllowed }: { isAllowed: boolean }) {
  let chatUrl = "";
  const shop = createServer((_request, response) => {
    const policy = `default-src 'none'; script-src ${chatUrl}; frame-src ${chatUrl}; style-src 'none'`;
    response.writeHead(200, { "content-type": "text/html; charset=utf-8", "content-security-policy": policy });
    response.end(
      `<!doctype html><html lang="en"><title>Shop</title><main><h1>Shop</h1></main>
      <script src="${chatUrl}/widget.js" data-bot="demo" data-title="Chat with us"></script></html>`,
    );
  });
  await new Promise<void>((resolve) => shop.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    shop.closeAllConnections();
    shop.close();
  });
  const shopUrl = `http://localhost:${(shop.address() as AddressInfo).port}`;
  const scene = await openChat(t, {
    host: createMachine(),
    options: isAllowed ? { allowedOrigins: [shopUrl] } : {},
    script: async (message, { say, move }) => {
      await move(message.id, "answered");
      await say(message.conversationId, `echo of ${message.parts[0]?.kind}`);
    },
  });
  chatUrl = scene.url;
  const page = await newPage(t);
  await page.goto(shopUrl);
  return { page, scene };
}

useBrowser();

describe("the widget on another site", { skip: noBrowser }, () => {
  test("opens and closes the chat by mouse and by keyboard, and keeps the conversation", async (t) => {
    const { page } = await openShop(t, { isAllowed: true });
    const button = page.getByRole("button", { name: "Chat with us" });
    await button.click();
    const chat = page.frameLocator("iframe");
    await chat.locator("#status[data-state=connected]").waitFor();
    await chat.locator("#text").fill("hello");
    await chat.locator("#text").press("Enter");
    await chat.getByText("echo of text").waitFor();
    await chat.locator("#text").press("Escape");
    await page.locator("iframe").waitFor({ state: "hidden" });
    assert.equal(await button.evaluate((element) => element.matches(":focus")), true);
    assert.equal(await button.getAttribute("aria-expanded"), "false");

    await page.keyboard.press("Enter");
    await chat.getByText("echo of text").waitFor();
    await chat.getByRole("button", { name: "Close chat" }).click();
    await page.locator("iframe").waitFor({ state: "hidden" });

    await page.reload();
    await button.click();
    await chat.getByText("echo of text").waitFor();
    assert.deepEqual(await page.context().cookies(), []);
  });

  test("sends and shows files, also without a cookie", async (t) => {
    const { page } = await openShop(t, { isAllowed: true });
    await page.getByRole("button", { name: "Chat with us" }).click();
    const chat = page.frameLocator("iframe");
    await chat.locator("#status[data-state=connected]").waitFor();
    const picked = [
      { name: "dot.png", mimeType: "image/png", buffer: png },
      { name: "notes.txt", mimeType: "text/plain", buffer: Buffer.from("the notes") },
    ];
    await chat.locator("#picker").setInputFiles(picked);
    await chat.locator("#files small").nth(1).waitFor();
    await chat.locator("#send").click();
    await chat.getByText("echo of file").waitFor();
    const image = chat.getByRole("img", { name: "dot.png" });
    await image.waitFor();
    await image.evaluate(whenLoaded);
    const [download] = await Promise.all([page.waitForEvent("download"), chat.getByText("notes.txt").click()]);
    assert.equal(download.suggestedFilename(), "notes.txt");
    assert.equal(await textOf(await download.createReadStream()), "the notes");
  });

  test("is not shown on a site that is not allowed", async (t) => {
    const { page, scene } = await openShop(t, { isAllowed: false });
    const refused = page.waitForEvent("console", (entry) => /frame-ancestors/.test(entry.text()));
    await page.getByRole("button", { name: "Chat with us" }).click();
    await refused;
    assert.equal(await page.frameLocator("iframe").locator("#text").count(), 0);
    assert.equal((await scene.storage.status()).conversations, 0);
  });
});

test("files are sent by dropping and pasting them, and kept from leaving before they are up", {
  skip: noBrowser,
}, async (t) => {
  const scene = await openChat(t, { host: createMachine() });
  const page = await newPage(t);
  await page.goto(`${scene.url}/chat/demo`);
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  await page.route("**/files?*", async (route) => {
    await held;
    await route.continue();
  });
  await page.evaluate(`{
    const given = (name) => {
      const data = new DataTransfer();
      data.items.add(new File(["content"], name, { type: "text/plain" }));
      return data;
    };
    dispatchEvent(new DragEvent("drop", { dataTransfer: given("dropped.txt"), cancelable: true }));
    document.getElementById("text").dispatchEvent(new ClipboardEvent("paste", { clipboardData: given("pasted.txt"), cancelable: true }));
  }`);
  await page.fill("#text", "with both");
  await page.press("#text", "Enter");
  assert.equal(await page.locator("#files progress").count(), 2);
  assert.equal(await page.inputValue("#text"), "with both");
  letGo();
  await page.locator("#files small").nth(1).waitFor();
  await page.getByRole("button", { name: "Remove pasted.txt" }).click();
  await page.press("#text", "Enter");
  await page.getByRole("img", { name: "Sent", exact: true }).waitFor();
  const [conversation] = (await scene.storage.conversations({}, { limit: 1, cursor: null })).items;
  const [message] = await scene.storage.transcript(conversation!.id, 1);
  assert.deepEqual(
    message!.parts.map((part) => (part.kind === "file" ? part.name : part.kind)),
    ["dropped.txt", "text"],
  );
});

/** Runs in the page: resolves once the picture is really there. */
const whenLoaded = `(image) => image.naturalWidth > 0 || new Promise((resolve) => image.addEventListener("load", resolve))`;

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  return Buffer.concat(await Array.fromAsync(content)).toString();
}
