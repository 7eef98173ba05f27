import { randomUUID } from "node:crypto";
import { createInterface } from "node:readline/promises";
import type { Command } from "commander";
import { SetupError } from "../core/errors.ts";
import { type Part, plainText } from "../core/part.ts";
import { configOf, globals } from "./setup.ts";

export function addChat(program: Command): void {
  program
    .command("chat [bot]")
    .description("talk to a bot of a running server, as a visitor of its web page would; end with Ctrl-D")
    .option("--url <url>", "the server (default: the one of the configuration)")
    .action(async (bot: string | undefined, { url }: { url?: string }, command: Command) => {
      const config = await configOf(globals(command));
      const chosen = bot ?? config.bots[0]?.id;
      const base = `${url ?? `http://${config.server.host}:${config.server.port}`}/chat/${chosen}`;
      await chat(base);
    });
}

async function chat(base: string): Promise<void> {
  const { token } = await openSession(base);
  const socket = new WebSocket(`${base.replace(/^http/, "ws")}/live`, ["parley", token]);
  await opened(socket, base);
  const lines = createInterface({ input: process.stdin, output: process.stderr, prompt: "> " });
  const waiting = new Waiting();
  let isOpen = true;
  lines.once("close", () => {
    isOpen = false;
  });
  const prompt = (): void => {
    if (isOpen) lines.prompt();
  };
  socket.addEventListener("message", ({ data }) => {
    const event = JSON.parse(String(data)) as LiveEvent;
    waiting.note(event);
    if (event.type === "message" && event.message.from !== "person") {
      process.stdout.write(`${textOf(event.message.parts)}\n`);
      prompt();
    }
    if (waiting.isOver) socket.close();
  });
  prompt();
  for await (const line of lines) {
    if (line.trim() !== "") {
      waiting.unseen += 1;
      await say(base, token, line);
    }
    prompt();
  }
  waiting.hasEnded = true;
  if (waiting.isOver) socket.close();
}

type LiveEvent =
  | {
      readonly type: "message";
      readonly message: {
        readonly id: string;
        readonly from: string;
        readonly state: string;
        readonly parts: readonly Part[];
      };
    }
  | { readonly type: "state"; readonly id: string; readonly state: string }
  | { readonly type: "typing" | "ping" };

/** What still has to come when the input has ended: `echo hello | parley chat` prints the answer before it ends. */
class Waiting {
  hasEnded = false;
  /** Sent, and not yet seen in the conversation. */
  unseen = 0;
  readonly #untaken = new Set<string>();
  #isAnswerDue = false;

  get isOver(): boolean {
    return this.hasEnded && this.unseen === 0 && this.#untaken.size === 0 && !this.#isAnswerDue;
  }

  note(event: LiveEvent): void {
    if (event.type === "message") {
      if (event.message.from !== "person") {
        this.#isAnswerDue = false;
        return;
      }
      this.unseen -= 1;
      this.#rest(event.message.id, event.message.state);
    } else if (event.type === "state" && this.#untaken.has(event.id)) {
      this.#rest(event.id, event.state);
    }
  }

  #rest(id: string, state: string): void {
    if (state === "received") this.#untaken.add(id);
    else this.#untaken.delete(id);
    if (state === "answered") this.#isAnswerDue = true;
  }
}

async function openSession(base: string): Promise<{ token: string }> {
  const response = await fetch(`${base}/session`, { method: "POST" }).catch((cause: unknown) => {
    throw new SetupError(`Nobody answers at ${base}. Start the server first: npm start`, { cause });
  });
  if (!response.ok)
    throw new SetupError(`${base} answered ${response.status}. Is the bot's name right, and has it a web channel?`);
  return (await response.json()) as { token: string };
}

async function say(base: string, token: string, text: string): Promise<void> {
  const response = await fetch(`${base}/messages`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${token}` },
    body: JSON.stringify({ clientId: randomUUID(), text }),
  });
  if (!response.ok) process.stderr.write(`Not taken: ${await response.text()}\n`);
}

function opened(socket: WebSocket, base: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.addEventListener("open", () => resolve(), { once: true });
    socket.addEventListener("error", () =>
      reject(new SetupError(`The connection to ${base} broke. Is the server still there?`)),
    );
  });
}

function textOf(parts: readonly Part[]): string {
  return parts
    .map((part) =>
      part.kind === "choices" ? part.choices.map(({ label }) => `[${label}]`).join(" ") : plainText([part]),
    )
    .join("\n");
}
