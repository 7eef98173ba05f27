import { createServer } from "node:net";
import type { Command } from "commander";
import type { Config } from "../config/config.ts";
import { type Finding, isCheckedChannel } from "../core/channel.ts";
import { SetupError } from "../core/errors.ts";
import { createMachine } from "../machine.ts";
import { openChannels, openData } from "../server.ts";
import { print } from "./output.ts";
import { configOf, type GlobalOptions, globals, quiet } from "./setup.ts";

const channelMs = 15_000;

export function addDoctor(program: Command): void {
  program
    .command("doctor")
    .description("look at everything that a start needs, and say the remedy")
    .action(async (_options, command: Command) => {
      const { json = false, ...options } = globals(command);
      const findings = await examine(options);
      const ok = findings.every((finding) => finding.ok);
      print({ ok, findings }, json, () => [
        ...findings.flatMap(({ ok, message, remedy }) => [
          `${ok ? "✓" : "✗"} ${message}`,
          ...(remedy === null ? [] : [`    ${remedy}`]),
        ]),
        ok ? "All is well." : "Mend what is marked ✗ and run it again.",
      ]);
      if (!ok) process.exitCode = 1;
    });
}

async function examine(options: GlobalOptions): Promise<readonly Finding[]> {
  let config: Config;
  try {
    config = await configOf(options);
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return [{ ok: false, message: error.message, remedy: null }];
  }
  return [
    { ok: true, message: `the configuration ${config.path} is valid: ${config.bots.length} bots`, remedy: null },
    ...config.off.map(({ channelId, reason }) => ({
      ok: true,
      message: `${channelId} is off: ${reason}`,
      remedy: null,
    })),
    await examineData(config),
    await examinePort(config),
    ...(await examineChannels(config)),
  ];
}

async function examineData(config: Config): Promise<Finding> {
  try {
    const { storage } = await openData(config, "command");
    const { messages } = await storage.status();
    await storage.close();
    return {
      ok: true,
      message: `the data folder ${config.dataFolder} can be written and holds ${messages} messages`,
      remedy: null,
    };
  } catch (error) {
    return { ok: false, message: `the data folder: ${messageOf(error)}`, remedy: null };
  }
}

function examinePort({ server }: Config): Promise<Finding> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      const isRunning = error.code === "EADDRINUSE";
      resolve({
        ok: isRunning,
        message: isRunning
          ? `the port ${server.port} is in use: fine if that is Parley, running already`
          : `cannot listen on ${server.host}:${server.port} (${error.code})`,
        remedy: isRunning ? null : "Choose another host or port with PARLEY_HOST and PARLEY_PORT.",
      });
    });
    probe.listen(server.port, server.host, () => {
      probe.close(() =>
        resolve({ ok: true, message: `the port ${server.port} on ${server.host} is free`, remedy: null }),
      );
    });
  });
}

async function examineChannels(config: Config): Promise<readonly Finding[]> {
  const channels = await openChannels(config, createMachine(), quiet);
  const findings = await Promise.all(
    channels.filter(isCheckedChannel).map(async (channel) => {
      try {
        const found = await channel.check(AbortSignal.timeout(channelMs));
        return found.map((finding) => ({ ...finding, message: `${channel.id}: ${finding.message}` }));
      } catch (error) {
        return [
          { ok: false, message: `${channel.id}: ${messageOf(error)}`, remedy: "Mend that, or take the channel out." },
        ];
      }
    }),
  );
  return findings.flat();
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
