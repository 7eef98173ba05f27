import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { splitText } from "./split-text.ts";

const segmenter = new Intl.Segmenter(undefined, { granularity: "grapheme" });
const graphemesOf = (text: string) => [...segmenter.segment(text)].map(({ segment }) => segment);

const awkward = fc.constantFrom(
  "a",
  " ",
  "\n",
  "\n\n",
  "\r\n",
  "é",
  "e\u0301",
  " \u0301",
  "👩‍👩‍👧‍👦",
  "🇨🇭",
  "\u{1F600}",
  "한",
  "\u200d",
  "\ud800",
);
const texts = fc.array(awkward, { maxLength: 120, size: "max" }).map((units) => units.join(""));

test("the pieces together are the text, and none is longer than the limit", () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 12, max: 40 }), (text, max) => {
      const pieces = splitText(text, max);
      assert.equal(pieces.join(""), text);
      assert.ok(pieces.every((piece) => piece.length <= max && (piece !== "" || text === "")));
    }),
  );
});

test("no character as people see it is cut, unless it alone is longer than the limit", () => {
  fc.assert(
    fc.property(texts, fc.integer({ min: 12, max: 40 }), (text, max) => {
      fc.pre(graphemesOf(text).every((grapheme) => grapheme.length <= max));
      assert.deepEqual(splitText(text, max).flatMap(graphemesOf), graphemesOf(text));
    }),
  );
});

test("a character that is too long is cut, but not through a surrogate pair", () => {
  const zalgo = `a${"\u{1D165}".repeat(40)}`;
  const pieces = splitText(zalgo, 11);
  assert.equal(pieces.join(""), zalgo);
  assert.ok(pieces.every((piece) => piece.length <= 11 && piece.isWellFormed()));
});

test("cuts behind a paragraph rather than a line, behind a line rather than a space", () => {
  assert.deepEqual(splitText(`${"a".repeat(6)}\n\nb b\nb b`, 12), [`${"a".repeat(6)}\n\n`, "b b\nb b"]);
  assert.deepEqual(splitText(`${"a".repeat(6)}\nb b b b b`, 12), [`${"a".repeat(6)}\n`, "b b b b b"]);
  assert.deepEqual(splitText("aaaaaaa bbbbbbb", 12), ["aaaaaaa ", "bbbbbbb"]);
});

test("a break in the first half does not make a small piece", () => {
  assert.deepEqual(splitText("a\n\nbbbbbbbbbbbbbbbb", 10), ["a\n\nbbbbbbb", "bbbbbbbbb"]);
});
