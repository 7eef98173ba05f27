// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax that is tested.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { z } from "zod";
import { SetupError } from "../core/errors.ts";
import type { Config } from "./config.ts";
import type { AdapterSchemas } from "./config-schema.ts";
import { loadConfig } from "./load-config.ts";

const schemas: AdapterSchemas = {
  platforms: {
    web: z.strictObject({ title: z.string().optional() }),
    chat: z.strictObject({ token: z.string().min(1), rate: z.number().default(30), isLoud: z.boolean().optional() }),
  },
  reviewers: { rules: z.strictObject({ secrets: z.enum(["hold", "off"]).default("hold") }) },
  models: { local: z.strictObject({ default: z.string().optional() }) },
};

/** A file that is complete; `bot` stands in for the lines of the bot `demo`. */
function yamlWith({ top = "", bot = "", channels = "web: { platform: web }" }): string {
  return `${top}
bots:
  demo:
    ${bot}
    channels:
      ${channels}
    routes:
      - { agent: assistant }
agents:
  assistant: { persona: { name: Alex, role: Helper }, engine: local }
engines:
  local: { type: local }
`;
}

let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), "parley-config-"));
});
after(() => rm(folder, { recursive: true }));

async function load(text: string, env: Record<string, string> = {}): Promise<Config> {
  const path = join(folder, "parley.yaml");
  await writeFile(path, text);
  return loadConfig({ path, env, schemas });
}

