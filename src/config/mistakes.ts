import type { z } from "zod";

/** What the file's format has a place for and this version cannot do: said, rather than ignored. `*` is any name. */
const notYetKeys: Readonly<Record<string, string>> = {
  router: "Routes stand under bots.<bot>.routes",
  conversation: "",
  system: "Limits on what people send stand under bots.<bot>.review.rules, logging under log",
  features: "",
  webhooks: "",
  "storage.redis": "",
  "storage.hybrid": "",
  "agents.*.specialization": "",
  "agents.*.persona.max_history_size": "",
};
const notYetValues = ["redis", "hybrid", "postgres", "openai", "claude", "gemini", "openai-compatible"];

/** Sentences for what zod finds, for whoever writes the file. They never repeat a value. */
export function describeIssue(issue: z.core.$ZodRawIssue): string | undefined {
  switch (issue.code) {
    case "invalid_type":
      if (issue.input === undefined) return `is missing. It wants ${wanted(issue.expected)}`;
      return `must be ${wanted(issue.expected)}, not ${kindOf(issue.input)}`;
    case "invalid_value":
      return oneOf(issue.values, issue.input);
    case "invalid_union":
      return Array.isArray(issue.options) ? oneOf(issue.options, chosen(issue)) : undefined;
    case "invalid_key":
      return issue.issues[0]?.message;
    case "too_small":
      return `must be at least ${issue.minimum}${unitOf(issue.origin)}`;
    case "too_big":
      return `must be at most ${issue.maximum}${unitOf(issue.origin)}`;
    case "unrecognized_keys":
      // One line for each key, in the order of `keys`.
      return issue.keys.map((key) => unknownKey([...(issue.path ?? []), key], knownKeys(issue.inst))).join("\n");
    default:
      return undefined;
  }
}

/** "Did you mean …?" when one of the names is near; empty when none is. */
export function suggest(name: string, known: readonly string[]): string {
  const near = nearest(name, known);
  return near === undefined ? "" : ` Did you mean ${near}?`;
}

function oneOf(values: readonly unknown[], input: unknown): string {
  const choice = `must be ${values.map(String).join(" or ")}`;
  const isNotYet = typeof input === "string" && notYetValues.includes(input);
  return isNotYet ? `${choice}: ${input} is not available in this version` : choice;
}

function chosen({
  input,
  discriminator,
}: {
  readonly input: unknown;
  readonly discriminator?: string | undefined;
}): unknown {
  return (input as Readonly<Record<string, unknown>>)[discriminator ?? ""];
}

function unknownKey(path: readonly PropertyKey[], known: readonly string[]): string {
  const notYet = Object.entries(notYetKeys).find(([pattern]) => matches(pattern.split("."), path));
  if (notYet !== undefined) return ["is not available in this version", notYet[1]].filter(Boolean).join(". ");
  return `is not a key that is known here.${suggest(String(path.at(-1)), known) || ` Known: ${known.join(", ")}.`}`;
}

function matches(pattern: readonly string[], path: readonly PropertyKey[]): boolean {
  return pattern.length === path.length && pattern.every((name, index) => name === "*" || name === path[index]);
}

function knownKeys(schema: unknown): string[] {
  const shape = (schema as { readonly _zod?: { readonly def?: { readonly shape?: object } } } | undefined)?._zod?.def
    ?.shape;
  return Object.keys(shape ?? {});
}

function unitOf(origin: string): string {
  if (origin === "string") return " characters long";
  return origin === "array" ? " entries long" : "";
}

function wanted(expected: string): string {
  const names: Record<string, string> = {
    string: "a text",
    number: "a number",
    int: "a whole number",
    boolean: "true or false",
    array: "a list",
    object: "keys and values",
    record: "keys and values",
  };
  return names[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "number") return Number.isInteger(value) ? "a number" : "a fraction";
  return wanted(typeof value);
}

/** The name with the fewest letters changed: at most two, or a third of them. */
function nearest(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const changes = distance(name.slice(0, 60).toLowerCase(), candidate.toLowerCase());
    if (changes >= fewest) continue;
    fewest = changes;
    best = candidate;
  }
  return best;
}

/** How many letters to insert, drop or replace (Levenshtein). */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [above, letter] of [...from].entries()) {
    const next = [above + 1];
    for (let index = 0; index < to.length; index += 1) {
      const replaced = (row[index] ?? 0) + (letter === to[index] ? 0 : 1);
      next.push(Math.min(replaced, (row[index + 1] ?? 0) + 1, (next[index] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
