/** Readers for what a platform sends: they look, and never trust. */

export type Fields = Readonly<Record<string, unknown>>;

/** The object, or null when it is none. */
export function fieldsOf(value: unknown): Fields | null {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as Fields) : null;
}

export function textOf(value: unknown): string | null {
  return typeof value === "string" ? value : null;
}

export function numberOf(value: unknown): number | null {
  return typeof value === "number" && Number.isFinite(value) ? value : null;
}

/** Telegram's ids have at most 52 significant bits, so a number holds them exactly. */
export function idOf(value: unknown): string | null {
  return typeof value === "number" && Number.isSafeInteger(value) ? String(value) : null;
}
