import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

test("killed at random moments under load, nothing is lost, said twice or out of order", async () => {
  const program = join(import.meta.dirname, "random-kills.ts");
  // Fails, with what it printed, when a promise was broken.
  const { stdout } = await promisify(execFile)(process.execPath, [program, "--kills", "6", "--seed", "1"]);
  const [, messages, answered, unknown] = /messages (\d+), answered (\d+), unknown (\d+), lost 0/.exec(stdout) ?? [];
  assert.ok(Number(messages) > 50, stdout);
  assert.ok(Number(answered) + Number(unknown) >= Number(messages), stdout);
});
