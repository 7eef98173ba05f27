import { InputError } from "../../core/errors.ts";
import { limits } from "../../core/limits.ts";
import type { Page, PageRequest } from "../../core/store.ts";

/** A page as a storage reads it: `limit` rows after the one numbered `after`, or from the start. */
export interface PageStart {
  readonly limit: number;
  readonly after: number | null;
}

/** Checks what a caller asked for. Throws `InputError`. */
export function pageStart(page: PageRequest): PageStart {
  return { limit: checkedLimit(page.limit), after: page.cursor === null ? null : decodeCursor(page.cursor) };
}

/** A number of rows that may be asked for at once. Throws `InputError`. */
export function checkedLimit(limit: number): number {
  if (Number.isInteger(limit) && limit >= 1 && limit <= limits.pageMax) return limit;
  throw new InputError("invalid_input", `The limit is ${limit}; ask for 1 to ${limits.pageMax}.`);
}

/** An item and its place in the list. */
interface Row<Item> {
  readonly seq: number;
  readonly item: Item;
}

/** The page of the first `limit` of `rows`, of which the storage read one more than asked, to know whether there is more. */
export function pageOf<Item>(rows: readonly Row<Item>[], limit: number): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = rows.length > limit ? shown.at(-1) : undefined;
  return { items: shown.map((row) => row.item), next: last === undefined ? null : encodeCursor(last.seq) };
}

function encodeCursor(seq: number): string {
  return Buffer.from(String(seq)).toString("base64url");
}

function decodeCursor(cursor: string): number {
  const seq = Number(Buffer.from(cursor, "base64url").toString());
  if (Number.isSafeInteger(seq) && seq > 0 && encodeCursor(seq) === cursor) return seq;
  throw new InputError("invalid_cursor", "The cursor is not one that a page gave: start again without a cursor.");
}
