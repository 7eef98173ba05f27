import assert from "node:assert/strict";
import { test } from "node:test";
import { createMachine } from "./machine.ts";

test("time never goes back, whatever the machine's clock does", (context) => {
  const { clock } = createMachine();
  const before = clock.now();
  context.mock.timers.enable({ apis: ["Date"], now: before - 3_600_000 });
  const after = clock.now();
  assert.ok(after >= before, `${after} is before ${before}`);
});

test("ids sort by when they were made, and none comes twice", () => {
  const machine = createMachine();
  const ids = Array.from({ length: 10_000 }, () => machine.newId("msg"));
  assert.deepEqual(ids.toSorted(), ids);
  assert.equal(new Set(ids).size, ids.length);
});

test("two machines never give the same id", () => {
  const [one, other] = [createMachine(), createMachine()];
  assert.notEqual(one.newId("msg"), other.newId("msg"));
});
