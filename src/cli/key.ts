import type { Command } from "commander";
import { newApiKey } from "../api/api-keys.ts";
import { InputError } from "../core/errors.ts";
import { limits } from "../core/limits.ts";
import { print, time } from "./output.ts";
import { globals, withData } from "./setup.ts";

export function addKey(program: Command): void {
  const key = program.command("key").description("keys of the HTTP interface");
  key
    .command("create")
    .description("make a key; it is shown this once")
    .option("--name <text>", "what it is for", "unnamed")
    .action(async ({ name }: { name: string }, command: Command) => {
      const { json = false, ...options } = globals(command);
      const made = await withData(options, async ({ storage, host }) => {
        const created = newApiKey(name, host);
        await storage.apply([{ kind: "apiKey", apiKey: created.apiKey }]);
        return created;
      });
      print({ ok: true, key: made.key, id: made.apiKey.id, name }, json, () => [made.key]);
    });
  key
    .command("list")
    .description("without the keys themselves, which are not kept")
    .action(async (_options, command: Command) => {
      const { json = false, ...options } = globals(command);
      const { items } = await withData(options, ({ storage }) =>
        storage.apiKeys({ limit: limits.pageMax, cursor: null }),
      );
      const keys = items.map(({ id, name, createdAt, revokedAt }) => ({ id, name, createdAt, revokedAt }));
      print({ ok: true, keys }, json, () =>
        keys.map(
          ({ id, name, createdAt, revokedAt }) =>
            `${id}  ${time(createdAt)}  ${name}${revokedAt === null ? "" : "  (revoked)"}`,
        ),
      );
    });
  key
    .command("revoke <id>")
    .description("a running server refuses it within seconds")
    .action(async (id: string, _options, command: Command) => {
      const { json = false, ...options } = globals(command);
      await withData(options, async ({ storage, host }) => {
        const { items } = await storage.apiKeys({ limit: limits.pageMax, cursor: null });
        const apiKey = items.find((item) => item.id === id);
        if (apiKey === undefined) throw new InputError("not_found", `There is no key ${id}: see "key list".`);
        await storage.apply([{ kind: "apiKey", apiKey: { ...apiKey, revokedAt: Math.floor(host.clock.now()) } }]);
      });
      print({ ok: true, id }, json, () => [`${id} is revoked.`]);
    });
}
