import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import type { Lease, Outcome } from "../../src/core/queue.ts";
import { MemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { Scene } from "./storage-scene.ts";
import { TestHost } from "./test-host.ts";

type Step =
  | { readonly kind: "enqueue"; readonly lane: number; readonly priority: number; readonly quietMs: number }
  | { readonly kind: "claim"; readonly lanesMax: number; readonly jobsMax: number; readonly leaseMs: number }
  | { readonly kind: "settle"; readonly lease: number; readonly outcome: Outcome; readonly jobs: number }
  | { readonly kind: "extend"; readonly lease: number; readonly leaseMs: number }
  | { readonly kind: "wait"; readonly ms: number };

const short = fc.constantFrom(1, 50, 100, 1_000);
const outcome = fc.oneof(
  fc.constant<Outcome>({ kind: "done" }),
  fc.constant<Outcome>({ kind: "dead" }),
  fc.record({ kind: fc.constant("retry" as const), afterMs: fc.constantFrom(0, 50, 100), isCounted: fc.boolean() }),
);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("enqueue" as const),
      lane: fc.nat(3),
      priority: fc.integer({ min: 1, max: 10 }),
      quietMs: fc.constantFrom(0, 0, 50, 40_000),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("claim" as const),
      lanesMax: fc.integer({ min: 1, max: 4 }),
      jobsMax: fc.integer({ min: 1, max: 3 }),
      leaseMs: short,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("settle" as const), lease: fc.nat(), outcome, jobs: fc.nat(3) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("extend" as const), lease: fc.nat(), leaseMs: short }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), ms: short }) },
);

/** Does one step and returns what came of it. */
async function take(scene: Scene, leases: Lease[], step: Step): Promise<unknown> {
  const { storage, host } = scene;
  const lease = "lease" in step ? leases[step.lease % leases.length] : undefined;
  switch (step.kind) {
    case "enqueue":
      return (await scene.receive(scene.conversation(`${step.lane}`, { createdAt: 0 }), step)).enqueued;
    case "claim": {
      const claimed = await scene.claim("inbox", step);
      leases.push(...claimed);
      return claimed;
    }
    case "settle": {
      if (lease === undefined) return undefined;
      const jobs = step.jobs === 0 ? lease.jobs : lease.jobs.slice(0, step.jobs);
      return storage.settle({ ...lease, jobs }, step.outcome, []);
    }
    case "extend":
      return lease === undefined ? undefined : storage.extend([lease], step.leaseMs);
    case "wait":
      return host.advance(step.ms);
  }
}

/** What must hold of each claim, whatever came before: order within lanes, and one lease of each. */
class Law {
  readonly #waiting = new Map<string, string[]>();
  readonly #leasedUntil = new Map<string, { token: string; until: number }>();

  check(step: Step, came: unknown, leases: readonly Lease[], now: number): void {
    if (step.kind === "enqueue") {
      const { conversationId, messageId } = came as { conversationId: string; messageId: string };
      this.#waiting.set(conversationId, [...(this.#waiting.get(conversationId) ?? []), messageId]);
    }
    if (step.kind === "claim") {
      for (const { conversation, jobs, token } of came as readonly Lease[]) {
        const waiting = this.#waiting.get(conversation.id) ?? [];
        const ids = jobs.map((job) => job.message.id as string);
        assert.deepEqual(ids, waiting.slice(0, ids.length), "a claim brings the head of its lane");
        assert.ok((this.#leasedUntil.get(conversation.id)?.until ?? 0) <= now, "no lane is leased twice");
        this.#leasedUntil.set(conversation.id, { token, until: now + step.leaseMs });
      }
    }
    if (step.kind === "extend" && (came as boolean[] | undefined)?.[0] === true) {
      const lease = leases[step.lease % leases.length] as Lease;
      this.#leasedUntil.set(lease.conversation.id, { token: lease.token, until: now + step.leaseMs });
    }
    if (step.kind === "settle" && came !== undefined) {
      const lease = leases[step.lease % leases.length] as Lease;
      const { id } = lease.conversation;
      const held = this.#leasedUntil.get(id);
      assert.equal(came, held?.token === lease.token && held.until > now, "a lease settles exactly while it is held");
      if (came !== true) return;
      this.#leasedUntil.delete(id);
      const count = step.jobs === 0 ? lease.jobs.length : Math.min(step.jobs, lease.jobs.length);
      if (step.outcome.kind !== "retry") this.#waiting.get(id)?.splice(0, count);
    }
  }
}

test("whatever happens, lanes keep their order and one lease, and memory and SQLite agree in everything", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 60 }), async (steps) => {
      const folder = mkdtempSync(join(tmpdir(), "parley-lanes-"));
      const hosts = [new TestHost(), new TestHost()] as const;
      const sqlite = await openSqliteStorage({ folder, host: hosts[1], as: "server" });
      const scenes = [new Scene(new MemoryStorage(hosts[0]), hosts[0]), new Scene(sqlite, hosts[1])] as const;
      const leases: [Lease[], Lease[]] = [[], []];
      const law = new Law();
      try {
        for (const one of steps) {
          const now = hosts[0].clock.now();
          const came = await take(scenes[0], leases[0], one);
          assert.deepEqual(await take(scenes[1], leases[1], one), came, one.kind);
          law.check(one, came, leases[0], now);
        }
        assert.deepEqual(await scenes[1].storage.status(), await scenes[0].storage.status());
      } finally {
        await sqlite.close();
        rmSync(folder, { recursive: true });
      }
    }),
    { numRuns: 25 },
  );
});
