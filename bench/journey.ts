import type { Load } from "./load-generator.ts";
import { rounded, type Section, type Target } from "./report.ts";
import { faults, medianOf, type Runs, runByTurns } from "./run-system.ts";
import { type SystemName, systems } from "./systems.ts";

interface Shape {
  readonly inFlight: number;
  readonly conversations: number;
  /** How many messages each system gets: enough for a few seconds. */
  readonly messages: Readonly<Partial<Record<SystemName, number>>>;
  /** Parley's messages per second over the peer's: at least. */
  readonly ratios: Readonly<Partial<Record<SystemName, number>>>;
}

const many: Shape = {
  inFlight: 256,
  conversations: 1_000,
  messages: {
    parley: 30_000,
    "grammy-bullmq": 5_000,
    "grammy-bullmq-in-process": 6_000,
    "grammy-plain": 12_000,
    "chat-sdk": 3_000,
  },
  ratios: { "grammy-bullmq": 8, "grammy-plain": 2.5, "chat-sdk": 9 },
};

const few: Shape = {
  inFlight: 64,
  conversations: 8,
  messages: { parley: 20_000, "grammy-bullmq": 5_000, "grammy-bullmq-in-process": 6_000, "chat-sdk": 3_000 },
  ratios: { "grammy-bullmq": 5 },
};

/** How many messages per second go the whole way: from the webhook to the platform. */
export async function measureJourney(): Promise<readonly Section[]> {
  return [await measureShape(many), await measureShape(few)];
}

async function measureShape(shape: Shape): Promise<Section> {
  const { inFlight, conversations } = shape;
  const load = (messages: number): Load => ({ messages, conversations, pace: { kind: "closed", inFlight } });
  const names = Object.keys(shape.messages) as SystemName[];
  const runs = await runByTurns(new Map(names.map((name) => [name, load(shape.messages[name] ?? 0)])), load(2_000));
  return {
    title: `The whole way, ${inFlight} messages in flight over ${rounded(conversations)} conversations`,
    text:
      "From the webhook to the fake Bot API. In flight is a message until its request was acknowledged and its answer " +
      "has arrived. Faults are of all runs together.",
    columns: ["system", "messages/s", "Parley is", "p50 / p99 ms", "answers per message", "RSS MB", "faults"],
    rows: names.map((name) => row(runs, name)),
    targets: [
      ...(Object.entries(shape.ratios) as [SystemName, number][]).map(([peer, least]) =>
        ratioTarget(runs, peer, least),
      ),
      faultlessTarget(runs),
    ],
  };
}

function row(runs: Runs, name: SystemName): readonly string[] {
  const results = runs.get(name);
  if (results === undefined) return [systems[name].title, "not run: no Redis", "", "", "", "", ""];
  const middle = (figure: Parameters<typeof medianOf>[2]) => rounded(medianOf(runs, name, figure));
  return [
    systems[name].title,
    middle((run) => run.perSecond),
    name === "parley" ? "" : `${rounded(ratio(runs, name))} ×`,
    `${middle((run) => run.p50Ms)} / ${middle((run) => run.p99Ms)}`,
    medianOf(runs, name, (run) => run.answers / run.answered).toFixed(2),
    middle((run) => run.rssMb),
    faults(results),
  ];
}

function ratio(runs: Runs, peer: SystemName): number {
  const perSecond = (name: SystemName) => medianOf(runs, name, (run) => run.perSecond);
  return perSecond("parley") / perSecond(peer);
}

function ratioTarget(runs: Runs, peer: SystemName, least: number): Target {
  const measured = ratio(runs, peer);
  return {
    promise: `at least ${least} × the messages per second of: ${systems[peer].title}`,
    measured: `${rounded(measured)} ×`,
    isMet: Number.isNaN(measured) ? undefined : measured >= least,
  };
}

function faultlessTarget(runs: Runs): Target {
  const found = faults(runs.get("parley") ?? []);
  return { promise: "Parley: no message lost, doubled or out of order", measured: found, isMet: found === "none" };
}
