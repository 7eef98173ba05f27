import type { Part } from "../../core/part.ts";

/** A message in words for a model that reads only text, a line for each part. What is not text stands in brackets. */
export function describeParts(parts: readonly Part[]): string {
  return parts.map(describe).join("\n");
}

function describe(part: Part): string {
  switch (part.kind) {
    case "text":
      return part.text;
    case "file":
      return bracket(part.media, part.name, part.caption);
    case "choices":
      return bracket("choices", null, part.choices.map(({ label }) => label).join(", "));
    case "choice":
      return part.label ?? part.value;
    case "location":
      return bracket("location", part.name, `${part.latitude}, ${part.longitude}`);
    case "contact":
      return bracket("contact", part.name, part.phone);
    case "reaction":
      return part.emoji === "" ? "[reaction taken back]" : bracket("reaction", null, part.emoji);
    case "unsupported":
      return bracket(part.type, null, null);
  }
}

/** `[image photo.jpg: caption]`. */
function bracket(kind: string, name: string | null, details: string | null): string {
  const head = name === null || name === "" ? kind : `${kind} ${name}`;
  return details === null || details === "" ? `[${head}]` : `[${head}: ${details}]`;
}
