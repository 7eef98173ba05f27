import type { Command } from "commander";
import { addUndecidedList, decideFrom } from "./undecided.ts";

export function addDead(program: Command): void {
  const dead = program.command("dead").description("messages that were given up, or may or may not have arrived");
  addUndecidedList(dead, ["dead", "unknown"]);
  dead
    .command("resubmit <message>")
    .description("try it again; one that did arrive will then arrive twice")
    .action((id: string, _options, command: Command) => decideFrom(command, id, { kind: "resubmit" }));
}
