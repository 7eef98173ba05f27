import assert from "node:assert/strict";
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { FakeTelegram } from "../platforms/telegram/fake-telegram.ts";
import { root } from "./documents.ts";

const documentedHost = "127.0.0.1:7400";
/** A chat on Telegram of which the person has blocked the bot. */
const blockedChat = 4_242;

/** The server that the documents talk about, with the demo bot, before a fake Telegram. */
export class DemoServer {
  readonly telegram = new FakeTelegram();
  #env: NodeJS.ProcessEnv = {};
  #folder = "";
  #host = "";
  #server: ChildProcess | undefined;

  async start(): Promise<void> {
    await this.telegram.start();
    this.#folder = await mkdtemp(join(tmpdir(), "parley-docs-"));
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    this.#env = {
      ...inherited,
      PARLEY_CONFIG: join(root, "parley.yaml"),
      PARLEY_DATA_DIR: join(this.#folder, "data"),
      PARLEY_HOST: "127.0.0.1",
      PARLEY_PORT: "0",
      PARLEY_LOG_LEVEL: "error",
      TELEGRAM_BOT_TOKEN: this.telegram.token,
      TELEGRAM_API_ROOT: this.telegram.url,
    };
    const server = spawn(process.execPath, ["src/cli/main.ts", "start", "--json"], {
      cwd: root,
      env: this.#env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#server = server;
    const first = await createInterface(server.stdout)[Symbol.asyncIterator]().next();
    assert.ok(first.done !== true, "the server ended without a word");
    const { url, error } = JSON.parse(first.value) as { url?: string; error?: { message: string } };
    assert.ok(url !== undefined, error?.message);
    this.#host = new URL(url).host;
    this.#env.PARLEY_PORT = this.#host.split(":")[1];
    this.#env.KEY = (await this.run("npm run parley -- key create")).trim();
  }

  async stop(): Promise<void> {
    if (this.#server?.kill() === true) await once(this.#server, "exit");
    await this.telegram.stop();
    await rm(this.#folder, { recursive: true, force: true });
  }

  /**
   * Runs a documented command in a shell and gives what it printed. The address is this server's, `npm run parley --` is
   * what package.json says, on this Node. Rejects when the command fails.
   */
  run(command: string): Promise<string> {
    const prelude = `npm() { test "$1 $2 $3" = "run parley --" && shift 3 && "${process.execPath}" src/cli/main.ts "$@"; }`;
    const script = `${prelude}\n${command.replaceAll(documentedHost, this.#host)}`;
    return new Promise((resolve, reject) => {
      execFile("/bin/sh", ["-euc", script], { cwd: root, env: this.#env, timeout: 30_000 }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`${command}\n${stdout}${stderr}`, { cause: error }));
      });
    });
  }

  /** Says something to the demo bot, as a person of a program's, and gives the answer of the HTTP interface. */
  async say(text: string): Promise<{ readonly message: string; readonly answers: readonly { readonly id: string }[] }> {
    const response = await this.#fetch("/api/v1/bots/demo/messages?wait=20", {
      method: "POST",
      body: JSON.stringify({ person: "docs", text }),
    });
    assert.equal(response.status, 200);
    return (await response.json()) as Awaited<ReturnType<DemoServer["say"]>>;
  }

  /** An answer that the review holds. */
  async heldId(): Promise<string> {
    const { answers } = await this.say("Show me a secret");
    assert.ok(answers[0] !== undefined);
    return answers[0].id;
  }

  /** An answer that its platform refused. */
  async deadId(): Promise<string> {
    const live = new WebSocket(`ws://${this.#host}/api/v1/live`, [`bearer.${this.#env.KEY}`]);
    await once(live, "open", { signal: AbortSignal.timeout(10_000) });
    const died = new Promise<string>((resolve) => {
      live.addEventListener("message", ({ data }) => {
        const event = JSON.parse(String(data));
        if (event.type === "state" && event.state === "dead") resolve(event.id);
      });
    });
    this.telegram.block(blockedChat);
    this.telegram.say(blockedChat, "hello");
    const id = await died;
    live.close();
    return id;
  }

  #fetch(path: string, init: RequestInit): Promise<Response> {
    const headers = { authorization: `Bearer ${this.#env.KEY}`, "content-type": "application/json" };
    return fetch(`http://${this.#host}${path}`, { ...init, headers });
  }
}
