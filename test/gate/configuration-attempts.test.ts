import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { newApiKey } from "../../src/api/api-keys.ts";
import type { Config } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load-config.ts";
import { SetupError } from "../../src/core/errors.ts";
import type { MessageId } from "../../src/core/ids.ts";
import { adapterSchemas, openData, startServer } from "../../src/server.ts";

/** A configuration whose bot is reviewed as this text says. */
async function load(context: TestContext, review: string, more = ""): Promise<Config> {
  const folder = mkdtempSync(join(tmpdir(), "parley-gate-config-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, "parley.yaml");
  const text = `
server: { port: 0 }
storage: { type: local, local: { base_path: ./data } }
log: { level: error }
bots:
  demo:
    channels: { web: { platform: web } }
    routes: [{ agent: guide }]
    ${review}
agents:
  guide: { persona: { name: Guide, role: Guide }, engine: plain${more} }
engines:
  plain: { type: local }
`;
  writeFileSync(path, text);
  return loadConfig({ path, env: {}, schemas: adapterSchemas });
}

const rules = (config: Config) => config.bots[0]!.reviewers.map(({ name }) => name);

for (const review of [
  "",
  "review: {}",
  "review: { rules: {} }",
  "review: { rules: { secrets: off, personal_data: off } }",
]) {
  test(`"${review}" still asks the rules`, async (context) => {
    assert.deepEqual(rules(await load(context, review)), ["rules"]);
  });
}

for (const review of [
  "review: []",
  "review: null",
  "review: none",
  "review: false",
  "review: { rules: false }",
  "review: { rules: null }",
  "review: { rules: { enabled: false } }",
  "review: { nobody: {} }",
  "review: { __proto__: {} }",
  "reviewers: []",
  "gate: off",
]) {
  test(`"${review}" is refused at the start`, async (context) => {
    await assert.rejects(load(context, review), SetupError);
  });
}

test("an agent cannot be told to go without a review", async (context) => {
  for (const more of [", review: none", ", trusted: true", ", reviewers: []"]) {
    await assert.rejects(load(context, "", more), SetupError, more);
  }
});

test("a bot of a running server is judged by the rules, though nobody configured a review", async (context) => {
  const config = await load(context, "review: {}");
  const server = await startServer(config, { env: {} });
  context.after(() => server.stop());
  const { storage, host } = await openData(config, "command");
  const { key, apiKey } = newApiKey("tests", host);
  await storage.apply([{ kind: "apiKey", apiKey }]);
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const body = JSON.stringify({ person: "anna", text: "hello" });
  const sent = await fetch(`${server.url}/api/v1/bots/demo/messages?wait=30`, { method: "POST", headers, body });
  const { message, answers } = (await sent.json()) as { message: MessageId; answers: { id: MessageId }[] };
  assert.equal(answers.length, 1);
  for (const id of [message, answers[0]!.id]) {
    const verdicts = (await storage.findPath(id))?.verdicts ?? [];
    assert.deepEqual(
      verdicts.map(({ outcome, reviewer }) => `${outcome} by ${reviewer}`),
      ["pass by rules"],
    );
  }
  await storage.close();
});
