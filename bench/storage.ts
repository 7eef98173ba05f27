/**
 * How many whole messages SQLite takes per second, FULL: enqueue → claim → settle with an answer → claim → settle.
 * 256 messages under way over 1,000 conversations. `node bench/storage.ts [messages]`
 */
import { createHash } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Change } from "../src/core/change.ts";
import type { Conversation } from "../src/core/conversation.ts";
import type { Host } from "../src/core/host.ts";
import type { BotId, ChannelId, ContentHash, ConversationId, MessageId, PersonId, TurnId } from "../src/core/ids.ts";
import type { QueueName } from "../src/core/job.ts";
import type { Message } from "../src/core/message.ts";
import type { Lease } from "../src/core/queue.ts";
import type { Storage } from "../src/core/store.ts";
import { openSqliteStorage } from "../src/storage/sqlite/sqlite-storage.ts";

const total = Number(process.argv[2] ?? 50_000);
const underWayMax = 256;
const lanesMax = 256;
const done = { kind: "done" } as const;

let idCount = 0;
const host: Host = {
  clock: {
    now: () => performance.timeOrigin + performance.now(),
    after(ms, work) {
      const timer = setTimeout(work, ms);
      return () => clearTimeout(timer);
    },
  },
  hash: (text) => createHash("sha256").update(text).digest("hex"),
  newId(prefix) {
    idCount += 1;
    return `${prefix}_${String(idCount).padStart(22, "0")}`;
  },
  random: Math.random,
};

const text = "What people write is about this long. ".repeat(8);
const contentHash = host.hash(text) as ContentHash;
const conversations = Array.from({ length: 1_000 }, (_, index): Conversation => {
  const id = `cnv_${host.hash(String(index)).slice(0, 24)}` as ConversationId;
  return {
    id,
    botId: "demo" as BotId,
    channelId: "demo-telegram" as ChannelId,
    ref: String(100_000 + index),
    isGroup: false,
    personId: `psn_${host.hash(id).slice(0, 24)}` as PersonId,
    createdAt: Date.now(),
    engineState: null,
  };
});

function message(conversation: Conversation, fields: Partial<Message>): Message {
  return {
    id: host.newId("msg") as MessageId,
    conversationId: conversation.id,
    from: "person",
    personId: conversation.personId,
    parts: [{ kind: "text", text }],
    contentHash,
    state: "received",
    reason: null,
    turnId: null,
    notice: null,
    platformRef: "4711",
    replyTo: null,
    at: Date.now(),
    ...fields,
  };
}

function receive(storage: Storage, number: number): Promise<unknown> {
  const conversation = conversations[number % conversations.length] as Conversation;
  const said = message(conversation, {});
  const changes: Change[] = [
    { kind: "conversation", conversation },
    {
      kind: "person",
      person: {
        id: said.personId as PersonId,
        channelId: conversation.channelId,
        ref: conversation.ref,
        name: "Ann",
        language: "en",
      },
    },
    { kind: "message", message: said },
  ];
  const { id: messageId, conversationId } = said;
  const key = `demo-telegram:${number}`;
  return storage.enqueue({ queue: "inbox", key, conversationId, messageId, priority: 5, quietMs: 0 }, changes);
}

/** What a turn writes for each message it took. */
function answers(lease: Lease): readonly Change[] {
  const { conversation } = lease;
  return lease.jobs.flatMap(({ message: { id: messageId } }): Change[] => {
    const turnId = host.newId("trn") as TurnId;
    const said = message(conversation, { from: "bot", personId: null, state: "queued", platformRef: null, turnId });
    const verdict = {
      contentHash,
      outcome: "pass",
      reviewer: "rules",
      changed: false,
      reason: null,
      at: said.at,
    } as const;
    const turn = {
      id: turnId,
      conversationId: conversation.id,
      messageIds: [messageId],
      answerIds: [said.id],
      route: "default",
      engine: "agent:assistant",
      attempt: 1,
      startedAt: said.at,
      endedAt: said.at,
    };
    return [
      { kind: "verdict", verdict: { ...verdict, messageId, direction: "inbound" } },
      { kind: "turn", turn },
      { kind: "message", message: said },
      { kind: "verdict", verdict: { ...verdict, messageId: said.id, direction: "outbound" } },
      {
        kind: "job",
        job: {
          queue: "outbox",
          key: `deliver:${said.id}`,
          conversationId: conversation.id,
          messageId: said.id,
          priority: 5,
          contentHash,
        },
      },
      { kind: "state", messageId, from: "received", to: "answered", reason: null, turnId },
    ];
  });
}

function delivered(lease: Lease): readonly Change[] {
  return lease.jobs.flatMap(({ message: { id: messageId, at } }): Change[] => {
    const receipts = [{ platformRef: "4712", at }];
    return [
      {
        kind: "attempt",
        attempt: { messageId, attempt: lease.attempt, outcome: "delivered", receipts, reason: null, at },
      },
      { kind: "state", messageId, from: "queued", to: "delivered", reason: null, platformRef: "4712" },
    ];
  });
}

/** The loop of a worker. */
async function work(
  storage: Storage,
  queue: QueueName,
  signal: AbortSignal,
  settle: (lease: Lease) => Promise<unknown>,
): Promise<void> {
  while (!signal.aborted) {
    const leases = await storage.claim({ queue, lanesMax, jobsMax: queue === "inbox" ? 50 : 1, leaseMs: 30_000 });
    for (const lease of leases) void settle(lease);
    if (leases.length === 0) await storage.waitForWork(queue, 1_000, signal);
  }
}

function percentile(sorted: readonly number[], share: number): string {
  return (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
}

const folder = mkdtempSync(join(tmpdir(), "parley-bench-storage-"));
const storage = await openSqliteStorage({ folder, host, as: "server" });
const stop = new AbortController();
const finished = Promise.withResolvers<void>();
const acceptMs: number[] = [];
let sent = 0;
let ended = 0;

async function send(): Promise<void> {
  const number = sent;
  sent += 1;
  const began = performance.now();
  await receive(storage, number);
  acceptMs.push(performance.now() - began);
}

const began = performance.now();
const cpuBegan = process.cpuUsage();
const threadBegan = process.threadCpuUsage();
const loops = [
  work(storage, "inbox", stop.signal, (lease) => storage.settle(lease, done, answers(lease))),
  work(storage, "outbox", stop.signal, async (lease) => {
    await storage.settle(lease, done, delivered(lease));
    for (const _job of lease.jobs) {
      ended += 1;
      if (sent < total) void send();
    }
    if (ended === total) finished.resolve();
  }),
];
for (let count = 0; count < underWayMax; count += 1) void send();
await finished.promise;
const seconds = (performance.now() - began) / 1_000;
const cpu = process.cpuUsage(cpuBegan);
const main = process.threadCpuUsage(threadBegan);
stop.abort();
await Promise.all(loops);
await storage.close();
rmSync(folder, { recursive: true });

acceptMs.sort((a, b) => a - b);
const perMessage = (micros: number): string => `${(micros / total).toFixed(1)} µs`;
console.log(
  `${Math.round(total / seconds)} messages/s (${total} messages, ${underWayMax} under way, 1,000 conversations)`,
);
console.log(`accepted after: p50 ${percentile(acceptMs, 0.5)} ms, p99 ${percentile(acceptMs, 0.99)} ms`);
console.log(
  `CPU per message: ${perMessage(cpu.user + cpu.system)} in all, main thread ${perMessage(main.user + main.system)}`,
);
