import type { Update } from "../../core/channel.ts";
import { SetupError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import { type Fields, fieldsOf } from "./json-fields.ts";
import { pause } from "./pause.ts";
import type { Receiving } from "./receiving.ts";
import type { Failure, TelegramApi } from "./telegram-api.ts";
import { mapUpdate, updateIdOf, wantedUpdates } from "./update-mapping.ts";

export interface Polling extends Receiving {
  readonly api: TelegramApi;
  readonly host: Pick<Host, "clock" | "random">;
}

/** Telegram's longest; it answers at once when there is an update. */
const pollSeconds = 50;
const pollMs = 65_000;
const batchMax = 100;
const retryFirstMs = 1_000;
const retryLongestMs = 60_000;
/** Somebody else polls: soon again would only throw the other out. */
const conflictMs = 30_000;

/**
 * Takes updates by long poll until `signal` aborts. The offset, by which Telegram forgets updates, moves over an update
 * only when it was accepted for good.
 *
 * @throws SetupError when Telegram does not know the token.
 */
export async function poll(polling: Polling, signal: AbortSignal): Promise<void> {
  const { api, host } = polling;
  let offset: number | null = null;
  let failures = 0;
  while (!signal.aborted) {
    const params = {
      timeout: pollSeconds,
      limit: batchMax,
      allowed_updates: wantedUpdates,
      ...(offset === null ? {} : { offset }),
    };
    const askedAt = host.clock.now();
    const answer = await api.call("getUpdates", params, { signal, timeoutMs: pollMs });
    if (signal.aborted) return;
    let waitMs: number | null;
    if (answer.kind === "ok" && Array.isArray(answer.result)) {
      const taken = await takeBatch(polling, answer.result, signal);
      const isEmpty = answer.result.length === 0;
      // An empty answer means that all before the offset is forgotten. Without it, ids may start anew (after a week of silence).
      offset = isEmpty ? null : (taken.offset ?? offset);
      // Something in between may not know of long polls.
      const isTooSoon = isEmpty && host.clock.now() - askedAt < retryFirstMs;
      waitMs = taken.isWhole && !isTooSoon ? null : backoffMs(failures, host);
    } else {
      const failure: Failure = answer.kind === "ok" ? { kind: "unclear", reason: "the answer has no updates" } : answer;
      waitMs = await afterFailure(polling, failure, failures);
    }
    failures = waitMs === null ? 0 : failures + 1;
    if (waitMs !== null) await pause(waitMs, host.clock, signal);
  }
}

interface Taken {
  /** Telegram may forget what is before; null when nothing was accepted. */
  readonly offset: number | null;
  readonly isWhole: boolean;
}

interface Entry {
  readonly updateId: number;
  readonly raw: Fields;
  /** Null: the bot's own message, which needs no accepting. */
  readonly update: Update | null;
}

/** Accepts a batch: in order within a conversation, conversations at once. What follows a failure in a conversation waits with it. */
async function takeBatch(polling: Polling, batch: readonly unknown[], signal: AbortSignal): Promise<Taken> {
  const entries = entriesOf(polling, batch);
  const lanes = Map.groupBy(entries, ({ update }) => update?.conversation.ref);
  const failed: number[] = [];
  const takeLane = async (lane: readonly Entry[]) => {
    for (const entry of lane) {
      if (!signal.aborted && (await isTaken(polling, entry))) continue;
      failed.push(entry.updateId);
      return;
    }
  };
  await Promise.all([...lanes.values()].map(takeLane));
  const last = entries.at(-1);
  if (failed.length > 0) return { offset: Math.min(...failed), isWhole: false };
  return { offset: last === undefined ? null : last.updateId + 1, isWhole: last !== undefined || batch.length === 0 };
}

async function isTaken({ accept, presses, log }: Polling, { updateId, raw, update }: Entry): Promise<boolean> {
  try {
    if (update !== null) await accept(update);
  } catch (error) {
    log.warn({ err: error, updateId }, "An update could not be stored; Telegram keeps it and is asked again.");
    return false;
  }
  presses.answer(raw);
  return true;
}

function entriesOf({ log, botUserId }: Polling, batch: readonly unknown[]): Entry[] {
  const entries: Entry[] = [];
  for (const item of batch) {
    const raw = fieldsOf(item);
    const updateId = updateIdOf(raw);
    if (raw === null || updateId === null)
      log.error({}, "Telegram sent an update without an id; it cannot be accepted and is skipped.");
    else entries.push({ updateId, raw, update: mapUpdate(raw, updateId, botUserId) });
  }
  return entries.sort((a, b) => a.updateId - b.updateId);
}

/** @returns how long to wait; null when there is no need to. */
async function afterFailure(polling: Polling, failure: Failure, failures: number): Promise<number | null> {
  const { host, log } = polling;
  if (failure.kind !== "refused") {
    log.warn(
      { reason: failure.reason, cause: failure.cause?.message, failures },
      "Telegram could not be asked for updates.",
    );
    return backoffMs(failures, host);
  }
  const { code, description, retryAfterMs } = failure;
  if (code === 401 || code === 404) {
    throw new SetupError(
      `Telegram does not know this bot (${code}: ${description}). Put the token that @BotFather shows under "token".`,
    );
  }
  if (code === 429) return retryAfterMs;
  if (code === 409) return await afterConflict(polling, description, failures);
  log.warn({ code, description, failures }, "Telegram refused to give updates.");
  return backoffMs(failures, host);
}

async function afterConflict(
  { api, host, log }: Polling,
  description: string,
  failures: number,
): Promise<number | null> {
  if (!description.includes("webhook is active")) {
    log.error(
      { description, failures },
      "Another program takes this bot's updates with the same token: stop it, or give each its own bot. Polling is tried again.",
    );
    return conflictMs + host.random() * retryFirstMs;
  }
  // Telegram keeps the updates that wait, and gives them to the next poll.
  const answer = await api.call("deleteWebhook", { drop_pending_updates: false });
  if (answer.kind !== "ok") return backoffMs(failures, host);
  log.warn(
    {},
    'A webhook was set for this bot; it was deleted, because the channel has "mode: poll". No update was dropped.',
  );
  return null;
}

/** Doubling, with up to a half added at random so that many do not come back together. */
function backoffMs(failures: number, host: Pick<Host, "random">): number {
  return Math.min(retryLongestMs, retryFirstMs * 2 ** Math.min(failures, 10)) * (1 + host.random() / 2);
}
