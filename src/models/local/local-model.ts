import { z } from "zod";
import { limits } from "../../core/limits.ts";
import type { Model } from "../../core/model.ts";

/** What stands under an engine of `type: local` in the configuration. */
export const localModelOptions = z.strictObject({
  responses: z
    .record(z.string().min(1).max(limits.labelMax), z.string().max(limits.textMax))
    .default({})
    .describe("Answers by keyword. The first keyword that occurs in the message wins, whatever the case."),
  default: z
    .string()
    .max(limits.textMax)
    .optional()
    .describe("The answer when no keyword occurs. When absent, the message is repeated."),
});

/** A model that needs no network and always answers alike: for trying things out, for demonstrations and for tests. */
export function createLocalModel(options: z.output<typeof localModelOptions>): Model {
  const responses = Object.entries(options.responses).map(([keyword, text]) => ({
    keyword: keyword.toLowerCase(),
    text,
  }));

  const answerTo = (said: string): string => {
    const lowered = said.toLowerCase();
    return (
      responses.find(({ keyword }) => lowered.includes(keyword))?.text ??
      options.default ??
      `I received your message: '${said}'. This is a test response from the local engine.`
    );
  };

  return {
    name: "local",
    historyMax: 0,
    async generate({ persona, messages }, signal) {
      signal.throwIfAborted();
      // Each message gets its own answer, also when a turn takes several.
      const unanswered = messages.slice(messages.findLastIndex(({ role }) => role === "bot") + 1);
      return { texts: unanswered.map(({ text }) => `[${persona.name}]: ${answerTo(text)}`) };
    },
  };
}
