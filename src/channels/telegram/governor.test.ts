import assert from "node:assert/strict";
import { test } from "node:test";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { Governor } from "./governor.ts";

const rates = { perSecond: 30, perChatPerSecond: 1, perGroupPerMinute: 20 };
const person = (id: string) => ({ id, isGroup: false });

test("a chat may have three at once, then one a second", () => {
  const host = new TestHost();
  const governor = new Governor(rates, host.clock);
  const waits = ["a", "b", "c", "d"].map((key) => governor.take(person("7"), key));
  assert.deepEqual(waits, [0, 0, 0, 1_000]);
  host.advance(999);
  assert.equal(governor.take(person("7"), "d"), 1);
  host.advance(1);
  assert.equal(governor.take(person("7"), "d"), 0);
  assert.equal(governor.take(person("7"), "d"), 1_000, "a turn is for one send");
});

test("a group has twenty a minute", () => {
  const host = new TestHost();
  const governor = new Governor(rates, host.clock);
  const group = { id: "-5", isGroup: true };
  const waits = ["a", "b", "c", "d"].map((key) => governor.take(group, key));
  assert.deepEqual(waits, [0, 0, 0, 3_000]);
});

test("who must wait gets a turn of their own: all come back once, at the rate", () => {
  const host = new TestHost();
  const governor = new Governor(rates, host.clock);
  const waits = Array.from({ length: 33 }, (_, at) => governor.take(person(`chat ${at}`), `key ${at}`));
  assert.deepEqual(waits.slice(0, 3), [0, 0, 0], "a tenth of a second's sends go at once");
  assert.equal(waits[3], 34);
  assert.equal(waits[32], 1_000);
  host.advance(1_000);
  const again = waits.slice(3).map((_, at) => governor.take(person(`chat ${at + 3}`), `key ${at + 3}`));
  assert.ok(again.every((wait) => wait === 0));
});

test("asking again early does not move one's turn", () => {
  const host = new TestHost();
  const governor = new Governor(rates, host.clock);
  for (const key of ["a", "b", "c"]) governor.take(person("7"), key);
  assert.equal(governor.take(person("7"), "d"), 1_000);
  assert.equal(governor.take(person("7"), "d"), 1_000);
  assert.equal(governor.take(person("7"), "e"), 2_000);
});

test("a chat that waits does not hold up others", () => {
  const host = new TestHost();
  const governor = new Governor(rates, host.clock);
  for (const key of ["a", "b", "c", "d", "e", "f"]) governor.take(person("7"), key);
  host.advance(100);
  assert.equal(governor.take(person("8"), "g"), 0);
});

test("Telegram's own wait is obeyed for the chat, and for all when two chats get one at once", () => {
  const host = new TestHost();
  const governor = new Governor(rates, host.clock);
  governor.throttled("7", 14_000);
  assert.equal(governor.take(person("7"), "a"), 14_000);
  assert.equal(governor.take(person("8"), "b"), 0);
  governor.throttled("8", 5_000);
  assert.equal(governor.take(person("9"), "c"), 5_000);
  host.advance(5_000);
  assert.equal(governor.take(person("9"), "c"), 0);
  assert.equal(governor.take(person("7"), "a"), 9_000);
});

test("two waits of different times are two chats, not the bot", () => {
  const host = new TestHost();
  const governor = new Governor(rates, host.clock);
  governor.throttled("7", 1_000);
  host.advance(1_000);
  governor.throttled("8", 5_000);
  assert.equal(governor.take(person("9"), "c"), 0);
});

test("when too many wait, the next is told to come back and takes no place", () => {
  const host = new TestHost();
  const governor = new Governor({ ...rates, perSecond: 1 }, host.clock);
  const waits = Array.from({ length: 10_002 }, (_, at) => governor.take(person(`chat ${at}`), `key ${at}`));
  assert.equal(waits[0], 0);
  assert.equal(waits[10_000], 10_000_000);
  assert.equal(waits[10_001], 60_000);
});

test("at a local server's rates nobody waits for part of a millisecond", () => {
  const host = new TestHost();
  const governor = new Governor({ perSecond: 100_000, perChatPerSecond: 10_000, perGroupPerMinute: 1 }, host.clock);
  const waits = Array.from({ length: 12 }, (_, at) => governor.take(person("7"), `key ${at}`));
  assert.deepEqual(
    waits,
    Array.from({ length: 12 }, () => 0),
  );
});
