import type { Bot } from "../../src/core/bot.ts";
import type { Channel, Delivery, Update } from "../../src/core/channel.ts";
import type { Receipt } from "../../src/core/delivery.ts";
import type { Engine, TurnContext, TurnResult } from "../../src/core/engine.ts";
import type { Files } from "../../src/core/files.ts";
import type { BotId, ChannelId, MessageId } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { Log } from "../../src/core/log.ts";
import type { Message } from "../../src/core/message.ts";
import type { Part } from "../../src/core/part.ts";
import type { Lease } from "../../src/core/queue.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import type { Storage } from "../../src/core/store.ts";
import { Journey } from "../../src/journey/journey.ts";
import type { JourneyPoint, Meter } from "../../src/journey/meter.ts";
import { MemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import { TestHost } from "../contracts/test-host.ts";

const botId = "demo" as BotId;
const channelId = "demo-test" as ChannelId;

/** A channel that keeps what it is given, and fails as it is told. */
export class TestChannel implements Channel {
  readonly id = channelId;
  readonly botId = botId;
  readonly platform = "test";
  readonly limits = { textMax: 4096, captionMax: 1024, choicesMax: 8, fileBytesMax: 1024 };
  whenUnknown: "resend" | "stop" = "stop";
  readonly delivered: Message[] = [];
  /** Called before each delivery; what it throws is the delivery's failure. */
  before: (delivery: Delivery) => void | Promise<void> = () => undefined;

  async listen(): Promise<void> {
    await Promise.resolve();
  }

  async deliver(delivery: Delivery, _signal: AbortSignal): Promise<readonly Receipt[]> {
    await this.before(delivery);
    this.delivered.push(delivery.message);
    return [{ platformRef: `p${this.delivered.length}`, at: 0 }];
  }

  get texts(): readonly string[] {
    return this.delivered.map(({ parts }) =>
      parts.map((part) => (part.kind === "text" ? part.text : part.kind)).join("|"),
    );
  }
}

type Answer = (context: TurnContext) => TurnResult | Promise<TurnResult>;

/** An engine that says "you said: …", or whatever it is given. */
export function engineOf(name: string, answer: Answer = echo): Engine {
  return { name, takeTurn: async (context) => answer(context) };
}

function echo({ messages }: TurnContext): TurnResult {
  return say(`you said: ${messages.flatMap(({ parts }) => parts.map(textOf)).join(" + ")}`);
}

function textOf(part: Part): string {
  return part.kind === "text" ? part.text : part.kind;
}

export function say(...texts: string[]): TurnResult {
  return { drafts: texts.map((text) => ({ parts: [{ kind: "text", text }], replyTo: null })) };
}

/** Passes everything. */
export const lenient: Reviewer = { name: "lenient", review: () => ({ kind: "pass" }) };

export interface World {
  readonly host: TestHost;
  readonly storage: Storage;
  readonly journey: Journey;
  readonly channel: TestChannel;
  readonly bot: { -readonly [Name in keyof Bot]: Bot[Name] };
  readonly lines: { readonly level: string; readonly data: object }[];
  readonly points: JourneyPoint[];
  say(text: string, from?: string): Promise<MessageId>;
  receive(update: Partial<Update> & { readonly text?: string }): Promise<MessageId>;
  /** One claim of the inbox, worked on. */
  turn(): Promise<number>;
  /** One claim of the outbox, worked on. */
  deliver(): Promise<number>;
  /** Turns and deliveries until there is nothing to do now. */
  rest(): Promise<void>;
  load(id: MessageId): Promise<Message>;
}

export function createWorld(options: { engine?: Engine; storage?: Storage; host?: TestHost } = {}): World {
  const host = options.host ?? new TestHost();
  const storage = options.storage ?? new MemoryStorage(host);
  const channel = new TestChannel();
  const engine = options.engine ?? engineOf("agent:echo");
  const bot: World["bot"] = {
    id: botId,
    name: "Demo",
    reviewers: [lenient],
    routes: [{ name: "default", when: {}, engine: engine.name, priority: 0 }],
    engines: new Map([[engine.name, engine]]),
    quietMs: 0,
  };
  const lines: { level: string; data: object }[] = [];
  const points: JourneyPoint[] = [];
  const journey = new Journey({
    storage,
    files: noFiles,
    directory: {
      findBot: (id) => (id === bot.id ? bot : undefined),
      findChannel: (id) => (id === channel.id ? channel : undefined),
    },
    host,
    log: keeping(lines),
    meter: silent,
    at: (point) => points.push(point),
  });
  const accept = journey.acceptFrom(channel);
  let updates = 0;
  const signal = new AbortController().signal;
  const claim = async (queue: "inbox" | "outbox"): Promise<readonly Lease[]> =>
    storage.claim({
      queue,
      lanesMax: 100,
      jobsMax: queue === "inbox" ? limits.turnMessagesMax : limits.laneDeliveriesMax,
      leaseMs: limits.leaseMs,
    });

  const world: World = {
    host,
    storage,
    journey,
    channel,
    bot,
    lines,
    points,
    say: (text, from = "anna") => world.receive({ text, person: { ref: from, name: null, language: null } }),
    async receive({ text, ...update }) {
      updates += 1;
      const person = update.person ?? { ref: "anna", name: null, language: null };
      const accepted = await accept({
        key: String(updates),
        conversation: { ref: person.ref, isGroup: false, movedFrom: null },
        parts: [{ kind: "text", text: text ?? "hello" }],
        notice: null,
        platformRef: null,
        replyTo: null,
        ...update,
        person,
      });
      return accepted.messageId;
    },
    async turn() {
      const leases = await claim("inbox");
      await Promise.all(leases.map((lease) => journey.takeTurn(lease, signal)));
      return leases.length;
    },
    async deliver() {
      const leases = await claim("outbox");
      await Promise.all(leases.map((lease) => journey.deliver(lease, signal, signal)));
      return leases.length;
    },
    async rest() {
      while ((await world.turn()) + (await world.deliver()) > 0);
    },
    async load(id) {
      const message = await storage.findMessage(id);
      if (message === undefined) throw new Error(`no message ${id}`);
      return message;
    },
  };
  return world;
}

const noFiles: Files = {
  save: () => Promise.reject(new Error("no files here")),
  read: () => {
    throw new Error("no files here");
  },
};

const silent: Meter = {
  received: () => undefined,
  moved: () => undefined,
  stage: () => undefined,
  attempted: () => undefined,
};

function keeping(lines: { level: string; data: object }[]): Log {
  const at = (level: string) => (data: object) => void lines.push({ level, data });
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}
