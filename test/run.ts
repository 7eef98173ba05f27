import { spawnSync } from "node:child_process";
import { existsSync, globSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * `npm test [-- <part of a file's path> …]`: every test, or those of some files. Says first what this machine cannot run;
 * each such test also skips with its reason.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const wanted = process.argv.slice(2);
const files = globSync(["src/**/*.test.ts", "test/**/*.test.ts"], { cwd: root })
  .filter((file) => wanted.length === 0 || wanted.some((part) => file.includes(part)))
  .toSorted();
if (files.length === 0) {
  process.stderr.write(`No test file's path contains ${wanted.join(" or ")}.\n`);
  process.exit(1);
}
const chromium = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
if (!existsSync(chromium)) {
  process.stdout.write(
    `Not run here: the browser tests, as there is no ${chromium} (apt-get install chromium, or CHROMIUM_PATH).\n`,
  );
}
if (!existsSync(`${root}../shared/fixtures`)) {
  process.stdout.write("Not run here: the platforms' recorded payloads, as there is no ../shared/fixtures.\n");
}
const { status } = spawnSync(process.execPath, ["--test", "--test-timeout=120000", ...files], {
  cwd: root,
  stdio: "inherit",
});
process.exit(status ?? 1);
