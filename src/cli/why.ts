import type { Command } from "commander";
import { InputError } from "../core/errors.ts";
import type { MessageId } from "../core/ids.ts";
import { why } from "../journey/why.ts";
import { print, time } from "./output.ts";
import { globals, withData } from "./setup.ts";

export function addWhy(program: Command): void {
  program
    .command("why <message>")
    .description("what became of a message, and why")
    .action(async (id: string, _options, command: Command) => {
      const { json = false, ...options } = globals(command);
      const told = await withData(options, ({ storage }) => why(id as MessageId, storage));
      if (told === undefined) throw new InputError("not_found", `There is no message ${id}.`);
      print({ ok: true, ...told }, json, () => [
        `${told.message.id}, from the ${told.message.from}, is ${told.message.state}. ${told.summary}`,
        `bot ${told.bot}, channel ${told.channel}, conversation ${told.conversation}`,
        ...told.path.map(({ at, stage, what }) => `  ${time(at)}  ${stage.padEnd(8)} ${what}`),
        ...told.related.map(
          ({ id, from, state, reason }) =>
            `  → ${id} from the ${from}: ${state}${reason === null ? "" : ` (${reason})`}`,
        ),
      ]);
    });
}
