import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { StorageStatus } from "../core/store.ts";
import type { Meter } from "../journey/meter.ts";

const shortSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 120];
const longSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 3_600];

/** Counts what the journey does and shows it to Prometheus. */
export interface Metrics extends Meter {
  readonly contentType: string;
  /** The text that Prometheus reads. Without a status, what only the storage knows is left out. */
  render(status: StorageStatus | undefined): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const received = cached(
    new Counter({
      name: "parley_messages_received_total",
      help: "Updates accepted from platforms, by whether they had been accepted before.",
      labelNames: ["platform", "duplicate"],
      registers,
    }),
  );
  const messages = cached(
    new Counter({
      name: "parley_messages_total",
      help: "Messages by the state they came to.",
      labelNames: ["from", "state"],
      registers,
    }),
  );
  const attempts = cached(
    new Counter({
      name: "parley_delivery_attempts_total",
      help: "Tries to bring a message to its platform, by how they ended.",
      labelNames: ["platform", "outcome"],
      registers,
    }),
  );
  const stages = cached(
    new Histogram({
      name: "parley_stage_seconds",
      help: "Time in a stage: turn is review, route, engine and review together; engine is the engine alone.",
      labelNames: ["stage"],
      buckets: shortSeconds,
      registers,
    }),
  );
  const durations = cached(
    new Histogram({
      name: "parley_message_seconds",
      help: "Time from when a message was received or decided to when it came to its state.",
      labelNames: ["from"],
      buckets: longSeconds,
      registers,
    }),
  );
  const showStatus = statusGauges(registry);
  return {
    contentType: registry.contentType,
    received: (platform, isDuplicate) => received(platform, String(isDuplicate)).inc(),
    moved(from, state, ms) {
      messages(from, state).inc();
      durations(from, "").observe(ms / 1000);
    },
    stage: (name, ms) => stages(name, "").observe(ms / 1000),
    attempted: (platform, outcome) => attempts(platform, outcome).inc(),
    render(status) {
      showStatus(status);
      return registry.metrics();
    },
  };
}

interface Labeled<Child> {
  labels(...values: string[]): Child;
}

/** The children of a metric by their labels, made once: making one costs more than counting with it. */
function cached<Child>(metric: Labeled<Child>): (first: string, second: string) => Child {
  const children = new Map<string, Map<string, Child>>();
  return (first, second) => {
    const known = children.get(first)?.get(second);
    if (known !== undefined) return known;
    const child = metric.labels(...(second === "" ? [first] : [first, second]));
    const byFirst = children.get(first) ?? new Map<string, Child>();
    children.set(first, byFirst.set(second, child));
    return child;
  };
}

function statusGauges(registry: Registry): (status: StorageStatus | undefined) => void {
  const registers = [registry];
  const jobs = new Gauge({
    name: "parley_queue_jobs",
    help: "Jobs that wait or are worked on.",
    labelNames: ["queue"],
    registers,
  });
  const oldest = new Gauge({
    name: "parley_queue_oldest_seconds",
    help: "Age of the oldest waiting job.",
    labelNames: ["queue"],
    registers,
  });
  const waiting = new Gauge({
    name: "parley_messages_waiting",
    help: "Messages that want an operator's decision.",
    labelNames: ["state"],
    registers,
  });
  return (status) => {
    for (const gauge of [jobs, oldest, waiting]) gauge.reset();
    if (status === undefined) return;
    for (const [queue, { jobs: count, oldestMs }] of Object.entries(status.queues)) {
      jobs.set({ queue }, count);
      oldest.set({ queue }, oldestMs / 1000);
    }
    for (const state of ["held", "dead", "unknown"] as const) waiting.set({ state }, status[state]);
  };
}
