// Measures Parley beside what a user would pick instead: `npm run bench`, or one question by its name: `npm run bench journey`.
// A whole run takes about five minutes and writes RESULTS.md.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { cpus, totalmem } from "node:os";
import { measureJourney } from "./journey.ts";
import { measureLatency } from "./latency.ts";
import { measureMemory } from "./memory.ts";
import { findRedis } from "./redis.ts";
import { renderSection, type Section } from "./report.ts";
import { measureStart } from "./start.ts";

const questions: Readonly<Record<string, () => Promise<readonly Section[]>>> = {
  journey: measureJourney,
  latency: measureLatency,
  memory: measureMemory,
  start: measureStart,
};

const asked = process.argv.slice(2);
const unknown = asked.filter((name) => !(name in questions));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}. There are: ${Object.keys(questions).join(", ")}.`);
  process.exit(1);
}

const sections: Section[] = [];
for (const [name, measure] of Object.entries(questions)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  console.error(`${name} …`);
  sections.push(...(await measure()));
}
const report = [`# Results\n`, machine(), ...sections.map(renderSection)].join("\n");
console.log(report);
if (asked.length === 0) writeFileSync(new URL("RESULTS.md", import.meta.url), report);

function machine(): string {
  const [cpu] = cpus();
  const memoryGib = Math.round(totalmem() / 2 ** 30);
  return `Measured on ${new Date().toISOString().slice(0, 10)} by \`npm run bench\`: ${cpus().length} cores (${cpu?.model.trim()}),
${memoryGib} GiB of memory, ${process.platform}, Node ${process.versions.node}, Redis: ${redisVersion()}. All systems on the same machine, in fresh
processes, by turns, three times each after a warm-up; the figures are medians. Machines differ: take the ratios.
`;
}

function redisVersion(): string {
  const found = findRedis();
  if (found === undefined) return "none, so the peers that need it did not run";
  if (found === process.env.REDIS_URL) return "as given by REDIS_URL";
  const version = /v=([\d.]+)/.exec(execFileSync(found, ["--version"], { encoding: "utf8" }))?.[1];
  return `${version ?? "of unknown version"}, append-only file synced every second`;
}
