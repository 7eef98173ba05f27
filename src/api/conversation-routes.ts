import { z } from "zod";
import type { Conversation } from "../core/conversation.ts";
import { InputError } from "../core/errors.ts";
import type { BotId, ConversationId } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import { type ApiRoute, defineRoute, type Frozen } from "./api-route.ts";
import type { HttpParts } from "./http-parts.ts";
import { atShape, isoTime, messageShape, messageView } from "./message-view.ts";
import { pageQuery, pageRequest, pageShape, pageView } from "./pages.ts";

const conversationShape = z
  .object({
    id: z.string(),
    bot: z.string(),
    channel: z.string(),
    isGroup: z.boolean(),
    person: z.string().nullable().describe("Parley's id of the one person it is with; null in a group."),
    createdAt: atShape,
  })
  .meta({ id: "Conversation" });

/** Reading what was said. */
export function conversationRoutes({ store }: HttpParts): readonly ApiRoute[] {
  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/conversations",
      name: "listConversations",
      summary: "Conversations, newest first.",
      access: "key",
      query: z.strictObject({ ...pageQuery, bot: z.string().min(1).max(limits.labelMax).optional() }),
      answers: { 200: pageShape(conversationShape) },
      async handle({ query }) {
        const filter = query.bot === undefined ? {} : { botId: query.bot as BotId };
        const page = await store.conversations(filter, pageRequest(query));
        return { status: 200, body: pageView(page, conversationView) };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/conversations/:id/messages",
      name: "listMessages",
      summary: "The messages of a conversation, oldest first.",
      access: "key",
      params: z.strictObject({ id: z.string() }),
      query: z.strictObject(pageQuery),
      answers: { 200: pageShape(messageShape) },
      async handle({ params, query }) {
        const id = params.id as ConversationId;
        const page = await store.messages(id, pageRequest(query));
        if (page.items.length === 0 && (await store.findConversation(id)) === undefined) {
          throw new InputError("not_found", `There is no conversation ${id}.`);
        }
        return { status: 200, body: pageView(page, messageView) };
      },
    }),
  ];
}

function conversationView(conversation: Conversation): Frozen<z.infer<typeof conversationShape>> {
  const { id, botId, channelId, isGroup, personId, createdAt } = conversation;
  return { id, bot: botId, channel: channelId, isGroup, person: personId, createdAt: isoTime(createdAt) };
}
