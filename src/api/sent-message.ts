import { z } from "zod";
import { mediaOf } from "../core/channel.ts";
import type { ContentHash } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import type { Part } from "../core/part.ts";
import { apiLimits } from "./api-limits.ts";

const text = z.string().min(1).max(limits.textMax);
const label = z.string().min(1).max(limits.labelMax);

/** SHA-256 of a file, in hexadecimal. */
export const fileHash = z.string().regex(/^[0-9a-f]{64}$/);

/** What a person may say. */
const sentPart = z
  .discriminatedUnion("kind", [
    z.strictObject({ kind: z.literal("text"), text }),
    z.strictObject({
      kind: z.literal("choice"),
      value: label.describe("The value of a choice that the bot offered."),
      label: label.optional(),
    }),
    z.strictObject({
      kind: z.literal("location"),
      latitude: z.number().min(-90).max(90),
      longitude: z.number().min(-180).max(180),
      name: label.optional(),
    }),
    z.strictObject({ kind: z.literal("contact"), name: label, phone: label.optional() }),
    z.strictObject({
      kind: z.literal("file"),
      hash: fileHash.describe("From `PUT /api/v1/files`, like `mimeType` and `bytes`."),
      mimeType: z.string().regex(/^[\w.+-]{1,60}\/[\w.+-]{1,60}$/),
      bytes: z.int().min(0).max(limits.fileBytesMax).optional(),
      name: label.optional(),
      caption: text.optional(),
    }),
  ])
  .meta({ id: "SentPart" });

/** A message that somebody sends for a person. */
export const sentMessage = z
  .strictObject({
    person: z
      .string()
      .min(1)
      .max(apiLimits.personMax)
      .regex(/^[^\p{Cc}\p{Cs}]+$/u, "must not contain control characters")
      .describe("Your own id of the person. The same id is the same person."),
    conversation: z.string().min(1).max(limits.labelMax).optional().describe("Must be this person's, when given."),
    text: text.optional().describe("Short for one text part. Give this or `parts`."),
    parts: z.array(sentPart).min(1).max(limits.partsMax).optional(),
    clientId: z
      .string()
      .regex(apiLimits.clientIdPattern, "must be 1 to 100 letters, digits, dots, underscores or hyphens")
      .optional()
      .describe("Your own id of the message: sent twice, it is one message. Give one if you ever send again."),
  })
  .refine((sent) => (sent.text === undefined) !== (sent.parts === undefined), "give either text or parts")
  .meta({ id: "SentMessage" });

/** The parts of a sent message, in core's words. */
export function sentParts(sent: z.output<typeof sentMessage>): readonly Part[] {
  if (sent.text !== undefined) return [{ kind: "text", text: sent.text }];
  return (sent.parts ?? []).map(partOf);
}

function partOf(sent: z.output<typeof sentPart>): Part {
  switch (sent.kind) {
    case "text":
      return sent;
    case "choice":
      return { kind: "choice", value: sent.value, label: sent.label ?? null, messageRef: null, pending: false };
    case "location":
      return { ...sent, name: sent.name ?? null };
    case "contact":
      return { ...sent, phone: sent.phone ?? null };
    case "file":
      return {
        kind: "file",
        media: mediaOf(sent.mimeType),
        mimeType: sent.mimeType,
        name: sent.name ?? null,
        bytes: sent.bytes ?? null,
        caption: sent.caption ?? null,
        hash: sent.hash as ContentHash,
        ref: null,
        missing: null,
      };
  }
}
