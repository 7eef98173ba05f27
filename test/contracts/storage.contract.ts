import { describe, it } from "node:test";
import type { Storage } from "../../src/core/store.ts";
import { gatePromises } from "./storage-gate-promises.ts";
import { lanePromises } from "./storage-lane-promises.ts";
import { leasePromises } from "./storage-lease-promises.ts";
import { readPromises } from "./storage-read-promises.ts";
import { Scene } from "./storage-scene.ts";
import { wakePromises } from "./storage-wake-promises.ts";
import { writePromises } from "./storage-write-promises.ts";
import { TestHost } from "./test-host.ts";

/** What every storage promises, and the proof of each: rejects when the promise is broken. */
export const storagePromises: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  ...lanePromises,
  ...leasePromises,
  ...wakePromises,
  ...writePromises,
  ...gatePromises,
  ...readPromises,
};

/** Proves one promise on a fresh storage. */
export async function prove(promise: string, make: (host: TestHost) => Storage | Promise<Storage>): Promise<void> {
  const proof = storagePromises[promise];
  if (proof === undefined) throw new Error(`There is no promise "${promise}".`);
  const host = new TestHost();
  const storage = await make(host);
  try {
    await proof(new Scene(storage, host));
  } finally {
    await storage.close();
  }
}

/**
 * Runs the contract.
 * @param make Gives a fresh, empty storage.
 * @param gaps Promise → why this storage does not keep it.
 */
export function storageContract(
  name: string,
  make: (host: TestHost) => Storage | Promise<Storage>,
  gaps: Readonly<Record<string, string>> = {},
): void {
  describe(`${name} keeps the storage contract`, () => {
    for (const promise of Object.keys(storagePromises)) {
      it(promise, { skip: gaps[promise] ?? false }, () => prove(promise, make));
    }
  });
}
