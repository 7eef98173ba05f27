const graphemes = new Intl.Segmenter(undefined, { granularity: "grapheme" });

/**
 * A text in pieces of at most `max` UTF-16 units that together are the text. Cuts behind a paragraph, a line or a space
 * where the second half of a piece has one, else between two characters as people see them; through one only when it
 * alone is longer than `max`, and never through a surrogate pair.
 */
export function splitText(text: string, max: number): string[] {
  if (text.length <= max) return [text];
  const pieces: string[] = [];
  const segments = graphemes.segment(text);
  let from = 0;
  while (text.length - from > max) {
    const to = cut(text, segments, from, from + max);
    pieces.push(text.slice(from, to));
    from = to;
  }
  pieces.push(text.slice(from));
  return pieces;
}

function cut(text: string, segments: Intl.Segments, from: number, end: number): number {
  const earliest = from + Math.floor((end - from) / 2);
  for (const separator of ["\n\n", "\n", " "]) {
    let at = text.lastIndexOf(separator, end - separator.length);
    while (at >= earliest) {
      const behind = at + separator.length;
      // A combining mark may stand behind a space.
      if (segments.containing(behind)?.index === behind) return behind;
      at = text.lastIndexOf(separator, at - 1);
    }
  }
  const start = segments.containing(end)?.index ?? end;
  if (start > from) return start;
  const unit = text.charCodeAt(end);
  const isMiddleOfPair = unit >= 0xdc00 && unit <= 0xdfff;
  return isMiddleOfPair ? end - 1 : end;
}
