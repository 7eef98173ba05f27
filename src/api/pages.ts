import { z } from "zod";
import { limits } from "../core/limits.ts";
import type { Page, PageRequest } from "../core/store.ts";
import { apiLimits } from "./api-limits.ts";

/** What every list may be asked. Spread into the route's own query. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(limits.pageMax).default(apiLimits.pageDefault),
  cursor: z
    .string()
    .min(1)
    .max(limits.labelMax)
    .optional()
    .describe("`next` of the page before; absent for the first."),
};

export function pageShape<Item extends z.ZodType>(item: Item) {
  return z.object({ items: z.array(item), next: z.string().nullable().describe("Null on the last page.") });
}

export function pageRequest({ limit, cursor }: { limit: number; cursor?: string | undefined }): PageRequest {
  return { limit, cursor: cursor ?? null };
}

export function pageView<Item, View>(page: Page<Item>, view: (item: Item) => View) {
  return { items: page.items.map(view), next: page.next };
}
