import { z } from "zod";
import type { Why } from "../journey/why.ts";
import type { Frozen } from "./api-route.ts";
import { atShape, fromShape, isoTime, stateShape } from "./message-view.ts";

const brief = z.object({ id: z.string(), from: fromShape, state: stateShape, reason: z.string().nullable() });

/** A message's whole path as the API tells it. */
export const whyShape = z
  .object({
    message: brief.extend({ notice: z.string().nullable(), at: atShape }),
    conversation: z.string(),
    bot: z.string(),
    channel: z.string(),
    summary: z.string().describe("The state in a sentence."),
    path: z.array(
      z.object({
        stage: z.enum(["receive", "review", "turn", "step", "decide", "deliver"]),
        at: atShape,
        what: z.string(),
      }),
    ),
    related: z
      .array(brief)
      .describe("For a person's message, what the bot said to it. For the bot's, what it answered."),
  })
  .meta({ id: "Why" });

export function whyView(why: Why): Frozen<z.infer<typeof whyShape>> {
  return {
    ...why,
    message: { ...why.message, at: isoTime(why.message.at) },
    path: why.path.map((entry) => ({ ...entry, at: isoTime(entry.at) })),
  };
}
