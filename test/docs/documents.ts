import { globSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

interface Document {
  /** From the root: `docs/errors.md`. */
  readonly path: string;
  readonly text: string;
}

/** Every page that people read. */
export function documents(): readonly Document[] {
  return globSync(["*.md", "docs/**/*.md"], { cwd: root }).toSorted().map(readDocument);
}

export function readDocument(path: string): Document {
  return { path, text: readFileSync(`${root}${path}`, "utf8") };
}

/** The cells of the rows of the table that begins with these column heads, spaces around them left out. */
export function tableRows({ path, text }: Document, ...heads: readonly string[]): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const start = lines.findIndex((line) => heads.every((head, index) => cellsOf(line)[index] === head));
  if (start === -1) throw new Error(`${path} has no table with the columns ${heads.join(", ")}.`);
  const end = lines.findIndex((line, index) => index > start && !line.startsWith("|"));
  return lines.slice(start + 2, end === -1 ? undefined : end).map(cellsOf);
}

function cellsOf(line: string): readonly string[] {
  return line
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

/** What stands in backticks. */
export function codesIn(cell: string): readonly string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = ""]) => code);
}

interface Command {
  readonly path: string;
  /** One command, however many lines it has, without its comment. */
  readonly text: string;
}

/** What stands in `sh` blocks, a command each; of `console` blocks what follows a `$`. */
export function commandsOf({ path, text }: Document): readonly Command[] {
  return [...text.matchAll(/^ *```(sh|console)\n([\s\S]*?)^ *```$/gm)].flatMap(([, language, block = ""]) =>
    block
      .replaceAll(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => language === "sh" || line.startsWith("$ "))
      .map((line) => line.replace(/^\$ /, "").replace(/(^|\s+)# .*$/, ""))
      .filter((line) => line !== "")
      .map((line) => ({ path, text: line })),
  );
}
