import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId } from "../../core/ids.ts";
import { createRateLimit } from "./rate-limit.ts";

const id = (name: string | number): MessageId => `m${name}` as MessageId;

test("a person may say so much in a minute and so much in an hour, whatever others say", () => {
  const overRate = createRateLimit({ per_minute: 2, per_hour: 3 });
  const said = [0, 1_000, 59_999, 60_000, 61_000, 3_599_999, 3_600_000];
  assert.deepEqual(
    said.map((at, index) => overRate("kim", id(index), at)),
    [
      null,
      null,
      "over 2 messages a minute",
      "over 3 messages an hour",
      "over 3 messages an hour",
      "over 3 messages an hour",
      null,
    ],
  );
  assert.equal(overRate("lee", id("other"), 2_000), null);
});

test("the same message gets the same answer and counts once", () => {
  const overRate = createRateLimit({ per_minute: 1, per_hour: 0 });
  for (let times = 0; times < 3; times += 1) assert.equal(overRate("kim", id(1), 0), null);
  for (let times = 0; times < 3; times += 1) assert.equal(overRate("kim", id(2), 1), "over 1 messages a minute");
  assert.equal(overRate("kim", id(1), 2), null);
});

test("0 is no limit", () => {
  const overRate = createRateLimit({ per_minute: 0, per_hour: 0 });
  for (let index = 0; index < 5_000; index += 1) assert.equal(overRate("kim", id(index), 0), null);
});

test("a person is remembered while fewer than ten thousand others write, and is forgotten in the end", () => {
  const overRate = createRateLimit({ per_minute: 1, per_hour: 0 });
  overRate("kim", id("first"), 0);
  for (let index = 0; index < 9_999; index += 1) overRate(`p${index}`, id(index), 0);
  assert.equal(overRate("kim", id("second"), 0), "over 1 messages a minute");
  for (let index = 0; index < 20_000; index += 1) overRate(`q${index}`, id(`q${index}`), 0);
  assert.equal(overRate("kim", id("third"), 0), null);
});
