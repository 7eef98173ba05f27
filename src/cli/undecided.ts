import { userInfo } from "node:os";
import type { Command } from "commander";
import type { MessageId } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import { plainText } from "../core/part.ts";
import { decide, type OperatorDecision } from "../journey/decide.ts";
import { print, time } from "./output.ts";
import { globals, withData } from "./setup.ts";

/** `list`: the messages in these states, oldest first. */
export function addUndecidedList(parent: Command, states: readonly ("held" | "dead" | "unknown")[]): void {
  parent
    .command("list")
    .description("oldest first")
    .action(async (_options, command: Command) => {
      const { json = false, ...options } = globals(command);
      const pages = await withData(options, ({ storage }) =>
        Promise.all(states.map((state) => storage.undecided(state, { limit: limits.pageMax, cursor: null }))),
      );
      const items = pages
        .flatMap((page) => page.items)
        .map(({ id, conversationId, from, state, reason, parts, at }) => ({
          id,
          conversationId,
          from,
          state,
          reason,
          parts,
          at,
        }));
      const hasMore = pages.some(({ next }) => next !== null);
      print({ ok: true, items, hasMore }, json, () => [
        ...items.map(
          ({ id, from, state, reason, parts, at }) =>
            `${id}  ${time(at)}  from the ${from}, ${state}: ${reason}\n    ${preview(plainText(parts))}`,
        ),
        items.length === 0 ? "None." : hasMore ? "There are more: decide on these first." : `${items.length} in all.`,
      ]);
    });
}

export async function decideFrom(command: Command, id: string, decision: OperatorDecision): Promise<void> {
  const { json = false, ...options } = globals(command);
  const state = await withData(options, ({ storage, host }) =>
    decide(id as MessageId, decision, userInfo().username, { store: storage, host }),
  );
  print({ ok: true, message: id, state }, json, () => [`${id} is ${state} now.`]);
}

function preview(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > 100 ? `${line.slice(0, 100)}…` : line;
}
