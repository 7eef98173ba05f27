import type { Host } from "../core/host.ts";

/**
 * Does `work` with a limit: its signal aborts when the time is over, and with `signal`; the answer does not wait for work
 * that takes no notice.
 *
 * @param late What it rejects with when the time is over.
 */
export async function within<Value>(
  limit: { readonly ms: number; readonly late: () => Error },
  host: Pick<Host, "clock">,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Value>,
): Promise<Value> {
  const controller = new AbortController();
  const ended = Promise.withResolvers<never>();
  const end = (reason: unknown): void => {
    controller.abort(reason);
    ended.reject(reason);
  };
  const abort = (): void => end(signal.reason);
  const cancel = host.clock.after(limit.ms, () => end(limit.late()));
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work(controller.signal), ended.promise]);
  } finally {
    cancel();
    signal.removeEventListener("abort", abort);
  }
}
