import type { Host } from "../core/host.ts";
import { limits } from "../core/limits.ts";

/** How long to wait after the `attempt`th failure, counted from 1: doubling, with up to a quarter of chance so that many do not come back at once. */
export function backoffMs(attempt: number, host: Pick<Host, "random">): number {
  const base = Math.min(limits.retryFirstMs * 2 ** (attempt - 1), limits.retryLongestMs);
  return Math.round(base * (1 + host.random() / 4));
}
