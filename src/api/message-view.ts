import { z } from "zod";
import type { Message } from "../core/message.ts";
import type { Frozen } from "./api-route.ts";

const partShape = z
  .discriminatedUnion("kind", [
    z.object({ kind: z.literal("text"), text: z.string() }),
    z.object({
      kind: z.literal("file"),
      media: z.enum(["image", "audio", "voice", "video", "document", "sticker"]),
      mimeType: z.string(),
      name: z.string().nullable(),
      bytes: z.number().nullable(),
      caption: z.string().nullable(),
      hash: z
        .string()
        .nullable()
        .describe("For `GET /api/v1/files/{hash}`; null where Parley does not hold the content."),
      ref: z.string().nullable().describe("The platform's own id of the file."),
      missing: z.string().nullable().describe("Why the content cannot be had; null when it can."),
    }),
    z.object({ kind: z.literal("choices"), choices: z.array(z.object({ label: z.string(), value: z.string() })) }),
    z.object({
      kind: z.literal("choice"),
      value: z.string(),
      label: z.string().nullable(),
      messageRef: z.string().nullable(),
      pending: z.boolean(),
    }),
    z.object({
      kind: z.literal("location"),
      latitude: z.number(),
      longitude: z.number(),
      name: z.string().nullable(),
    }),
    z.object({ kind: z.literal("contact"), name: z.string(), phone: z.string().nullable() }),
    z.object({ kind: z.literal("reaction"), emoji: z.string(), messageRef: z.string().nullable() }),
    z.object({ kind: z.literal("unsupported"), type: z.string().describe("The platform's own name of it.") }),
  ])
  .meta({ id: "Part" });

/** A message's state as the API tells it. */
export const stateShape = z
  .enum(["received", "queued", "held", "answered", "ignored", "rejected", "delivered", "unknown", "dead"])
  .meta({ id: "MessageState" });

export const fromShape = z.enum(["person", "bot", "operator"]);

/** A moment: `2026-11-21T05:54:00.123Z`. */
export const atShape = z.string().meta({ format: "date-time" });

/** A message as the API tells it. */
export const messageShape = z
  .object({
    id: z.string(),
    conversation: z.string(),
    from: fromShape,
    parts: z.array(partShape),
    state: stateShape,
    reason: z.string().nullable().describe("Why it is in this state; null when that goes without saying."),
    at: atShape,
  })
  .meta({ id: "Message" });

export type MessageView = Frozen<z.infer<typeof messageShape>>;

export function messageView(message: Message): MessageView {
  const { id, conversationId, from, parts, state, reason, at } = message;
  return { id, conversation: conversationId, from, parts, state, reason, at: isoTime(at) };
}

/** Milliseconds since 1970, as the API tells a time. */
export function isoTime(at: number): string {
  return new Date(at).toISOString();
}
