import { startFakeBotApi } from "./fake-bot-api.ts";
import { type Load, type LoadResult, runLoad } from "./load-generator.ts";
import { findRedis } from "./redis.ts";
import { median } from "./report.ts";
import { type System, type SystemName, systems } from "./systems.ts";

export interface Measured extends LoadResult {
  readonly perSecond: number;
  readonly rssMb: number;
}

/** What several runs of each system gave. A system that this machine cannot run is missing. */
export type Runs = ReadonlyMap<SystemName, readonly Measured[]>;

const repetitions = 3;

/** Runs each system several times, by turns, so that a slow minute of the machine hits them all. */
export async function runByTurns(loads: ReadonlyMap<SystemName, Load>, warmUp: Load): Promise<Runs> {
  const runs = new Map<SystemName, Measured[]>();
  for (let repetition = 0; repetition < repetitions; repetition++) {
    for (const [name, load] of loads) {
      const system = systems[name];
      if (system.needsRedis && findRedis() === undefined) continue;
      const measured = await runSystem(system, load, warmUp);
      const summary = `${measured.perSecond.toFixed(0)}/s, p99 ${measured.p99Ms.toFixed(1)} ms ${faults([measured])}`;
      console.error(`${name} ${JSON.stringify(load.pace)}: ${summary}`);
      runs.set(name, [...(runs.get(name) ?? []), measured]);
    }
  }
  return runs;
}

/** Starts a system in fresh processes, warms it up, puts `load` on it, and ends it. */
async function runSystem(system: System, load: Load, warmUp: Load): Promise<Measured> {
  const api = await startFakeBotApi();
  try {
    const running = await system.start(api);
    try {
      await runLoad(running.webhook, api, warmUp);
      const result = await runLoad(running.webhook, api, load);
      return { ...result, perSecond: (result.answered / result.tookMs) * 1_000, rssMb: running.rssMb() };
    } finally {
      await running.stop();
    }
  } finally {
    await api.close();
  }
}

/** The median over a system's runs; NaN when it did not run. */
export function medianOf(runs: Runs, name: SystemName, figure: (run: Measured) => number): number {
  return median((runs.get(name) ?? []).map(figure));
}

/** What went wrong in runs, in words; "none" when all was as it should be. */
export function faults(results: readonly LoadResult[]): string {
  const sum = (figure: (result: LoadResult) => number) => results.reduce((total, result) => total + figure(result), 0);
  const counts = {
    lost: sum((result) => result.sent - result.answered),
    duplicate: sum((result) => result.duplicates),
    "out of order": sum((result) => result.outOfOrder),
    refused: sum((result) => result.refused),
    "not asked for": sum((result) => result.strangers),
  };
  const words = Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`);
  return words.length > 0 ? words.join(", ") : "none";
}