/** The lines about mistakes, with `<line>:<column>` instead of the whole place. */
async function mistakes(text: string, env: Record<string, string> = {}): Promise<string[]> {
  const error = await load(text, env).then(
    () => assert.fail("was accepted"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof SetupError, String(error));
  const lines = error.message.split("\n").filter((line) => line.startsWith("  "));
  return lines.map((line) => line.trim().replace(`${join(folder, "parley.yaml")}:`, ""));
}

describe("a valid file", () => {
  test("gets every default", async () => {
    const { path, digest, ...config } = await load(yamlWith({}));
    assert.equal(path, join(folder, "parley.yaml"));
    assert.match(digest, /^[0-9a-f]{64}$/);
    assert.deepEqual(config, {
      server: { host: "127.0.0.1", port: 7400, publicUrl: null },
      storage: { kind: "local" },
      dataFolder: join(folder, "data"),
      log: { level: "info" },
      bots: [
        {
          id: "demo",
          name: "demo",
          quietMs: 0,
          channels: [{ id: "demo-web", platform: "web", options: {} }],
          routes: [{ name: "default", when: {}, engine: "agent:assistant", priority: 0 }],
          reviewers: [{ name: "rules", options: { secrets: "hold" } }],
        },
      ],
      agents: [
        {
          id: "assistant",
          persona: {
            name: "Alex",
            role: "Helper",
            personality: "",
            instructions: null,
            knowledge: [],
            constraints: [],
          },
          engine: "local",
        },
      ],
      engines: [{ id: "local", type: "local", options: {} }],
      off: [],
    });
  });

  test("gives routes by priority, those without keywords last unless they say otherwise", async () => {
    const routes = `
      - { name: rest, agent: assistant }
      - { keywords: [help, support], agent: assistant }
      - { name: urgent, keywords: [urgent], agent: assistant, priority: 80 }`;
    const { bots } = await load(yamlWith({}).replace("\n      - { agent: assistant }", routes));
    assert.deepEqual(
      bots[0]?.routes.map(({ name, priority }) => [name, priority]),
      [
        ["urgent", 80],
        ["help, support", 50],
        ["rest", 0],
      ],
    );
  });

  test("may reuse values by aliases", async () => {
    const channels = "web: &web { platform: web, title: Hi }\n      other: *web";
    const { bots } = await load(yamlWith({ channels }));
    assert.deepEqual(bots[0]?.channels[1], { id: "demo-other", platform: "web", options: { title: "Hi" } });
  });
});

describe("the environment", () => {
  test("is put into values, as the type that is wanted there", async () => {
    const channels = 'chat: { platform: chat, token: "${TOKEN}", rate: "${RATE}", isLoud: "${LOUD:-true}" }';
    const env = { TOKEN: "12345", RATE: "2.5", URL: "" };
    const config = await load(yamlWith({ top: "server: { public_url: '${URL}' }", channels }), env);
    assert.deepEqual(config.bots[0]?.channels[0]?.options, { token: "12345", rate: 2.5, isLoud: true });
    assert.equal(config.server.publicUrl, null);
  });

  test("cannot change the shape of the file", async () => {
    const { bots } = await load(yamlWith({ bot: "name: ${NAME}" }), { NAME: "x\n    quiet_ms: 5 # {" });
    assert.equal(bots[0]?.name, "x\n    quiet_ms: 5 # {");
    assert.equal(bots[0]?.quietMs, 0);
  });

  test("wins over the file where it says the same", async () => {
    const env = { PARLEY_HOST: "::1", PARLEY_PORT: "0", PARLEY_DATA_DIR: folder, PARLEY_LOG_LEVEL: "warn" };
    const config = await load(yamlWith({ top: "server: { port: 1 }" }), env);
    assert.deepEqual(config.server, { host: "::1", port: 0, publicUrl: null });
    assert.equal(config.dataFolder, folder);
    assert.equal(config.log.level, "warn");
  });

  test("is named when what it says is wrong", async () => {
    assert.deepEqual(await mistakes(yamlWith({}), { PARLEY_PORT: "70000", PARLEY_LOG_LEVEL: "loud" }), [
      "environment  PARLEY_PORT: must be at most 65535.",
      "environment  PARLEY_LOG_LEVEL: must be debug or info or warn or error.",
    ]);
  });

  test("leaves a channel off that has no token, and still checks the rest of it", async () => {
    const channels = 'web: { platform: web }\n      chat: { platform: chat, token: "${TOKEN:-}" }';
    const { bots, off } = await load(yamlWith({ channels }));
    assert.deepEqual(
      bots[0]?.channels.map(({ id }) => id),
      ["demo-web"],
    );
    assert.deepEqual(off, [{ channelId: "demo-chat", reason: "its token is empty" }]);
    assert.deepEqual(
      await mistakes(yamlWith({ channels: channels.replace("platform: chat", "platform: chat, rat: 1") })),
      ["7:31  bots.demo.channels.chat.rat: is not a key that is known here. Did you mean rate?"],
    );
  });
});

describe("a faulty file", () => {
  test("is refused with everything that is wrong, each at its place", async () => {
    const text = `sever: {}
server: { port: seven, host: "\${NOPE}" }
bots:
  Demo: {}
  demo:
    quite_ms: 3
    channels:
      web: { platform: web }
      chat: { platform: chta }
    routes:
      - { agent: asistant, priority: 1.5 }
      - 7
    review: { rules: { secrets: maybe } }
agents:
  assistant: { persona: { name: "" }, engine: locl }
engines:
  local: { type: local }
`;
    assert.deepEqual(await mistakes(text), [
      "1:1  sever: is not a key that is known here. Did you mean server?",
      "2:17  server.port: must be a number, not a text.",
      "2:30  server.host: The environment variable NOPE is not set. Set it, or give a default: ${NOPE:-…}.",
      "4:9  bots.Demo: is no name for this: take up to 40 of a-z, 0-9 and -.",
      "6:5  bots.demo.quite_ms: is not a key that is known here. Did you mean quiet_ms?",
      "9:25  bots.demo.channels.chat.platform: must be web or chat.",
      "11:18  bots.demo.routes[0].agent: names asistant, which is not under agents. Did you mean assistant?",
      "11:38  bots.demo.routes[0].priority: must be a whole number, not a fraction.",
      "12:9  bots.demo.routes[1]: must be keys and values, not a number.",
      "13:33  bots.demo.review.rules.secrets: must be hold or off.",
      "15:16  agents.assistant.persona.role: is missing. It wants a text.",
      "15:33  agents.assistant.persona.name: must be at least 1 characters long.",
      "15:47  agents.assistant.engine: names locl, which is not under engines. Did you mean local?",
    ]);
  });

  test("is told what this version cannot do, rather than ignored", async () => {
    const top = "router: { keyword_routes: [] }\nstorage: { type: hybrid, redis: { host: localhost } }";
    assert.deepEqual(await mistakes(yamlWith({ top }).replace("type: local", "type: openai, api_key: sk-1")), [
      "1:1  router: is not available in this version. Routes stand under bots.<bot>.routes.",
      "2:18  storage.type: must be local or memory: hybrid is not available in this version.",
      "2:26  storage.redis: is not available in this version.",
      "13:18  engines.local.type: must be local: openai is not available in this version.",
    ]);
  });

  test("is refused when two channels have one id", async () => {
    const text = yamlWith({}).replace(
      "bots:",
      "bots:\n  demo-a: { channels: { b: { platform: web } }, routes: [{ agent: assistant }] }",
    );
    assert.deepEqual(await mistakes(text.replace("      web:", "      a-b:")), [
      "7:12  bots.demo.channels.a-b: has the id demo-a-b, as has a channel of the bot demo-a. Rename one of them.",
    ]);
  });

  test("is refused without a bot", async () => {
    assert.deepEqual(await mistakes("bots: {}\nagents: {}\nengines: {}"), ["1:7  bots: needs at least one bot."]);
  });

  test("is refused for broken YAML with its place, without showing what stands there", async () => {
    for (const [text, place] of [
      ["a: [1\nb: 2", "2:1"],
      ["a: sk-secret\na: sk-secret", "2:1"],
      ['a: "\\q sk-secret"', "1:5"],
      ["a: !!sk-secret x", "1:4"],
      ["a: *sk-secret", "1:1"],
      [`a: ${"[".repeat(100_000)}`, "1:"],
    ] as const) {
      const lines = await mistakes(text);
      assert.ok(lines[0]?.startsWith(place), `${text.slice(0, 20)}: ${lines[0]}`);
      assert.ok(lines.length <= 3);
      assert.doesNotMatch(lines.join(), /sk-secret/);
    }
  });

  test("is refused when aliases unfold without end", async () => {
    const bomb = [
      "a0: &a0 [x]",
      ...Array.from({ length: 12 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`),
    ];
    assert.match((await mistakes(bomb.join("\n"))).join(), /unfold into more than 100 values/);
  });

  test("never shows a value of the environment", async () => {
    const env = { TOKEN: "sk-secret", PARLEY_PORT: "sk-secret" };
    const channels = 'chat: { platform: chat, token: t, rate: "${TOKEN}", isLoud: "${TOKEN}" }';
    assert.doesNotMatch((await mistakes(yamlWith({ bot: "quiet_ms: ${TOKEN}", channels }), env)).join(), /sk-secret/);
  });

  test("is refused over 1 MB and when it is not there", async () => {
    await assert.rejects(load(`# ${"x".repeat(1024 * 1024)}`), { name: "SetupError", message: /is over 1 MB/ });
    const source = { env: { PARLEY_CONFIG: join(folder, "other.yaml") }, schemas };
    await assert.rejects(loadConfig(source), {
      name: "SetupError",
      message: /There is no configuration at .*other\.yaml\. /,
    });
  });
});
