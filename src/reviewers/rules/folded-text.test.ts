import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fold, foldWithPlaces } from "./folded-text.ts";

test("what a reader takes for a plain character is that character", () => {
  for (const [text, wanted] of [
    ["４１ ٤١ ४१ 𝟒𝟏 ④①", "41 41 41 41 41"],
    ["p\u200Ba\u00ADs\u202Es\u2060w\u{E0041}ord", "password"],
    ["pässwörd ｓｋ－ａ", "password sk-a"],
    ["1\u20102\u20133\u22124\u00A05\u20036", "1-2-3-4 5 6"],
    ["a\tb\r\nc\u0007d", "a\tb\r\ncd"],
    ["ﬁne 你好 пока", "fine 你好 пока"],
  ] as const) {
    assert.equal(fold(text), wanted);
  }
});

test("every digit of every script is its own value", () => {
  let scripts = 0;
  for (let point = 0x80; point < 0x20_000; point += 1) {
    const character = String.fromCodePoint(point);
    scripts += 1;
    // In each script the digits 0 to 9 follow each other.
    if (!/\p{Nd}/u.test(character) || !/^0$/.test(fold(character))) continue;
    const row = Array.from({ length: 10 }, (_, digit) => fold(String.fromCodePoint(point + digit)));
    assert.equal(row.join(""), "0123456789", `U+${point.toString(16)}`);
  }
  assert.ok(scripts > 40, `only ${scripts}`);
});

test("folding with places gives the same text as folding, and leads back to the original", () => {
  const text = fc.string({ unit: "binary" }).map((any) => any.toWellFormed());
  fc.assert(
    fc.property(text, (original) => {
      const folded = foldWithPlaces(original);
      assert.equal(folded.text, fold(original));
      for (let start = 0; start < folded.text.length; start += 1) {
        const [from, to] = folded.original(start, start + 1);
        assert.ok(fold(original.slice(from, to)).includes(folded.text[start] ?? "?"));
      }
    }),
  );
});
