import type { Engine } from "../../core/engine.ts";
import { limits } from "../../core/limits.ts";
import type { Draft, Message } from "../../core/message.ts";
import type { Model, Persona, PromptMessage } from "../../core/model.ts";
import { describeParts } from "./describe-parts.ts";

/**
 * An engine that lets a model answer in a persona's name. Keeps no state: what was said before comes from the
 * conversation. A `ModelError` passes through, and the turn is tried again.
 */
export function createAgentEngine({ id, persona, model }: { id: string; persona: Persona; model: Model }): Engine {
  const historyMax = Math.min(model.historyMax, limits.historyMax);

  return {
    name: `agent:${id}`,
    async takeTurn(context) {
      const { conversation, messages, signal } = context;
      const before = historyMax > 0 ? await context.history(historyMax) : [];
      const answer = await model.generate({ persona, messages: [...before, ...messages].map(toPrompt) }, signal);
      signal.throwIfAborted();
      const isOneEach = answer.texts.length === messages.length;
      const drafts = answer.texts.map((text, index): Draft => {
        const answered = isOneEach ? messages[index] : messages.at(-1);
        // Several people may be talking in a group: the reply shows whom it is for.
        return {
          parts: [{ kind: "text", text }],
          replyTo: conversation.isGroup ? (answered?.platformRef ?? null) : null,
        };
      });
      return { drafts: drafts.filter((_draft, index) => answer.texts[index]?.trim() !== "") };
    },
  };
}

/** What an operator says, the bot says. */
function toPrompt({ from, parts }: Message): PromptMessage {
  return { role: from === "person" ? "person" : "bot", text: describeParts(parts) };
}
