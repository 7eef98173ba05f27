import { existsSync } from "node:fs";
import { after, before, type TestContext } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import type { ChatScene } from "./chat-scene.ts";

const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";

/** Why tests with a browser cannot run here; false where they can. */
export const noBrowser = existsSync(executablePath)
  ? false
  : `there is no Chromium at ${executablePath}: install it, or set CHROMIUM_PATH`;

let browser: Browser | undefined;

/** One browser for all tests of a file. */
export function useBrowser(): void {
  before(async () => {
    if (noBrowser !== false) return;
    const quiet = ["--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run"];
    const args = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", ...quiet];
    browser = await chromium.launch({ executablePath, args });
  });
  after(() => browser?.close());
}

export interface Chat {
  readonly page: Page;
  /** What went wrong in the page, but for requests that found no network. */
  readonly mistakes: readonly string[];
  /** The texts of the messages as they stand, without times. */
  texts(): Promise<readonly string[]>;
  say(text: string): Promise<void>;
}

/** A page of a browser that was never here before, for as long as the test goes on. */
export async function newPage(t: Pick<TestContext, "after">, options: BrowserContextOptions = {}): Promise<Page> {
  if (browser === undefined) throw new Error("Call useBrowser first.");
  const context = await browser.newContext({ locale: "en-GB", ...options });
  t.after(() => context.close());
  return context.newPage();
}

/** Opens a bot's page as somebody new, and waits until it is online. */
export async function openPage(
  t: Pick<TestContext, "after">,
  scene: ChatScene,
  options: BrowserContextOptions = {},
): Promise<Chat> {
  const chat = watched(await newPage(t, options));
  await chat.page.goto(`${scene.url}/chat/demo`);
  await online(chat.page);
  return chat;
}

/** Another tab of the same browser. */
export async function openTab({ page }: Pick<Chat, "page">): Promise<Chat> {
  const tab = watched(await page.context().newPage());
  await tab.page.goto(page.url());
  await online(tab.page);
  return tab;
}

export function online(page: Page): Promise<void> {
  return page.locator("#status[data-state=connected]").waitFor();
}

function watched(page: Page): Chat {
  const mistakes: string[] = [];
  page.on("pageerror", (error) => mistakes.push(error.message));
  page.on("dialog", (dialog) => mistakes.push(`dialog: ${dialog.message()}`));
  page.on("console", (entry) => {
    if (entry.type() === "error" && !/ERR_|status of/.test(entry.text())) mistakes.push(entry.text());
  });
  return {
    page,
    mistakes,
    texts: () => page.locator("#log .text").allTextContents(),
    async say(text) {
      await page.fill("#text", text);
      await page.press("#text", "Enter");
    },
  };
}
