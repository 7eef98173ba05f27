import { closeSync, openSync, readSync } from "node:fs";
import { SetupError } from "../core/errors.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

/** Of a file that a `NAME_FILE` names. */
const fileBytesMax = 65_536;

/** `$${` is a plain `${`; `${` with what is not a variable after it is caught to be refused. */
const reference = /\$\$\{|\$\{(?:([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\})?/g;

export function hasReference(text: string): boolean {
  return text.includes("${");
}

/**
 * The text with `${NAME}` and `${NAME:-default}` put in; the default stands where the variable is unset or empty.
 * Throws `SetupError`, which never holds a variable's value.
 */
export function expandVariables(text: string, env: Environment): string {
  return text.replace(reference, (whole, name: string | undefined, fallback: string | undefined) => {
    if (whole === "$${") return "${";
    if (name === undefined) {
      throw new SetupError(
        `"\${" begins a variable, \${NAME} or \${NAME:-default}. For the characters themselves write $\${.`,
      );
    }
    const value = readVariable(name, env);
    if (fallback !== undefined) return value || fallback;
    if (value !== undefined) return value;
    throw new SetupError(`The environment variable ${name} is not set. Set it, or give a default: \${${name}:-…}.`);
  });
}

/**
 * An environment variable, or the content of the file that `<name>_FILE` names, without line ends after it.
 * Throws `SetupError` when both are set or the file cannot be read.
 */
export function readVariable(name: string, env: Environment): string | undefined {
  const value = env[name];
  const path = env[`${name}_FILE`];
  if (path === undefined || path === "") return value;
  if (value !== undefined) throw new SetupError(`Both ${name} and ${name}_FILE are set. Unset one of them.`);
  return readSmallFile(name, path).replace(/[\r\n]+$/, "");
}

function readSmallFile(name: string, path: string): string {
  const bytes = Buffer.alloc(fileBytesMax + 1);
  let length: number;
  try {
    const file = openSync(path, "r");
    try {
      length = readSync(file, bytes);
    } finally {
      closeSync(file);
    }
  } catch (cause) {
    throw new SetupError(`${name}_FILE names ${path}, which cannot be read. Correct the path or its permissions.`, {
      cause,
    });
  }
  if (length > fileBytesMax) throw new SetupError(`${name}_FILE names ${path}, which is over 64 KB.`);
  return bytes.toString("utf8", 0, length);
}
