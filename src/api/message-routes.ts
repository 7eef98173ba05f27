import { z } from "zod";
import type { Channel } from "../core/channel.ts";
import { FileMissingError, InputError } from "../core/errors.ts";
import type { Files } from "../core/files.ts";
import type { BotId, ConversationId, MessageId } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import type { Message } from "../core/message.ts";
import type { Part } from "../core/part.ts";
import { why } from "../journey/why.ts";
import type { AnswerWaits } from "./answer-waits.ts";
import { type ApiRoute, defineRoute } from "./api-route.ts";
import { type HttpParts, webChannelOf } from "./http-parts.ts";
import { type MessageView, messageShape, messageView, stateShape } from "./message-view.ts";
import { sentMessage, sentParts } from "./sent-message.ts";
import { whyShape, whyView } from "./why-view.ts";

const id = z.strictObject({ id: z.string() });
const accepted = z.object({ message: z.string(), conversation: z.string() }).meta({ id: "Accepted" });
const answered = accepted
  .extend({
    state: stateShape,
    answers: z.array(messageShape).describe("What the bot said, in order, whatever became of it."),
  })
  .meta({ id: "Answered" });

/** Sending a message, and asking what became of it. */
export function messageRoutes(parts: HttpParts, waits: AnswerWaits): readonly ApiRoute[] {
  const { store, host } = parts;
  return [
    defineRoute({
      method: "POST",
      path: "/api/v1/bots/:bot/messages",
      name: "sendMessage",
      summary: "Sends a message to a bot as one of its persons; with `wait`, waits for the answers.",
      access: "key",
      params: z.strictObject({ bot: z.string() }),
      query: z.strictObject({
        wait: z.coerce
          .number()
          .min(0)
          .max(limits.waitMaxMs / 1000)
          .default(0)
          .describe("Seconds to wait for the answers. They are in the answer with status 200."),
      }),
      body: sentMessage,
      answers: { 202: accepted, 200: answered },
      async handle({ params, query, body, signal }) {
        const channel = findWebChannel(params.bot as BotId, parts);
        const said = sentParts(body);
        await checkFiles(said, parts.files);
        const clientId = body.clientId ?? host.newId("api");
        const update = parts.messageUpdate({ personRef: body.person, clientId, parts: said });
        if (body.conversation !== undefined) {
          await checkConversation(body.conversation as ConversationId, channel, update.conversation.ref, parts);
        }
        const { messageId, conversationId } = await parts.accept(channel, update);
        const ids = { message: messageId, conversation: conversationId };
        const waitMs = query.wait * 1000;
        const found = waitMs === 0 ? undefined : await waits.answersTo(messageId, waitMs, signal);
        if (found === undefined) return { status: 202, body: ids };
        const { message, answers } = found;
        return { status: 200, body: { ...ids, state: message.state, answers: answers.map(answerView) } };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/messages/:id",
      name: "getMessage",
      summary: "A message as it stands.",
      access: "key",
      params: id,
      answers: { 200: messageShape },
      async handle({ params }) {
        const message = await store.findMessage(params.id as MessageId);
        if (message === undefined) throw noMessage(params.id);
        return { status: 200, body: messageView(message) };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/messages/:id/why",
      name: "explainMessage",
      summary: "What became of a message, and why: its whole path.",
      access: "key",
      params: id,
      answers: { 200: whyShape },
      async handle({ params }) {
        const found = await why(params.id as MessageId, store);
        if (found === undefined) throw noMessage(params.id);
        return { status: 200, body: whyView(found) };
      },
    }),
  ];
}

/** What did not pass its review is told of, but not told. */
function answerView(message: Message): MessageView {
  const isOut = message.state !== "held" && message.state !== "rejected";
  return messageView(isOut ? message : { ...message, parts: [] });
}

function noMessage(messageId: string): InputError {
  return new InputError("not_found", `There is no message ${messageId}.`);
}

function findWebChannel(botId: BotId, { directory }: HttpParts): Channel {
  const bot = directory.findBot(botId);
  if (bot === undefined) throw new InputError("not_found", `There is no bot ${botId}.`);
  const channel = webChannelOf(directory, bot);
  if (channel !== undefined) return channel;
  throw new InputError(
    "conflict",
    `The bot ${botId} has no web channel, which messages of the API come in by: add "platform: web" to its channels.`,
  );
}

/** Another's conversation is answered like one that is not there: nobody learns which there are. */
async function checkConversation(
  conversationId: ConversationId,
  channel: Channel,
  ref: string,
  { store }: HttpParts,
): Promise<void> {
  const conversation = await store.findConversation(conversationId);
  if (conversation?.channelId === channel.id && conversation.ref === ref) return;
  throw new InputError("not_found", `This person has no conversation ${conversationId} with this bot.`);
}

async function checkFiles(parts: readonly Part[], files: Files): Promise<void> {
  for (const part of parts) {
    if (part.kind !== "file" || part.hash === null) continue;
    const content = files.read(part.hash)[Symbol.asyncIterator]();
    try {
      await content.next();
    } catch (error) {
      if (!(error instanceof FileMissingError)) throw error;
      const detail = `There is no file ${part.hash}: upload it first with PUT /api/v1/files.`;
      throw new InputError("invalid_input", detail, { cause: error });
    }
    await content.return?.();
  }
}
