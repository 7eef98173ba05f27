// As `grammy-bullmq.ts`, but with two queues in all and order kept in the process: the workers do many jobs at once, and
// the jobs of one chat wait for each other. Faster, and not quite in order: BullMQ hands two jobs of a chat to the worker
// in the wrong order now and then. It would not hold for two processes, nor when a job is tried again.
import { Queue, Worker } from "bullmq";
import { Bot, webhookCallback } from "grammy";
import { answerTo, bullmqConnection, serve, settings } from "./settings.ts";

interface Said {
  readonly chatId: number;
  readonly text: string;
}

/** The fastest of 8, 16, 32, 64, 128 and 256. */
const concurrency = 32;
const basics = { connection: bullmqConnection(), prefix: settings.keyPrefix };
const queueOptions = { ...basics, defaultJobOptions: { attempts: 5, removeOnComplete: true } };
const inbox = new Queue<Said>("inbox", queueOptions);
const outbox = new Queue<Said>("outbox", queueOptions);

const bot = new Bot(settings.token, { client: { apiRoot: settings.apiRoot } });
bot.on("message:text", (ctx) =>
  inbox.add("said", { chatId: ctx.chat.id, text: ctx.message.text }, { jobId: `update-${ctx.update.update_id}` }),
);
await bot.init();

work(inbox.name, ({ chatId, text }) => outbox.add("said", { chatId, text: answerTo(text) }));
work(outbox.name, ({ chatId, text }) => bot.api.sendMessage(chatId, text));
serve(webhookCallback(bot, "http", { secretToken: settings.secret }));

/** Works on the jobs of a queue, those of one chat one after another. */
function work(queueName: string, handle: (said: Said) => Promise<unknown>): void {
  const tails = new Map<number, Promise<unknown>>();
  const inOrder = async ({ data }: { data: Said }): Promise<void> => {
    const before = tails.get(data.chatId) ?? Promise.resolve();
    const done = before.then(() => handle(data));
    const tail = done.catch(() => undefined);
    tails.set(data.chatId, tail);
    try {
      await done;
    } finally {
      if (tails.get(data.chatId) === tail) tails.delete(data.chatId);
    }
  };
  const worker = new Worker<Said>(queueName, inOrder, { ...basics, concurrency });
  worker.on("error", (error) => console.error(error.message));
}
