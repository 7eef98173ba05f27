import { existsSync, writeFileSync } from "node:fs";
import type { At } from "../../src/journey/meter.ts";

/** Where a process is to be killed. */
export interface CrashPoint {
  readonly point: string;
  /** The how-manyth time that it is reached, from 1. */
  readonly count: number;
  /** Written just before. When it is there already, nothing is killed. */
  readonly marker: string;
}

/** Kills this very process, with no time to say goodbye, when it reaches a point of the journey. */
export function crashAt({ point, count, marker }: CrashPoint): At {
  if (existsSync(marker)) return () => undefined;
  let left = count;
  return (reached) => {
    if (reached !== point) return;
    left -= 1;
    if (left > 0) return;
    writeFileSync(marker, point);
    process.kill(process.pid, "SIGKILL");
    // The signal may take a moment, and nothing may happen after the point.
    for (;;);
  };
}
