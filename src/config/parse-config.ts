import { resolve } from "node:path";
import type { z } from "zod";
import { SetupError } from "../core/errors.ts";
import { buildConfig } from "./build-config.ts";
import type { Config } from "./config.ts";
import { type AdapterSchemas, fileSchema } from "./config-schema.ts";
import { channelsWithoutToken, crossCheck, removeChannels } from "./cross-check.ts";
import { describeIssue } from "./mistakes.ts";
import { type Environment, expandVariables, hasReference, readVariable } from "./variables.ts";
import { type Path, type Problem, showPath, YamlFile } from "./yaml-file.ts";

interface ConfigText {
  readonly text: string;
  /** Absolute. */
  readonly path: string;
  readonly digest: string;
  readonly env: Environment;
  readonly schemas: AdapterSchemas;
}

const problemsShownMax = 50;

/** Environment variables that say what the file says, and win. */
const overrides: readonly { readonly name: string; readonly path: readonly [string, ...string[]] }[] = [
  { name: "PARLEY_HOST", path: ["server", "host"] },
  { name: "PARLEY_PORT", path: ["server", "port"] },
  { name: "PARLEY_DATA_DIR", path: ["storage", "local", "base_path"] },
  { name: "PARLEY_LOG_LEVEL", path: ["log", "level"] },
];

/** Throws `SetupError` that lists everything that is wrong, each with its place. */
export function parseConfig({ text, path, digest, env, schemas }: ConfigText): Config {
  const file = new YamlFile(text);
  refuse(path, file.syntaxProblems());

  const expanded = expandTexts(file, env);
  const overridden = readOverrides(env);
  const schema = fileSchema(schemas);
  const read = () => withOverrides(file.value() ?? {}, overridden.values);
  const off = channelsWithoutToken(read());
  const offPaths = off.map(({ tokenPath }) => showPath(tokenPath));
  let result = schema.safeParse(read(), { error: describeIssue });
  if (!result.success && retype(file, expanded.paths.difference(new Set(offPaths)), result.error.issues)) {
    result = schema.safeParse(read(), { error: describeIssue });
  }

  const excused = new Set([...expanded.failed, ...offPaths]);
  const found = [
    ...(result.error?.issues ?? []).flatMap((issue) => toProblems(file, issue)),
    ...crossCheck(read()).map(({ path: where, message }) => file.problemAtValue(where, message)),
  ].filter((problem) => !excused.has(problem.path));
  const named = found.map((problem) => nameOverride(problem, overridden.values));
  refuse(path, [...expanded.problems, ...overridden.problems, ...named]);

  const raw = read();
  removeChannels(raw, off);
  return buildConfig(schema.parse(raw), { path, digest, offIds: off.map(({ id }) => id) });
}

/** Puts the variables into the file's texts. */
function expandTexts(file: YamlFile, env: Environment) {
  const paths = new Set<string>();
  const failed: string[] = [];
  const problems: Problem[] = [];
  for (const { scalar, path } of file.texts()) {
    if (!hasReference(scalar.value)) continue;
    try {
      scalar.value = expandVariables(scalar.value, env);
      paths.add(showPath(path));
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      problems.push(file.problemAtValue(path, error.message));
      failed.push(showPath(path));
    }
  }
  return { paths, failed, problems };
}

/**
 * A variable is a text. Where no text is wanted, it is read as the number, the truth value or the nothing it looks like.
 * True when that changed anything.
 */
function retype(file: YamlFile, expanded: ReadonlySet<string>, issues: readonly z.core.$ZodIssue[]): boolean {
  let isChanged = false;
  for (const issue of issues) {
    const path = toPath(issue.path);
    const scalar = file.scalarAt(path);
    if (typeof scalar?.value !== "string" || !expanded.has(showPath(path))) continue;
    if (issue.code !== "invalid_type" && scalar.value !== "") continue;
    scalar.value = looksLike(scalar.value);
    isChanged = true;
  }
  return isChanged;
}

function looksLike(text: string): string | number | boolean | null {
  if (text === "") return null;
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text;
}

type Overrides = readonly {
  readonly name: string;
  readonly path: readonly [string, ...string[]];
  readonly value: unknown;
}[];

function readOverrides(env: Environment): { values: Overrides; problems: Problem[] } {
  const problems: Problem[] = [];
  const values = overrides.flatMap(({ name, path }) => {
    try {
      const value = readVariable(name, env);
      if (value === undefined || value === "") return [];
      // The file's folder is the start for what stands in the file; for the environment it is where one is.
      return [{ name, path, value: name === "PARLEY_DATA_DIR" ? resolve(value) : looksLike(value) }];
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      problems.push({ place: null, path: name, message: error.message });
      return [];
    }
  });
  return { values, problems };
}

function withOverrides(raw: unknown, values: Overrides): unknown {
  for (const { path, value } of values) setIn(raw, path, value);
  return raw;
}

function setIn(target: unknown, [step, ...rest]: readonly [string, ...string[]], value: unknown): void {
  if (typeof target !== "object" || target === null) return;
  const holder = target as Record<string, unknown>;
  const [next, ...others] = rest;
  if (next === undefined) {
    holder[step] = value;
    return;
  }
  holder[step] ??= {};
  setIn(holder[step], [next, ...others], value);
}

function toProblems(file: YamlFile, issue: z.core.$ZodIssue): Problem[] {
  const path = toPath(issue.path);
  if (issue.code !== "unrecognized_keys") return [file.problemAtValue(path, issue.message)];
  const messages = issue.message.split("\n");
  return issue.keys.map((key, index) => file.problemAtKey([...path, key], messages[index] ?? issue.message));
}

function nameOverride(problem: Problem, values: Overrides): Problem {
  const override = values.find(({ path }) => showPath(path) === problem.path);
  return override === undefined ? problem : { ...problem, place: null, path: override.name };
}

function toPath(path: readonly PropertyKey[]): Path {
  return path.map((step) => (typeof step === "number" ? step : String(step)));
}

/** Throws `SetupError` when there are problems. */
function refuse(path: string, problems: readonly Problem[]): void {
  if (problems.length === 0) return;
  const byPlace = [...problems].sort(
    (a, b) => (a.place?.line ?? 0) - (b.place?.line ?? 0) || (a.place?.column ?? 0) - (b.place?.column ?? 0),
  );
  const lines = byPlace.slice(0, problemsShownMax).map(({ place, path: where, message }) => {
    const start = place === null ? "environment" : `${path}:${place.line}:${place.column}`;
    return `  ${start}  ${where === "" ? "" : `${where}: `}${/[.?]$/.test(message) ? message : `${message}.`}`;
  });
  if (problems.length > lines.length) lines.push(`  … and ${problems.length - lines.length} more.`);
  const count = problems.length === 1 ? "1 mistake" : `${problems.length} mistakes`;
  throw new SetupError(
    `The configuration has ${count}:\n\n${lines.join("\n")}\n\nEvery key is explained in docs/configuration.md.`,
  );
}
