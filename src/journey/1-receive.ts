import type { Bot } from "../core/bot.ts";
import type { Change } from "../core/change.ts";
import type { Channel, Update } from "../core/channel.ts";
import { cleanParts, cleanText, contentHash } from "../core/content.ts";
import { conversationIdOf, personIdOf } from "../core/conversation.ts";
import { InputError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { ConversationId, MessageId } from "../core/ids.ts";
import type { InboxJob } from "../core/job.ts";
import { limits } from "../core/limits.ts";

/**
 * Stage 1: an update becomes a message in the inbox. Nothing else happens here: what is only written down can be
 * acknowledged at once, and Parley goes on at its own pace, not at the platform's.
 *
 * @param conversationOf The conversation that moved to this address, if one did.
 * @throws InputError for an update without a key or an address.
 */
export function receive(
  update: Update,
  channel: Pick<Channel, "id" | "botId">,
  bot: Pick<Bot, "quietMs">,
  conversationOf: (ref: string) => ConversationId | undefined,
  host: Host,
): { readonly job: InboxJob; readonly changes: readonly Change[] } {
  const ref = address(update.conversation.ref, "conversation");
  const key = `${channel.id}:${address(update.key, "update")}`;
  const movedFrom = update.conversation.movedFrom;
  const conversationId =
    movedFrom === null
      ? (conversationOf(ref) ?? conversationIdOf(channel.id, ref, host))
      : (conversationOf(movedFrom) ?? conversationIdOf(channel.id, movedFrom, host));
  const at = Math.floor(host.clock.now());
  const messageId = host.newId("msg") as MessageId;
  const personId = update.person === null ? null : personIdOf(channel.id, address(update.person.ref, "person"), host);
  const parts = cleanParts(update.parts);

  const changes: Change[] = [
    {
      kind: "conversation",
      conversation: {
        id: conversationId,
        botId: channel.botId,
        channelId: channel.id,
        ref: movedFrom ?? ref,
        isGroup: update.conversation.isGroup,
        personId: update.conversation.isGroup ? null : personId,
        createdAt: at,
        engineState: null,
      },
    },
  ];
  if (movedFrom !== null) changes.push({ kind: "moved", conversationId, ref });
  if (update.person !== null && personId !== null) {
    const name = update.person.name === null ? null : cleanText(update.person.name, limits.labelMax);
    const language = update.person.language === null ? null : cleanText(update.person.language, 35);
    changes.push({
      kind: "person",
      person: { id: personId, channelId: channel.id, ref: update.person.ref, name, language },
    });
  }
  changes.push({
    kind: "message",
    message: {
      id: messageId,
      conversationId,
      from: "person",
      personId,
      parts,
      contentHash: contentHash(parts, host),
      state: "received",
      reason: null,
      turnId: null,
      notice: update.notice,
      platformRef: update.platformRef,
      replyTo: update.replyTo,
      at,
    },
  });
  const job: InboxJob = { queue: "inbox", key, conversationId, messageId, priority: 5, quietMs: bot.quietMs };
  return { job, changes };
}

function address(text: string, what: string): string {
  if (text === "" || text.length > limits.labelMax) {
    throw new InputError(
      "invalid_input",
      `The ${what}'s id must have 1 to ${limits.labelMax} characters, not ${text.length}.`,
    );
  }
  return cleanText(text, limits.labelMax);
}
