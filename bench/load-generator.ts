import { connect, type Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { FakeBotApi } from "./fake-bot-api.ts";
import { Ledger, type Tally } from "./ledger.ts";

export interface Load {
  readonly messages: number;
  readonly conversations: number;
  readonly pace:
    | { readonly kind: "closed"; readonly inFlight: number }
    | { readonly kind: "open"; readonly perSecond: number };
}

export interface LoadResult extends Tally {
  /** Webhook requests that were answered with anything but a success. */
  readonly refused: number;
  /** From the first message sent to the last one answered. */
  readonly tookMs: number;
}

/** Where updates go. */
export interface Webhook {
  readonly port: number;
  readonly path: string;
  readonly secret: string;
}

/** A run that brings no answer for this long has ended: what is missing is lost. */
const silenceMs = 5_000;
const tickMs = 2;
let idsGiven = 0;

/**
 * Sends `load` to a webhook as Telegram does: the updates of one chat one after another, each only once the one before
 * was acknowledged, those of different chats at the same time. Waits for the answers to arrive at `api`.
 *
 * A message is in flight until its request was acknowledged and its answer has arrived, whichever comes later. At a
 * closed pace a new one is sent whenever one leaves; at an open pace they are sent by the clock, and their latency
 * counts from when they were due.
 */
export async function runLoad(webhook: Webhook, api: FakeBotApi, load: Load): Promise<LoadResult> {
  const run = new Run(webhook, load);
  api.onMessage = (text) => run.takeAnswer(text);
  try {
    return await run.run();
  } finally {
    api.onMessage = () => undefined;
    run.close();
  }
}

class Run {
  readonly #webhook: Webhook;
  readonly #load: Load;
  readonly #connections: Connection[] = [];
  /** Idle ones, last used on top: no more are opened than needed. */
  readonly #idle: Connection[] = [];
  /** Messages per conversation whose turn to be sent has not come; the first is the one being sent. */
  readonly #sending = new Map<number, number[]>();
  /** By message: one bit for acknowledged, one for answered. */
  readonly #seen: Uint8Array;
  /** Never used twice, as the same update or message is the same message. */
  readonly #firstId: number;
  readonly #ledger: Ledger;
  #next = 0;
  #inFlight = 0;
  #refused = 0;
  #startedAt = 0;
  #lastAnswerAt = 0;
  #finish: () => void = () => undefined;

  constructor(webhook: Webhook, load: Load) {
    this.#webhook = webhook;
    this.#load = load;
    this.#seen = new Uint8Array(load.messages);
    this.#firstId = idsGiven + 1;
    idsGiven += load.messages;
    this.#ledger = new Ledger({ ...load, first: this.#firstId });
  }

  async run(): Promise<LoadResult> {
    this.#startedAt = performance.now();
    this.#lastAnswerAt = this.#startedAt;
    const timer = setInterval(() => this.#tick(), tickMs);
    const finished = new Promise<void>((resolve) => {
      this.#finish = resolve;
    });
    this.#fill();
    await finished;
    clearInterval(timer);
    return { ...this.#ledger.tally(), refused: this.#refused, tookMs: this.#lastAnswerAt - this.#startedAt };
  }

  takeAnswer(text: string): void {
    this.#lastAnswerAt = performance.now();
    this.#ledger.take(text, this.#lastAnswerAt, (message) => this.#see(message, 2));
  }

  close(): void {
    for (const connection of this.#connections) connection.close();
  }

  #tick(): void {
    if (this.#load.pace.kind === "open") this.#fill();
    const isSilent = performance.now() - this.#lastAnswerAt > silenceMs;
    if (isSilent) this.#finish();
  }

  /** Sends what the pace allows now. */
  #fill(): void {
    const { pace, messages } = this.#load;
    if (pace.kind === "closed") {
      while (this.#inFlight < pace.inFlight && this.#next < messages) this.#start(this.#next++, undefined);
      return;
    }
    const dueAt = (message: number) => this.#startedAt + (message * 1_000) / pace.perSecond;
    while (this.#next < messages && dueAt(this.#next) <= performance.now()) {
      this.#start(this.#next, dueAt(this.#next));
      this.#next++;
    }
  }

  #start(message: number, dueAt: number | undefined): void {
    this.#inFlight++;
    if (dueAt !== undefined) this.#ledger.sent(message, dueAt);
    const conversation = message % this.#load.conversations;
    const waiting = this.#sending.get(conversation);
    if (waiting !== undefined) {
      waiting.push(message);
      return;
    }
    this.#sending.set(conversation, [message]);
    this.#send(message);
  }

  #send(message: number): void {
    if (this.#load.pace.kind === "closed") this.#ledger.sent(message, performance.now());
    const connection = this.#idleConnection();
    connection.post(this.#update(message), (status) => {
      this.#idle.push(connection);
      this.#acknowledged(message, status);
    });
  }

  #idleConnection(): Connection {
    let connection = this.#idle.pop();
    while (connection?.isClosed) connection = this.#idle.pop();
    if (connection !== undefined) return connection;
    const opened = new Connection(this.#webhook);
    this.#connections.push(opened);
    return opened;
  }

  #acknowledged(message: number, status: number): void {
    if (status < 200 || status > 299) this.#refused++;
    const conversation = message % this.#load.conversations;
    const waiting = this.#sending.get(conversation)!;
    waiting.shift();
    const following = waiting[0];
    if (following === undefined) this.#sending.delete(conversation);
    else this.#send(following);
    this.#see(message, 1);
  }

  #see(message: number, bit: 1 | 2): void {
    this.#seen[message]! |= bit;
    if (this.#seen[message] !== 3) return;
    this.#inFlight--;
    if (this.#load.pace.kind === "closed") this.#fill();
    if (this.#ledger.answered === this.#load.messages && this.#inFlight === 0) this.#finish();
  }

  /** A private text message, as the Bot API writes it, of about 500 bytes. */
  #update(message: number): string {
    const id = 7_000_000 + (message % this.#load.conversations);
    const person = `"id":${id},"first_name":"Test User","last_name":"Number ${id}","username":"telegram_test_user_${id}"`;
    const date = Math.floor(Date.now() / 1_000);
    const from = `{${person},"is_bot":false,"language_code":"en","is_premium":false,"added_to_attachment_menu":false}`;
    const body = `"message_id":${this.#firstId + message},"date":${date},"chat":{${person},"type":"private"},"from":${from}`;
    return `{"update_id":${this.#firstId + message},"message":{${body},"text":"${this.#ledger.text(message)}"}}`;
  }
}

/** A kept-alive connection with one request at a time. Reads just enough HTTP to know that an answer is whole. */
class Connection {
  readonly #socket: Socket;
  readonly #head: string;
  #received = "";
  #done: (status: number) => void = () => undefined;

  constructor({ port, path, secret }: Webhook) {
    this.#head =
      `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\ncontent-type: application/json\r\n` +
      `x-telegram-bot-api-secret-token: ${secret}\r\ncontent-length: `;
    this.#socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.#socket.on("data", (chunk) => this.#read(chunk));
    // Reported once: the request in flight counts as refused, and the connection is not used again.
    this.#socket.on("error", () => this.#socket.destroy());
    this.#socket.on("close", () => this.#done(0));
  }

  get isClosed(): boolean {
    return this.#socket.destroyed;
  }

  /** `body` is ASCII. `done` gets the status; 0 when the connection broke. */
  post(body: string, done: (status: number) => void): void {
    this.#done = done;
    this.#socket.write(`${this.#head}${body.length}\r\n\r\n${body}`, "latin1");
  }

  close(): void {
    this.#done = () => undefined;
    this.#socket.destroy();
  }

  #read(chunk: Buffer): void {
    this.#received += chunk.toString("latin1");
    const headEnd = this.#received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    const head = this.#received.slice(0, headEnd);
    const length = /content-length: *(\d+)/i.exec(head)?.[1];
    const isWhole =
      length === undefined
        ? this.#received.endsWith("\r\n0\r\n\r\n") || !/transfer-encoding: *chunked/i.test(head)
        : this.#received.length >= headEnd + 4 + Number(length);
    if (!isWhole) return;
    this.#received = "";
    const done = this.#done;
    this.#done = () => undefined;
    done(Number(head.slice(9, 12)));
  }
}
