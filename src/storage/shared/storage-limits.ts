import { limits } from "../../core/limits.ts";

/** Bounds that all storages share and nobody else needs. */
export const storageLimits = {
  /** Addresses that conversations moved to, newest kept. */
  movedMax: limits.pageMax * 50,
  /** Keys that one `maintain` forgets. */
  forgottenMax: 1_000,
} as const;
