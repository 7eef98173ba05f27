import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/**
 * `npm run check`: what CI runs. Goes on after a failure, so that one run shows all of them. With `--without-tests` it
 * leaves out the last step, for who runs `npm test` as well.
 */
const all = [
  ["format and lint", "biome", "ci", "--error-on-warnings", "."],
  ["types", "tsc", "-p", "."],
  ["dead code", "knip"],
  ["tests", process.execPath, "test/run.ts"],
] as const;
const steps = process.argv.includes("--without-tests") ? all.slice(0, -1) : all;

const failed: string[] = [];
for (const [name, command, ...args] of steps) {
  process.stdout.write(`\n── ${name}\n`);
  const { status } = spawnSync(command, args, { cwd: fileURLToPath(new URL("..", import.meta.url)), stdio: "inherit" });
  if (status !== 0) failed.push(name);
}
process.stdout.write(failed.length === 0 ? "\nAll is well.\n" : `\nFailed: ${failed.join(", ")}.\n`);
process.exit(failed.length === 0 ? 0 : 1);
