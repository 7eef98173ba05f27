// Plain JavaScript for any Node >= 18: installs what is missing, then runs its arguments on the Node that Parley pins.
//   node start.mjs [--dev] [node options] <script> [arguments]
// `--dev` also installs what only tests and benchmarks need.
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL(".", import.meta.url));
const modules = `${root}node_modules/`;
const stamp = `${modules}.parley-installed`;

const args = process.argv.slice(2);
const wantsDev = args[0] === "--dev";
if (wantsDev) args.shift();

install();
run(pinnedNode());

/** Runs `npm ci` unless this very lock file is installed already, with at least what is wanted now. */
function install() {
  const lock = createHash("sha256")
    .update(readFileSync(`${root}package-lock.json`))
    .digest("hex");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8").trim() : "";
  if (installed === `${lock} all` || (!wantsDev && installed === `${lock} run`)) return;
  say(wantsDev ? "Installing Parley and its tests …" : "Installing Parley …");
  const npm = spawnSync(
    "npm",
    ["ci", "--loglevel=error", "--ignore-scripts", "--no-audit", "--no-fund", ...(wantsDev ? [] : ["--omit=dev"])],
    {
      cwd: root,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32",
    },
  );
  if (npm.status !== 0) {
    say("npm ci failed. Mend what it says above (often: no network to the package registry) and try again.");
    process.exit(1);
  }
  writeFileSync(stamp, `${lock} ${wantsDev ? "all" : "run"}\n`);
}

/** The Node of node_modules where there is one for this machine, else the one that runs this, if it is new enough. */
function pinnedNode() {
  const pinned = `${modules}node-${process.platform}-${process.arch}/bin/node`;
  if (existsSync(pinned)) return pinned;
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major >= 26 || (major === 24 && minor >= 15)) return process.execPath;
  say(
    `Parley needs Node 24.15 or later, and brings its own only for Linux on x64 and arm64. ` +
      `This is Node ${process.versions.node} on ${process.platform}-${process.arch}: install Node 24 and try again.`,
  );
  process.exit(1);
}

function say(text) {
  process.stderr.write(`${text}\n`);
}

function run(node) {
  const child = spawn(node, args, { stdio: "inherit", env: { ...process.env, PATH: pathWith(node) } });
  // The child gets Ctrl-C from the terminal by itself; what is sent to us alone is passed on. It decides when to end.
  for (const signal of ["SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
  process.on("SIGINT", () => undefined);
  child.on("exit", (code, signal) => process.exit(code ?? (signal === "SIGINT" ? 130 : 143)));
}

/** Tests start further programs by the name `node`: these must be the same Node. */
function pathWith(node) {
  const separator = process.platform === "win32" ? ";" : ":";
  return [node.replace(/[/\\]node$/, ""), `${modules}.bin`, process.env.PATH].join(separator);
}
