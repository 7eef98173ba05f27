// What most bots are: grammY behind a webhook, and nothing that survives a crash.
import { Bot, webhookCallback } from "grammy";
import { answerTo, serve, settings } from "./settings.ts";

const bot = new Bot(settings.token, { client: { apiRoot: settings.apiRoot } });
bot.on("message:text", (ctx) => ctx.reply(answerTo(ctx.message.text)));
await bot.init();

serve(webhookCallback(bot, "http", { secretToken: settings.secret }));
