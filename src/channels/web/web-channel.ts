import { z } from "zod";
import type { Accept, Accepted, TypingChannel, Update } from "../../core/channel.ts";
import { InputError, StorageError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import type { BotId, ChannelId, ConversationId } from "../../core/ids.ts";
import { limits } from "../../core/limits.ts";
import type { Part } from "../../core/part.ts";
import { webLimits } from "./web-limits.ts";

/** What stands beside `platform: web` in the configuration. */
export const webOptions = z.strictObject({
  title: z
    .string()
    .min(1)
    .max(100)
    .optional()
    .describe("What the chat page calls the bot. The bot's id when not given."),
  allowedOrigins: z
    .array(z.string().refine(isOrigin, "must be an origin like https://example.com, without a path"))
    .max(100)
    .default([])
    .describe("Other sites that may show the chat, and whose own scripts may talk to it: https://example.com."),
});

export type WebOptions = z.infer<typeof webOptions>;

/** The chat page, its widget and whatever else speaks its protocol. */
export interface WebChannel extends TypingChannel {
  readonly options: WebOptions;
  /** Takes an update in. Throws `StorageError` while the channel does not listen. */
  readonly accept: Accept;
  /** Calls `listener` when the bot begins to write in this conversation. Returns what ends that. */
  watchTyping(conversationId: ConversationId, listener: () => void): () => void;
}

export function createWebChannel({
  id,
  botId,
  options,
  host,
}: {
  id: ChannelId;
  botId: BotId;
  options: WebOptions;
  host: Pick<Host, "clock">;
}): WebChannel {
  const typing = new Map<ConversationId, Set<() => void>>();
  let accepting: Accept | undefined;

  return {
    id,
    botId,
    options,
    platform: "web",
    limits: {
      textMax: limits.textMax,
      captionMax: limits.textMax,
      choicesMax: limits.choicesMax,
      fileBytesMax: limits.fileBytesMax,
    },
    // Whoever reads the page knows messages by their ids, so a second copy is none.
    whenUnknown: "resend",

    async listen(accept, signal) {
      if (signal.aborted) return;
      accepting = accept;
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      if (accepting === accept) accepting = undefined;
    },

    // The history is the platform: pages show what is recorded as delivered, and fetch what they missed.
    async deliver({ message }) {
      return [{ platformRef: message.id, at: Math.floor(host.clock.now()) }];
    },

    async showTyping(conversation) {
      for (const listener of typing.get(conversation.id) ?? []) listener();
    },

    async accept(update): Promise<Accepted> {
      if (accepting === undefined) throw new StorageError("The web channel is not listening now: try again soon.");
      return accepting(update);
    },

    watchTyping(conversationId, listener) {
      const listeners = typing.get(conversationId) ?? new Set();
      typing.set(conversationId, listeners.add(listener));
      return () => {
        listeners.delete(listener);
        if (listeners.size === 0) typing.delete(conversationId);
      };
    },
  };
}

/**
 * What a person says on the web channel, whichever program brought it: the page, or the REST API. The same `clientId` of
 * the same person is the same message.
 *
 * @param said.conversationRef The person's own conversation where it is not given.
 * @throws InputError for a `clientId` that is not 1 to 100 letters, digits, `.`, `_` or `-`.
 */
export function webUpdate(said: {
  readonly personRef: string;
  readonly clientId: string;
  readonly parts: readonly Part[];
  readonly conversationRef?: string;
  /** As the browser says: `pt-BR`. */
  readonly language?: string;
}): Update {
  const { personRef, clientId, parts, conversationRef = personRef, language = null } = said;
  // Without a colon in it, `person:client` can be read in one way only.
  if (!webLimits.clientIdPattern.test(clientId)) {
    throw new InputError(
      "invalid_input",
      "The clientId must be 1 to 100 letters, digits, dots, underscores or hyphens.",
    );
  }
  const choice = parts.find((part) => part.kind === "choice");
  return {
    key: `${personRef}:${clientId}`,
    conversation: { ref: conversationRef, isGroup: false, movedFrom: null },
    person: { ref: personRef, name: null, language },
    parts,
    notice: null,
    platformRef: clientId,
    replyTo: choice?.messageRef ?? null,
  };
}

function isOrigin(text: string): boolean {
  return /^https?:\/\//.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
