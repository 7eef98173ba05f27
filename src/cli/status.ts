import type { Command } from "commander";
import { print } from "./output.ts";
import { globals, withData } from "./setup.ts";

export function addStatus(program: Command): void {
  program
    .command("status")
    .description("how much waits, and how much wants a decision")
    .action(async (_options, command: Command) => {
      const { json = false, ...options } = globals(command);
      const status = await withData(options, ({ storage }) => storage.status());
      print({ ok: true, ...status }, json, () => [
        ...Object.entries(status.queues).map(
          ([name, { jobs, lanes, leased, oldestMs }]) =>
            `${name}: ${jobs} waiting in ${lanes} conversations, ${leased} being worked on, the oldest for ${Math.round(oldestMs / 1000)} s`,
        ),
        `held: ${status.held}   dead: ${status.dead}   unknown: ${status.unknown}`,
        `conversations: ${status.conversations}   messages: ${status.messages}`,
      ]);
    });
}
