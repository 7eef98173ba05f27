import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type Family, findSensitive, redact } from "./sensitive-text.ts";

const both: ReadonlySet<Family> = new Set(["secret", "personal"]);
const clean = (text: string): string => redact(text, both);

/** In two pieces, so that nobody's scanner takes this file for a leak. */
const secrets: Readonly<Record<string, string>> = {
  "private key": `-----BEGIN RSA ${"PRIVATE KEY-----\nMIIE\nabc+/=\n-----END RSA PRIVATE KEY-----"}`,
  "AWS key": `AKIA${"IOSFODNN7EXAMPLE"}`,
  "API key": `sk-ant-${"api03-abcdefghijklmnop_qrst"}`,
  "GitHub token": `ghp_${"0123456789abcdefghijABCDEFGHIJ012345"}`,
  "Slack token": `xoxb-${"1234567890-abcdefghij"}`,
  "Telegram bot token": `123456789:${"AAabcdefghijklmnopqrstuvwxyz-_01234"}`,
  "Stripe key": `sk_live_${"0123456789abcdefGHIJ"}`,
  "Google key": `AIza${"SyA0123456789abcdefghijklmnopqrstuv"}`,
  "signed token": `eyJhbGciOiJIUzI1NiJ9.${"eyJzdWIiOiIxMjM0In0.abcdefghijklmno"}`,
  password: "Password: hunter2",
};

const numbers: Readonly<Record<string, readonly string[]>> = {
  "card number": [
    "4111111111111111",
    "4111 1111 1111 1111",
    "5555-5555-5555-4444",
    "2223.0000.4841.0010",
    "3782 822463 10005",
    "6011\u00A01111\u20111111\u20021117",
    "４１１１　１１１１　１１１１　１１１１",
    "٤١١١ ١١١١ ١١١١ ١١١١",
    "4\u200B111 1111 1111 11\u00AD11",
    "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
    "4111 1111\n1111 1111",
  ],
  IBAN: ["GB82 WEST 1234 5698 7654 32", "DE89370400440532013000", "de89-3704-0044-0532-0130-00", "NO93 8601 1117 947"],
  "social security number": ["078-05-1120", "078 05 1120", "０７８－０５－１１２０"],
};

test("each kind of secret is found in the middle of a text, and nothing but it is taken out", () => {
  for (const [what, secret] of Object.entries(secrets)) {
    assert.equal(clean(`Take this: ${secret} and go.`), `Take this: [${what} removed] and go.`);
  }
});

test("cards, accounts and social security numbers are found however they are written", () => {
  for (const [what, ways] of Object.entries(numbers)) {
    for (const way of ways) {
      assert.equal(clean(`Yours: ${way}, paid 12 times`), `Yours: [${what} removed], paid 12 times`, way);
      assert.equal(clean(`Order 12 ${way} 2029`), `Order 12 [${what} removed] 2029`, way);
    }
  }
});

test("passwords are found in other words, and talk about passwords is not one", () => {
  for (const text of [
    "Passwort: Geheim1!",
    "contraseña: abc123",
    "пароль: qwerty1",
    "密码：abc12345",
    "the pwd is = x9x9x9",
  ]) {
    assert.match(clean(text), /\[password removed\]$/, text);
  }
  for (const text of [
    "Forgot your password? Click here.",
    "Reset your password: https://example.com/reset?id=1",
    "Your password: at least eight characters",
    "password: [password removed]",
    "password: ********",
  ]) {
    assert.equal(clean(text), text);
  }
});

test("what only looks like it stays", () => {
  for (const text of [
    "4111 1111 1111 1112",
    "Call +49 151 23456789 or +378282246310005",
    "GB82 WEST 1234 5698 7654 33",
    "ZZ82 WEST 1234 5698 7654 32",
    "666-05-1120, 078-00-1120, 078-05-0000, 078051120, 1078-05-1120",
    "Order 2026-03-04 10:15:30, 59.99, invoice 20260304101530",
    "A task-oriented desk-top, a risk-free sk-short, ghost_writer, eyJ",
    "AKIA is a prefix; -----BEGIN CERTIFICATE----- is public",
    "0123456789 0123456789 0123456789",
  ]) {
    assert.equal(clean(text), text);
  }
});

test("what is two things at once is taken out once", () => {
  assert.equal(clean(`password: ${secrets["API key"]}!`), "[password removed]");
});

test("only what is asked for is found", () => {
  const text = `${secrets["API key"]} 4111111111111111`;
  assert.deepEqual(
    findSensitive(text, new Set(["personal"])).map(({ what }) => what),
    ["card number"],
  );
  assert.deepEqual(
    findSensitive(text, new Set(["secret"])).map(({ what }) => what),
    ["API key"],
  );
});

test("once redacted, nothing is found any more, whatever stood together", () => {
  const parts = [...Object.values(secrets), ...Object.values(numbers).flat()];
  const glue = ["", " ", "-", "1", "a", "\u200B", "٤", "[", "]", ": ", "\n", "password:", "sk-", "+", "4111"];
  const piece = fc.oneof(
    fc.constantFrom(...parts),
    fc.constantFrom(...glue),
    fc.string({ maxLength: 5 }),
    fc.constantFrom(...parts).chain((part) => fc.nat(part.length).map((end) => part.slice(0, end))),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
      const redacted = clean(pieces.join("").toWellFormed());
      assert.deepEqual(findSensitive(redacted, both), [], redacted);
      assert.equal(clean(redacted), redacted);
    }),
    { numRuns: 2_000 },
  );
});

test("a text in which ever more would show is removed as a whole", () => {
  assert.equal(clean("DE89370400440532013000".repeat(20)), "[text removed]");
});

test("no text is too much: each of these would take a backtracking search a very long time", () => {
  const max = 65_536;
  for (const piece of [
    "1 ",
    "1",
    "eyJ",
    "eyJaaaaaaaa.",
    "password:",
    "pwd: ",
    "-----BEGIN PRIVATE KEY-----",
    "GB82 ",
    "sk-",
    "a",
    "٤ ",
  ]) {
    const text = piece.repeat(max / piece.length);
    assert.ok(clean(text).length <= max, piece);
  }
});
