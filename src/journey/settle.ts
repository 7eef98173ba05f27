import type { Change } from "../core/change.ts";
import { LeaseLostError, StorageError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import type { Lease, Outcome } from "../core/queue.ts";
import type { JourneyParts } from "./journey-parts.ts";

/**
 * Writes what a stage decided. While the storage cannot write (a full disk), it is tried again as long as the lease is
 * held: the work is done, and doing it again would be a second answer.
 *
 * @throws LeaseLostError
 */
export async function settle(
  lease: Lease,
  outcome: Outcome,
  changes: readonly Change[],
  { storage, host, log }: JourneyParts,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    try {
      if (await storage.settle(lease, outcome, changes)) return;
      throw new LeaseLostError("Another worker has this conversation now.");
    } catch (error) {
      if (!(error instanceof StorageError) || signal.aborted) throw error;
      log.error({ conversation: lease.conversation.id, err: error }, "what a stage decided could not be written yet");
      await new Promise<void>((resolve) => host.clock.after(limits.idleMs, resolve));
    }
  }
}
