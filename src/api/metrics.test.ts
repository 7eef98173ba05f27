import assert from "node:assert/strict";
import { test } from "node:test";
import type { StorageStatus } from "../core/store.ts";
import { createMetrics } from "./metrics.ts";

const status: StorageStatus = {
  queues: {
    inbox: { jobs: 3, lanes: 2, leased: 1, oldestMs: 1_500 },
    outbox: { jobs: 0, lanes: 0, leased: 0, oldestMs: 0 },
  },
  held: 4,
  dead: 5,
  unknown: 6,
  conversations: 7,
  messages: 8,
};

test("what the journey does is counted under the names that are documented", async () => {
  const metrics = createMetrics();
  metrics.received("telegram", false);
  metrics.received("telegram", false);
  metrics.received("telegram", true);
  metrics.moved("person", "answered", 40);
  metrics.moved("person", "ignored", 4);
  metrics.stage("engine", 30);
  metrics.attempted("telegram", "throttled");
  const lines = (await metrics.render(status)).split("\n");
  for (const line of [
    'parley_messages_received_total{platform="telegram",duplicate="false"} 2',
    'parley_messages_received_total{platform="telegram",duplicate="true"} 1',
    'parley_messages_total{from="person",state="answered"} 1',
    'parley_message_seconds_count{from="person"} 2',
    'parley_message_seconds_sum{from="person"} 0.044',
    'parley_message_seconds_bucket{le="0.005",from="person"} 1',
    'parley_stage_seconds_bucket{le="0.05",stage="engine"} 1',
    'parley_delivery_attempts_total{platform="telegram",outcome="throttled"} 1',
    'parley_queue_jobs{queue="inbox"} 3',
    'parley_queue_oldest_seconds{queue="inbox"} 1.5',
    'parley_messages_waiting{state="held"} 4',
    'parley_messages_waiting{state="dead"} 5',
    'parley_messages_waiting{state="unknown"} 6',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  assert.ok(lines.some((line) => line.startsWith("process_resident_memory_bytes ")));
});

test("what the storage did not tell is not told as if it were still so", async () => {
  const metrics = createMetrics();
  await metrics.render(status);
  assert.doesNotMatch(await metrics.render(undefined), /parley_(queue_jobs|queue_oldest_seconds|messages_waiting)\{/);
});
