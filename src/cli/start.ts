import type { Command } from "commander";
import { startServer } from "../server.ts";
import { print } from "./output.ts";
import { configOf, globals } from "./setup.ts";

export function addStart(program: Command): void {
  program
    .command("start")
    .description("run the bots that the configuration names, until SIGTERM or Ctrl-C")
    .action(async (_options, command: Command) => {
      const { json = false, ...options } = globals(command);
      const config = await configOf(options);
      const server = await startServer(config, { env: process.env });
      const chats = config.bots
        .filter(({ channels }) => channels.some(({ platform }) => platform === "web"))
        .map(({ id, name }) => ({ name, url: `${server.url}/chat/${id}` }));
      print({ ok: true, url: server.url, chats }, json, () => [
        `Parley is running at ${server.url}`,
        ...chats.map(({ name, url }) => `  chat with ${name}: ${url}`),
        ...config.off.map(({ channelId, reason }) => `  ${channelId} is off: ${reason}`),
        "Stop it with Ctrl-C. Nothing is lost.",
      ]);
      for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
        process.once(signal, () => {
          // A second signal finds no listener and ends the process at once.
          server.stop().then(
            () => process.exit(0),
            () => process.exit(1),
          );
        });
      }
    });
}
