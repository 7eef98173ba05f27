import type { Part } from "../../core/part.ts";

/** Every text of a message, by whether a reader sees it or a button carries it. */
export interface PartTexts {
  readonly shown: readonly string[];
  readonly carried: readonly string[];
}

const none: readonly string[] = [];

export function textsOf(parts: readonly Part[]): PartTexts {
  const [only] = parts;
  if (parts.length === 1 && only?.kind === "text") return { shown: [only.text], carried: none };
  const shown: string[] = [];
  const carried: string[] = [];
  for (const part of parts) {
    rewritePart(part, (text, isShown) => {
      (isShown ? shown : carried).push(text);
      return text;
    });
  }
  return { shown, carried };
}

/** The part with each of its texts rewritten. */
export function rewritePart(part: Part, rewrite: (text: string, isShown: boolean) => string): Part {
  const shown = (text: string): string => rewrite(text, true);
  const shownOrNull = (text: string | null): string | null => (text === null ? null : shown(text));
  switch (part.kind) {
    case "text":
      return { ...part, text: shown(part.text) };
    case "file":
      return { ...part, name: shownOrNull(part.name), caption: shownOrNull(part.caption) };
    case "choices":
      return {
        ...part,
        choices: part.choices.map(({ label, value }) => ({ label: shown(label), value: rewrite(value, false) })),
      };
    case "choice":
      return { ...part, label: shownOrNull(part.label), value: rewrite(part.value, false) };
    case "location":
      return { ...part, name: shownOrNull(part.name) };
    case "contact":
      return { ...part, name: shown(part.name), phone: shownOrNull(part.phone) };
    case "reaction":
      return { ...part, emoji: shown(part.emoji) };
    case "unsupported":
      return { ...part, type: shown(part.type) };
  }
}
