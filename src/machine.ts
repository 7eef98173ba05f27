import { hash, randomBytes } from "node:crypto";
import type { Host } from "./core/host.ts";

/** How often the machine's clock is looked at. */
const lookMs = 1_000;
const jumpMs = 2_000;

/** The machine that Parley runs on, as the journey sees it. */
export function createMachine(): Host {
  const process = randomBytes(5).toString("hex");
  let lastMs = 0;
  let inThisMs = 0;
  let offsetMs = Date.now() - performance.now();
  let lookAt = 0;
  const now = (): number => {
    const steady = performance.now();
    if (steady >= lookAt) {
      lookAt = steady + lookMs;
      // Set forward, or asleep for a while: go along. Set back: count on steadily, as leases and retries wait for times to come.
      if (Date.now() >= steady + offsetMs + jumpMs) offsetMs = Date.now() - steady;
    }
    return steady + offsetMs;
  };
  return {
    clock: {
      now,
      after(ms, work) {
        const timer = setTimeout(work, ms);
        return () => clearTimeout(timer);
      },
    },
    hash: (text) => hash("sha256", text),
    newId(prefix) {
      // Time first, so that ids made later sort later and an index grows at its end.
      const ms = Math.floor(now());
      inThisMs = ms === lastMs ? inThisMs + 1 : 0;
      lastMs = ms;
      return `${prefix}_${ms.toString(36).padStart(9, "0")}${inThisMs.toString(36).padStart(4, "0")}${process}`;
    },
    random: Math.random,
  };
}
