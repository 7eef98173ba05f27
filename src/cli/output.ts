import { CommanderError } from "commander";
import { InputError, SetupError, StorageError } from "../core/errors.ts";

/** Prints a result: exactly one JSON document on stdout with `--json`, else lines for people. */
export function print(result: object, isJson: boolean, lines: () => readonly string[]): void {
  process.stdout.write(
    isJson
      ? `${JSON.stringify(result)}\n`
      : lines()
          .map((line) => `${line}\n`)
          .join(""),
  );
}

/** Says what went wrong, on stderr or as JSON on stdout, and makes the command end with a failure. */
export function fail(error: unknown, isJson: boolean): void {
  // Help and the version are no failures, and commander has printed what else it throws.
  if (error instanceof CommanderError && error.exitCode === 0) return;
  process.exitCode = 1;
  const message = error instanceof Error ? error.message : String(error);
  if (isJson) process.stdout.write(`${JSON.stringify({ ok: false, error: { code: codeOf(error), message } })}\n`);
  else if (!(error instanceof CommanderError))
    process.stderr.write(`${isExpected(error) ? message : stackOf(error)}\n`);
}

function codeOf(error: unknown): string {
  if (error instanceof InputError) return error.code;
  if (error instanceof SetupError) return "setup";
  if (error instanceof StorageError) return "storage";
  if (error instanceof CommanderError) return "usage";
  return "internal";
}

function isExpected(error: unknown): boolean {
  return codeOf(error) !== "internal";
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

/** `2026-11-21 05:54:00` in UTC. */
export function time(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace("T", " ");
}
