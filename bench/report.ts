/** The answer to one question of the benchmark. */
export interface Section {
  readonly title: string;
  /** What was done, in a sentence or two. */
  readonly text: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly targets: readonly Target[];
}

/** What is promised about speed and size, and what was measured. */
export interface Target {
  readonly promise: string;
  readonly measured: string;
  /** Undefined when it could not be measured. */
  readonly isMet: boolean | undefined;
}

/** The middle value; NaN when there are none. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

/** A section as Markdown. */
export function renderSection(section: Section): string {
  const lines = [`## ${section.title}`, "", section.text, "", ...table(section.columns, section.rows)];
  if (section.targets.length > 0) {
    const rows = section.targets.map(({ promise, measured, isMet }) => [promise, measured, verdict(isMet)]);
    lines.push("", ...table(["target", "measured", ""], rows));
  }
  return `${lines.join("\n")}\n`;
}

function verdict(isMet: boolean | undefined): string {
  if (isMet === undefined) return "not measured";
  return isMet ? "met" : "**missed**";
}

function table(columns: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [line(columns), line(columns.map(() => "---")), ...rows.map(line)];
}

/** `12345.6` as `12,346`, `3.456` as `3.5`. */
export function rounded(value: number): string {
  if (Number.isNaN(value)) return "–";
  return value.toLocaleString("en-US", { maximumFractionDigits: value < 100 ? 1 : 0 });
}
