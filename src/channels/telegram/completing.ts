import { type CompletionSources, storedFilePart } from "../../core/channel.ts";
import { DeliveryError } from "../../core/delivery.ts";
import { FileTooLargeError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import { type ChoicePart, type FilePart, isPending, type Part } from "../../core/part.ts";
import { choiceData } from "./choice-token.ts";
import { fieldsOf, textOf } from "./json-fields.ts";
import type { Failure, TelegramApi } from "./telegram-api.ts";
import { telegramLimits } from "./telegram-limits.ts";

export interface Completing {
  readonly api: TelegramApi;
  readonly host: Pick<Host, "hash">;
}

const tooLarge = "over 20 MB, the most that a bot may fetch from Telegram";

/** See `CompletingChannel.complete`. */
export async function completeParts(
  completing: Completing,
  parts: readonly Part[],
  sources: CompletionSources,
  signal: AbortSignal,
): Promise<readonly Part[]> {
  const complete: Part[] = [];
  for (const part of parts) {
    if (part.kind === "file" && isPending(part)) complete.push(await fetchFile(completing, part, sources, signal));
    else if (part.kind === "choice" && part.pending) complete.push(await resolveChoice(completing, part, sources));
    else complete.push(part);
  }
  return complete;
}

/** A token of something that was offered too long ago stands for what was written on the button. */
async function resolveChoice({ host }: Completing, part: ChoicePart, sources: CompletionSources): Promise<ChoicePart> {
  const offered = await sources.offered();
  const choice = offered.find(({ value }) => choiceData(value, host) === part.value);
  return {
    ...part,
    value: choice?.value ?? part.label ?? part.value,
    label: part.label ?? choice?.label ?? null,
    pending: false,
  };
}

async function fetchFile(
  { api }: Completing,
  part: FilePart,
  sources: CompletionSources,
  signal: AbortSignal,
): Promise<FilePart> {
  if (part.ref === null) return missing(part, "Telegram named no file");
  if ((part.bytes ?? 0) > telegramLimits.downloadBytesMax) return missing(part, tooLarge);
  const answer = await api.call("getFile", { file_id: part.ref }, { signal });
  if (answer.kind !== "ok") return refusedFile(part, answer);
  const path = textOf(fieldsOf(answer.result)?.file_path);
  // A local Bot API server in its `--local` mode names a file on its own disk.
  if (path === null || path.startsWith("/") || path.split("/").includes(".."))
    return missing(part, "Telegram gave no path to fetch it from");
  const { status, body } = await api.download(path, signal).catch(unavailable);
  if (status !== 200) {
    if (status === 401 || status === 429 || status >= 500) throw unavailable(new Error(`HTTP ${status}`));
    return missing(part, `Telegram no longer has it (HTTP ${status})`);
  }
  try {
    return storedFilePart(part, await sources.saveFile(readable(body), telegramLimits.downloadBytesMax));
  } catch (error) {
    if (error instanceof FileTooLargeError) return missing(part, tooLarge);
    throw error;
  }
}

/** To ask for a file changes nothing, so whatever is unclear can be asked again. */
function refusedFile(part: FilePart, failure: Failure): FilePart {
  if (failure.kind !== "refused") throw unavailable(failure.cause ?? new Error(failure.reason));
  const { code, description, retryAfterMs } = failure;
  const reason = `Telegram answered ${code}: ${description}`;
  if (code === 429) throw new DeliveryError({ kind: "throttled", retryAfterMs }, reason);
  if (code !== 400 && code !== 403) throw unavailable(new Error(reason));
  return missing(
    part,
    description.includes("file is too big") ? tooLarge : `Telegram does not give it (${description})`,
  );
}

async function* readable(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (cause) {
    throw unavailable(cause);
  }
}

function unavailable(cause: unknown): never {
  throw new DeliveryError({ kind: "unavailable" }, "A file could not be fetched from Telegram.", { cause });
}

function missing(part: FilePart, reason: string): FilePart {
  return { ...part, missing: reason };
}
