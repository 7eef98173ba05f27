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
      const stop = (): void => {
        server.stop().then(
          () => process.exit(0),
          () => process.exit(1),
        );
      };
      // A service manager may send SIGTERM to every process of the service, and start.mjs passes it on: twice is once.
      for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, stop);
      process.once("SIGINT", () => {
        // Who presses Ctrl-C again does not want to wait.
        process.once("SIGINT", () => process.exit(130));
        stop();
      });
      const chats = config.bots
        .filter(({ channels }) => channels.some(({ platform }) => platform === "web"))
        .map(({ id, name }) => ({ name, url: `${server.url}/chat/${id}` }));
      print({ ok: true, url: server.url, chats }, json, () => [
        `Parley is running at ${server.url}`,
        ...chats.map(({ name, url }) => `  chat with ${name}: ${url}`),
        ...config.off.map(({ channelId, reason }) => `  ${channelId} is off: ${reason}`),
        "Stop it with Ctrl-C. Nothing is lost.",
      ]);
    });
}
