import type { Command } from "commander";
import type { OperatorDecision } from "../journey/decide.ts";
import { addUndecidedList, decideFrom } from "./undecided.ts";

export function addHeld(program: Command): void {
  const held = program.command("held").description("messages that a reviewer held back");
  addUndecidedList(held, ["held"]);
  held
    .command("release <message>")
    .description("let it go on its way")
    .action((id: string, _options, command: Command) => decideFrom(command, id, { kind: "release" }));
  held
    .command("reject <message>")
    .description("let it end here")
    .option("--reason <text>", "kept with the message", "no reason given")
    .action((id: string, { reason }: { reason: string }, command: Command) => {
      const decision: OperatorDecision = { kind: "reject", reason };
      return decideFrom(command, id, decision);
    });
}
