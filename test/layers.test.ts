import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { cruise, type IModule } from "dependency-cruiser";

/** The import law of ARCHITECTURE.md: what each folder of src may import from src. Adapters also import their own folder. */
const mayImport: Readonly<Record<string, readonly string[]>> = {
  core: ["core"],
  journey: ["core", "journey"],
  channels: ["core"],
  reviewers: ["core"],
  engines: ["core"],
  models: ["core"],
  tools: ["core"],
  storage: ["core"],
  config: ["core", "config"],
  api: ["core", "journey", "api"],
  cli: ["core", "journey", "config", "api/api-keys.ts", "cli", "server.ts", "machine.ts"],
  "logger.ts": ["core"],
  "machine.ts": ["core"],
  "roster.ts": ["core", "config", "journey"],
  "server.ts": [
    "core",
    "journey",
    "channels",
    "reviewers",
    "engines",
    "models",
    "tools",
    "storage",
    "config",
    "api",
    "logger.ts",
    "machine.ts",
    "roster.ts",
  ],
};

const root = fileURLToPath(new URL("..", import.meta.url));
let modules: readonly IModule[] = [];

before(async () => {
  const result = await cruise(["src"], {
    tsPreCompilationDeps: true,
    baseDir: root,
    doNotFollow: { path: "node_modules" },
  });
  assert.ok(typeof result.output !== "string");
  modules = result.output.modules.filter(({ source }) => source.startsWith("src/") && !source.endsWith(".test.ts"));
});

test("the import law is looked at, not passed over: dozens of modules were seen", () => {
  assert.ok(modules.length > 60, `only ${modules.length} modules were seen`);
  const [importing] = modules.filter(({ source }) => source === "src/journey/journey.ts");
  assert.ok((importing?.dependencies.length ?? 0) > 5, "imports of types are not seen");
});

test("every folder imports only what the import law allows", () => {
  const broken = modules.flatMap(({ source, dependencies }) =>
    dependencies
      .filter(({ resolved }) => !isAllowed(source, resolved))
      .map(({ resolved }) => `${source} → ${resolved}`),
  );
  assert.deepEqual(broken, []);
});

test("the law itself is no decoration: it refuses what it must", () => {
  const refused = [
    ["src/core/message.ts", "fs"],
    ["src/core/message.ts", "node_modules/zod/index.js"],
    ["src/journey/journey.ts", "src/storage/sqlite/sqlite-storage.ts"],
    ["src/journey/worker.ts", "timers"],
    ["src/channels/telegram/telegram-channel.ts", "src/channels/web/web-channel.ts"],
    ["src/channels/web/web-routes.ts", "src/journey/journey.ts"],
    ["src/engines/agent/agent-engine.ts", "src/storage/memory/memory-storage.ts"],
    ["src/engines/agent/agent-engine.ts", "src/models/local/local-model.ts"],
    ["src/api/http-server.ts", "src/storage/memory/memory-storage.ts"],
    ["src/cli/held.ts", "src/storage/sqlite/sqlite-storage.ts"],
    ["src/roster.ts", "src/channels/web/web-channel.ts"],
    ["src/api/http-server.ts", "test/contracts/test-host.ts"],
  ] as const;
  for (const [from, to] of refused) assert.ok(!isAllowed(from, to), `${from} → ${to}`);
});

test("nothing imports in a circle", () => {
  const circles = modules.flatMap(({ source, dependencies }) =>
    dependencies.filter(({ circular }) => circular).map(({ resolved }) => `${source} → ${resolved}`),
  );
  assert.deepEqual(circles, []);
});

test("core and journey take no time and no chance of their own", () => {
  for (const file of sources(["src/core/*.ts", "src/journey/*.ts"])) {
    assert.doesNotMatch(
      file.text,
      /\bDate\.now\(|\bnew Date\(\)|Math\.random\(|\bset(?:Timeout|Interval|Immediate)\(|\bperformance\./,
      file.path,
    );
  }
});

test("every named limit is one: something in src keeps to it", () => {
  const names = [...readFileSync(`${root}src/core/limits.ts`, "utf8").matchAll(/^ {2}(\w+):/gm)].map(
    ([, name]) => name,
  );
  const code = sources(["src/**/*.ts"]).filter(({ path }) => !path.endsWith(".test.ts"));
  assert.ok(names.length > 20);
  assert.deepEqual(
    names.filter((name) => !code.some(({ text }) => text.includes(`limits.${name}`))),
    [],
  );
});

test("files are short, named in kebab-case, and not after nothing", () => {
  for (const { path, text } of sources(["src/**/*.ts", "test/**/*.ts", "bench/**/*.ts"])) {
    const name = basename(path).replace(/(\.property)?(\.test|\.contract)?\.ts$/, "");
    assert.match(name, /^[a-z0-9]+(-[a-z0-9]+)*$/, path);
    assert.doesNotMatch(name, /\b(utils?|helpers?|common|types|manager|service)\b/, path);
    assert.ok(text.split("\n").length <= 401, `${path} has over 400 lines: its interface is too wide`);
  }
});

function isAllowed(from: string, to: string): boolean {
  const [folder, kind] = placeOf(from);
  if (!to.startsWith("src/")) {
    if (to.startsWith("test/") || to.startsWith("bench/")) return false;
    return folder !== "core" && folder !== "journey";
  }
  const [toFolder, toKind] = placeOf(to);
  const isAdapter = ["channels", "reviewers", "engines", "models", "tools", "storage"].includes(folder);
  if (isAdapter && toFolder === folder && (toKind === kind || toKind === "shared")) return true;
  return (mayImport[folder] ?? []).some((allowed) => allowed === toFolder || `src/${allowed}` === to);
}

/** `src/channels/web/x.ts` → `channels`, `web`; `src/server.ts` → `server.ts`. */
function placeOf(path: string): readonly [string, string] {
  const [, folder = "", kind = ""] = path.split("/");
  return [folder, kind];
}

function sources(patterns: readonly string[]): readonly { path: string; text: string }[] {
  return globSync([...patterns], { cwd: root }).map((path) => ({ path, text: readFileSync(`${root}${path}`, "utf8") }));
}
