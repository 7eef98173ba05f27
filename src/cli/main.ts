import { Command } from "commander";
import { addChat } from "./chat.ts";
import { addDead } from "./dead.ts";
import { addDoctor } from "./doctor.ts";
import { addHeld } from "./held.ts";
import { addKey } from "./key.ts";
import { fail } from "./output.ts";
import { addStart } from "./start.ts";
import { addStatus } from "./status.ts";
import { addWhy } from "./why.ts";

const program = new Command("parley")
  .description("Self-hosted AI bots on messaging channels")
  .option("--config <file>", "the configuration (default: PARLEY_CONFIG, else ./parley.yaml)")
  .option("--json", "print exactly one JSON document on stdout")
  .showHelpAfterError("(add --help for what there is)")
  // A wrong option is a failure like any other: it is told as JSON where JSON was asked for.
  .exitOverride()
  .configureOutput({ writeErr: (text) => void (process.argv.includes("--json") || process.stderr.write(text)) });

for (const add of [addStart, addStatus, addChat, addWhy, addHeld, addDead, addDoctor, addKey]) add(program);

try {
  await program.parseAsync();
} catch (error) {
  fail(error, process.argv.includes("--json"));
}
