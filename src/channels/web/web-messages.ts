import type { FastifyInstance, FastifyRequest } from "fastify";
import { z } from "zod";
import { InputError } from "../../core/errors.ts";
import type { ContentHash, MessageId } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { ChoicePart, FilePart, Part } from "../../core/part.ts";
import type { Store } from "../../core/store.ts";
import { webUpdate } from "./web-channel.ts";
import type { WebFiles } from "./web-files.ts";
import { cursorOf, type HistoryStore, newestPage, olderPage } from "./web-history.ts";
import { webLimits } from "./web-limits.ts";
import { isVisible, webMessage } from "./web-message.ts";
import type { Visit, WebVisits } from "./web-visits.ts";

export interface WebMessagesSources {
  readonly store: HistoryStore & Pick<Store, "findMessage">;
  readonly visits: WebVisits;
  readonly files: WebFiles;
}

const listQuery = z.object({
  cursor: z.string().max(200).optional(),
  limit: z.coerce.number().int().min(1).max(webLimits.pageMax).default(webLimits.pageDefault),
});

const text = z
  .string()
  .max(limits.textMax)
  .refine((said) => said.trim() !== "", "must say something");

const saidPart = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("text"), text }),
  /** `file` is what the upload answered. */
  z.strictObject({ kind: z.literal("file"), file: z.string().max(4_096), caption: text.optional() }),
  /** The value must be one that the message offered. */
  z.strictObject({
    kind: z.literal("choice"),
    value: z.string().max(limits.labelMax),
    messageRef: z.string().max(200),
  }),
  z.strictObject({
    kind: z.literal("location"),
    latitude: z.number().min(-90).max(90),
    longitude: z.number().min(-180).max(180),
    name: z.string().max(limits.labelMax).optional(),
  }),
]);

const saidBody = z
  .strictObject({
    clientId: z.string().regex(webLimits.clientIdPattern),
    text: text.optional(),
    parts: z.array(saidPart).min(1).max(webLimits.partsMax).optional(),
  })
  .refine((body) => (body.text === undefined) !== (body.parts === undefined), "give either text or parts");

/** `GET` and `POST /chat/:bot/messages`. */
export function messageRoutes(app: FastifyInstance, { store, visits, files }: WebMessagesSources): void {
  app.get("/chat/:bot/messages", async (request, reply) => {
    const { cursor, limit } = listQuery.parse(request.query);
    const visit = visits.visit(request, reply);
    reply.header("cache-control", "no-store");
    const show = (message: Parameters<typeof webMessage>[0]) => webMessage(message, (part) => files.urlOf(part, visit));
    if (cursor !== undefined) {
      const page = await olderPage(store, visit.conversationId, cursor as MessageId, limit);
      return { items: page.messages.map(show), next: page.next };
    }
    const page = await newestPage(store, visit.conversationId, limit);
    return { items: page.messages.map(show), next: page.next, live: cursorOf(page.place) };
  });

  app.post("/chat/:bot/messages", { bodyLimit: limits.bodyBytesMax }, async (request, reply) => {
    const visit = visits.visit(request, reply);
    const body = saidBody.parse(request.body);
    const said = body.parts ?? [{ kind: "text" as const, text: body.text ?? "" }];
    const parts = await Promise.all(said.map((part) => partOf(part, visit, store, files)));
    const language = languageOf(request);
    const update = webUpdate({
      personRef: visit.personRef,
      clientId: body.clientId,
      parts,
      ...(language === undefined ? {} : { language }),
    });
    const { messageId, conversationId } = await visit.channel.accept(update);
    return reply.code(202).send({ message: messageId, conversation: conversationId });
  });
}

async function partOf(
  part: z.infer<typeof saidPart>,
  visit: Visit,
  store: WebMessagesSources["store"],
  files: WebFiles,
): Promise<Part> {
  switch (part.kind) {
    case "text":
      return part;
    case "file":
      return filePart(part.file, part.caption ?? null, visit, files);
    case "choice":
      return choicePart(part, visit, store);
    case "location":
      return { ...part, name: part.name ?? null };
  }
}

function filePart(file: string, caption: string | null, visit: Visit, files: WebFiles): FilePart {
  const { hash, mimeType, name, bytes, media } = files.open(file, visit);
  return { kind: "file", media, mimeType, name, bytes, caption, hash: hash as ContentHash, ref: null, missing: null };
}

/** What the button said comes from the message that had it, not from whoever pressed it. */
async function choicePart(
  { value, messageRef }: { readonly value: string; readonly messageRef: string },
  { conversationId }: Visit,
  store: WebMessagesSources["store"],
): Promise<ChoicePart> {
  const offer = await store.findMessage(messageRef as MessageId);
  const isOurs = offer?.conversationId === conversationId && isVisible(offer);
  const offered = isOurs ? offer.parts.flatMap((part) => (part.kind === "choices" ? part.choices : [])) : [];
  const choice = offered.find((one) => one.value === value);
  if (choice === undefined) throw new InputError("invalid_input", "This choice was not offered in that message.");
  return { kind: "choice", value, label: choice.label, messageRef, pending: false };
}

/** The first language that the browser asks for. */
function languageOf(request: FastifyRequest): string | undefined {
  return /^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*/.exec(request.headers["accept-language"] ?? "")?.[0];
}
