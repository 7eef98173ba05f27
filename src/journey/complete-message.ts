import { type Channel, isCompletingChannel } from "../core/channel.ts";
import { cleanParts, contentHash } from "../core/content.ts";
import { DeliveryError } from "../core/delivery.ts";
import type { Files } from "../core/files.ts";
import type { Host } from "../core/host.ts";
import { limits } from "../core/limits.ts";
import type { Message } from "../core/message.ts";
import { isPending, type Part } from "../core/part.ts";
import type { Store } from "../core/store.ts";
import { within } from "./within.ts";

/** Whether something of it must still be fetched before anyone may judge it. */
export function isIncomplete(message: Message): boolean {
  return message.parts.some(isPending);
}

/**
 * The message with all that its platform only pointed at: files fetched, choice tokens resolved. Not done when it was
 * received, because a platform waits for its acknowledgement and a download may take minutes.
 *
 * @param isLastAttempt What still cannot be had is then marked `missing` instead of tried again.
 * @throws DeliveryError when a later attempt may succeed
 */
export async function completeMessage(
  message: Message,
  channel: Channel,
  sources: { readonly store: Store; readonly files: Files; readonly host: Host },
  isLastAttempt: boolean,
  signal: AbortSignal,
): Promise<Message> {
  const { store, files, host } = sources;
  let parts: readonly Part[];
  try {
    parts = isCompletingChannel(channel)
      ? await within({ ms: limits.completeMs, late: tookTooLong }, host, signal, (limited) =>
          channel.complete(
            message,
            { offered: () => offered(message, store), saveFile: (content, max) => files.save(content, max) },
            limited,
          ),
        )
      : message.parts;
  } catch (error) {
    if (!isLastAttempt || signal.aborted) throw error;
    parts = message.parts;
  }
  const complete = cleanParts(parts).map((part) => (isPending(part) ? givenUp(part) : part));
  return { ...message, parts: complete, contentHash: contentHash(complete, host) };
}

function tookTooLong(): Error {
  return new DeliveryError({ kind: "unavailable" }, `not fetched within ${limits.completeMs / 1000} seconds`);
}

async function offered(message: Message, store: Store): Promise<{ label: string; value: string }[]> {
  const transcript = await store.transcript(message.conversationId, limits.historyMax);
  return transcript
    .toReversed()
    .filter(({ from, state }) => from !== "person" && (state === "delivered" || state === "unknown"))
    .flatMap(({ parts }) => parts)
    .flatMap((part) => (part.kind === "choices" ? part.choices : []));
}

function givenUp(part: Part): Part {
  if (part.kind === "file") return { ...part, missing: "could not be fetched" };
  return part.kind === "choice" ? { ...part, pending: false } : part;
}
