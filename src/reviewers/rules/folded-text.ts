/** Nothing to fold: the common case, told in one pass. */
const plain = /^[\t\n\r\x20-\x7e]*$/;
/** Marks, joiners, direction signs, fillers and control characters: seen by no reader, so they part nothing. */
const invisible = /[\p{Cf}\p{Mn}\p{Default_Ignorable_Code_Point}]|(?![\t\n\r])\p{Cc}/gu;
const lookAlike = /(?![\x20-\x7e])[\p{Nd}\p{Pd}\p{Zs}\u2212]/gu;

/**
 * A text as a reader sees it, in plain characters where it has them: 𝟒 and ４ and ٤ are 4, ‐ is -, accents and what is
 * invisible are gone. So what is hidden from a pattern by such means is found all the same.
 */
export function fold(text: string): string {
  if (plain.test(text)) return text;
  return text.normalize("NFKD").replace(invisible, "").replace(lookAlike, plainOf);
}

export interface FoldedText {
  readonly text: string;
  /** Where in the original the characters from `start` to before `end` stand. */
  original(start: number, end: number): readonly [start: number, end: number];
}

/** The same text as `fold` gives, with the way back. */
export function foldWithPlaces(text: string): FoldedText {
  if (plain.test(text)) return { text, original: (start, end) => [start, end] };
  let folded = "";
  const starts: number[] = [];
  const ends: number[] = [];
  let offset = 0;
  for (const character of text) {
    const end = offset + character.length;
    const piece = fold(character);
    for (let index = 0; index < piece.length; index += 1) {
      starts.push(offset);
      ends.push(end);
    }
    folded += piece;
    offset = end;
  }
  return { text: folded, original: (start, end) => [starts[start] ?? 0, ends[end - 1] ?? text.length] };
}

function plainOf(character: string): string {
  if (/\p{Zs}/u.test(character)) return " ";
  if (!/\p{Nd}/u.test(character)) return "-";
  // Unicode keeps each script's digits together, from 0 to 9.
  const point = character.codePointAt(0) ?? 0;
  let digit = 0;
  while (digit < 9 && /\p{Nd}/u.test(String.fromCodePoint(point - digit - 1))) digit += 1;
  return String(digit);
}
