import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prove, storagePromises } from "../contracts/storage.contract.ts";
import { queueMutants } from "./queue-mutants.ts";
import { storeMutants } from "./store-mutants.ts";

const mutants = Object.entries({ ...queueMutants, ...storeMutants });

describe("the storage contract catches", () => {
  for (const [name, { storage: Storage, breaks }] of mutants) {
    it(name, async () => {
      for (const promise of breaks) {
        const proof = prove(promise, (host) => new Storage(host));
        await assert.rejects(proof, Error, `"${promise}" did not notice`);
      }
    });
  }
});

it("every promise of the storage contract is broken by a mutant, so that none is decoration", () => {
  const broken = new Set(mutants.flatMap(([, { breaks }]) => breaks));
  assert.deepEqual([...broken].sort(), Object.keys(storagePromises).sort());
});
