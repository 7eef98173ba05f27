// A bot that survives a crash, built of the usual parts: grammY takes updates into a BullMQ queue, a worker answers them
// into a second one, and a worker of that sends the answers. BullMQ keeps order per key in its paid edition only; in the
// free one it is kept by sharding: each of the two queues is several, a chat has its own, and each does one job at a time.
// Eight shards were the fastest of 8, 16, 32 and 64.
import { Queue, Worker } from "bullmq";
import { Bot, webhookCallback } from "grammy";
import { answerTo, bullmqConnection, serve, settings } from "./settings.ts";

interface Said {
  readonly chatId: number;
  readonly text: string;
}

const shards = 8;
const basics = { connection: bullmqConnection(), prefix: settings.keyPrefix };

const bot = new Bot(settings.token, { client: { apiRoot: settings.apiRoot } });
await bot.init();

const outbox = sharded("outbox", ({ chatId, text }) => bot.api.sendMessage(chatId, text));
const inbox = sharded("inbox", (said) => add(outbox, { ...said, text: answerTo(said.text) }));
bot.on("message:text", (ctx) => add(inbox, { chatId: ctx.chat.id, text: ctx.message.text }, ctx.update.update_id));
serve(webhookCallback(bot, "http", { secretToken: settings.secret }));

/** A queue in shards, each with a worker that handles one job at a time. */
function sharded(name: string, handle: (said: Said) => Promise<unknown>): readonly Queue<Said>[] {
  return Array.from({ length: shards }, (_, shard) => {
    const worker = new Worker<Said>(`${name}-${shard}`, ({ data }) => handle(data).then(() => undefined), basics);
    worker.on("error", (error) => console.error(error.message));
    return new Queue<Said>(worker.name, { ...basics, defaultJobOptions: { attempts: 5, removeOnComplete: true } });
  });
}

/** The same `updateId` is the same job. */
async function add(queue: readonly Queue<Said>[], said: Said, updateId?: number): Promise<void> {
  const shard = queue[said.chatId % shards]!;
  await shard.add("said", said, updateId === undefined ? {} : { jobId: `update-${updateId}` });
}
