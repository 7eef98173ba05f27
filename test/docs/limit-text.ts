const units = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
  ["second", 1_000],
  ["millisecond", 1],
] as const;

/** A limit's value as the documents show it: `30 seconds`, `50 MiB`, `65,536`. */
export function limitText(name: string, value: number): string {
  if (name.endsWith("BytesMax")) return `${value / 1024 ** 2} MiB`;
  if (!name.endsWith("Ms")) return value.toLocaleString("en-US");
  const [unit, ms] = units.find(([, ms]) => value % ms === 0) ?? ["millisecond", 1];
  const count = value / ms;
  return `${count} ${unit}${count === 1 ? "" : "s"}`;
}
