// The Vercel Chat SDK with its `queue` strategy on Redis. Messages that came in while one was answered are handed over
// together; one answer quotes them all, as its documentation advises.
import type { IncomingMessage, ServerResponse } from "node:http";
import { text } from "node:stream/consumers";
import { createRedisState } from "@chat-adapter/state-redis";
import { createTelegramAdapter } from "@chat-adapter/telegram";
import { type Adapter, Chat, ConsoleLogger } from "chat";
import { answerTo, serve, settings } from "./settings.ts";

const logger = new ConsoleLogger("warn");
const telegram = createTelegramAdapter({
  botToken: settings.token,
  secretToken: settings.secret,
  apiUrl: settings.apiRoot,
  mode: "webhook",
  userName: "bench_bot",
  logger,
  // The package's own types miss each other by an optional property.
}) as Adapter;
const bot = new Chat({
  userName: "bench_bot",
  adapters: { telegram },
  state: createRedisState({ url: settings.redisUrl, keyPrefix: settings.keyPrefix, logger }),
  // Its default of ten would drop messages of a busy conversation.
  concurrency: { strategy: "queue", maxQueueSize: 1_000 },
  logger,
});
bot.onDirectMessage(async (thread, message, _channel, context) => {
  const said = [...(context?.skipped ?? []), message].map((each) => each.text).join("\n");
  await thread.post(answerTo(said));
});
await bot.initialize();

serve(async (request: IncomingMessage, response: ServerResponse) => {
  const webhook = new Request(`http://127.0.0.1${request.url}`, {
    method: "POST",
    headers: request.headers as Record<string, string>,
    body: await text(request),
  });
  const answer = await bot.webhooks.telegram(webhook);
  response.writeHead(answer.status).end(await answer.text());
});
