import type { Load } from "./load-generator.ts";
import { rounded, type Section } from "./report.ts";
import { faults, medianOf, runByTurns } from "./run-system.ts";
import { type SystemName, systems } from "./systems.ts";

const perSecond = 200;
const mostRatio = 1.2;
const names: readonly SystemName[] = ["parley", "grammy-plain"];

/** How long a person waits at a steady, moderate load. */
export async function measureLatency(): Promise<readonly Section[]> {
  const load: Load = { messages: perSecond * 10, conversations: 1_000, pace: { kind: "open", perSecond } };
  const warmUp: Load = { messages: 2_000, conversations: 1_000, pace: { kind: "closed", inFlight: 16 } };
  const runs = await runByTurns(new Map(names.map((name) => [name, load])), warmUp);
  const p99Ms = (name: SystemName) => medianOf(runs, name, (run) => run.p99Ms);
  const ratio = p99Ms("parley") / p99Ms("grammy-plain");
  const section: Section = {
    title: `Latency at ${perSecond} messages per second`,
    text: "From when a message was due to be sent until its answer arrived at the fake Bot API, sent by the clock.",
    columns: ["system", "p50 ms", "p99 ms", "faults"],
    rows: names.map((name) => [
      systems[name].title,
      medianOf(runs, name, (run) => run.p50Ms).toFixed(2),
      p99Ms(name).toFixed(2),
      faults(runs.get(name) ?? []),
    ]),
    targets: [
      {
        promise: `p99 at most ${mostRatio} × that of: ${systems["grammy-plain"].title}`,
        measured: `${rounded(ratio)} ×`,
        isMet: ratio <= mostRatio,
      },
    ],
  };
  return [section];
}
