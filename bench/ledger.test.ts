import assert from "node:assert/strict";
import { test } from "node:test";
import { Ledger, type Tally } from "./ledger.ts";

/** Four messages in two conversations: 0 and 2 in the one, 1 and 3 in the other. */
function tallyOf(answers: (ledger: Ledger) => readonly string[]): Tally {
  const ledger = new Ledger({ first: 100, messages: 4, conversations: 2 });
  for (let message = 0; message < 4; message++) ledger.sent(message, 10);
  for (const answer of answers(ledger)) ledger.take(answer, 30, () => undefined);
  return ledger.tally();
}

test("every message answered once and in order is no fault", () => {
  const tally = tallyOf((ledger) => [1, 0, 2, 3].map((message) => `You said: '${ledger.text(message)}'.`));
  assert.deepEqual(tally, {
    sent: 4,
    answered: 4,
    duplicates: 0,
    outOfOrder: 0,
    strangers: 0,
    answers: 4,
    p50Ms: 20,
    p99Ms: 20,
  });
});

test("one answer may quote several messages", () => {
  const tally = tallyOf((ledger) => [[0, 1, 2, 3].map((message) => ledger.text(message)).join("\n")]);
  assert.equal(tally.answered, 4);
  assert.equal(tally.answers, 1);
});

test("a message that nobody quotes is not answered", () => {
  assert.equal(tallyOf((ledger) => [ledger.text(0)]).answered, 1);
});

test("a second answer is a duplicate", () => {
  assert.equal(tallyOf((ledger) => [ledger.text(0), ledger.text(0)]).duplicates, 1);
});

test("an answer after that to a later message of its conversation is out of order, one of another conversation is not", () => {
  assert.equal(tallyOf((ledger) => [ledger.text(2), ledger.text(1), ledger.text(0)]).outOfOrder, 1);
});

test("an answer to a message of an earlier run counts for nothing in this one", () => {
  const earlier = new Ledger({ first: 1, messages: 4, conversations: 2 });
  const tally = tallyOf(() => [earlier.text(0)]);
  assert.equal(tally.answered + tally.duplicates + tally.outOfOrder + tally.strangers, 0);
});

test("an answer that quotes nothing is a stranger", () => {
  assert.equal(tallyOf(() => ["Something went wrong."]).strangers, 1);
});
