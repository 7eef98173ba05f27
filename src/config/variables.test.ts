// biome-ignore-all lint/suspicious/noTemplateCurlyInString: this is the syntax that is tested.
import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { expandVariables } from "./variables.ts";

test("a variable stands for its value, its default when it is unset or empty, and an escape for itself", () => {
  const env = { HOST: "a.example", EMPTY: "", TRICK: "${HOST}" };
  for (const [text, wanted] of [
    ["https://${HOST}:${PORT:-80}/", "https://a.example:80/"],
    ["${EMPTY}|${EMPTY:-x}|${NONE:-}", "|x|"],
    ["$${HOST} costs $5", "${HOST} costs $5"],
    ["${TRICK}", "${HOST}"],
    ["${NONE:-a:-b $ c}", "a:-b $ c"],
  ] as const) {
    assert.equal(expandVariables(text, env), wanted);
  }
});

test("a missing variable and half a variable are refused", () => {
  assert.throws(() => expandVariables("${NONE}", {}), { name: "SetupError", message: /NONE is not set/ });
  for (const text of ["${", "${A", "${}", "${A B}", "${1A}", "${A-b}"]) {
    assert.throws(() => expandVariables(text, { A: "a" }), { name: "SetupError", message: /begins a variable/ });
  }
});

test("NAME_FILE stands for the content of a file, without the line end", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "parley-variables-"));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, "token");
  await writeFile(path, "s3cret\r\n");
  assert.equal(expandVariables("${TOKEN}", { TOKEN_FILE: path }), "s3cret");
  assert.throws(
    () => expandVariables("${TOKEN}", { TOKEN_FILE: path, TOKEN: "x" }),
    /Both TOKEN and TOKEN_FILE are set/,
  );
  assert.throws(() => expandVariables("${TOKEN:-x}", { TOKEN_FILE: join(folder, "none") }), /cannot be read/);
  await writeFile(path, "x".repeat(65_537));
  assert.throws(() => expandVariables("${TOKEN}", { TOKEN_FILE: path }), /is over 64 KB/);
});
