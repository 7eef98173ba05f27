import type { Host } from "../../core/host.ts";

/** Telegram takes 1 to 64 bytes with a button. */
const dataBytesMax = 64;

/**
 * What a button carries: the value itself where it fits, else a token for it. A value that looks like a token goes by
 * token too, so that nobody can be made to press another choice.
 */
export function choiceData(value: string, host: Pick<Host, "hash">): string {
  const fits = value !== "" && Buffer.byteLength(value) <= dataBytesMax;
  return fits && !isChoiceToken(value) ? value : `#${host.hash(value).slice(0, 40)}`;
}

export function isChoiceToken(data: string): boolean {
  return data.startsWith("#");
}
