import type { Change } from "../../src/core/change.ts";
import type { Storage } from "../../src/core/store.ts";
import type { TestHost } from "../contracts/test-host.ts";

/** A storage that is wrong on purpose. */
export interface Mutant {
  /** A class, made with the host of the test. */
  readonly storage: new (
    host: TestHost,
  ) => Storage;
  /** The promises of the contract that it breaks: each must catch it. */
  readonly breaks: readonly string[];
}

/** The changes with those of one kind replaced. */
export function replaced<Kind extends Change["kind"]>(
  changes: readonly Change[],
  kind: Kind,
  replace: (change: Extract<Change, { kind: Kind }>) => Change,
): readonly Change[] {
  const isOfKind = (change: Change): change is Extract<Change, { kind: Kind }> => change.kind === kind;
  return changes.map((change) => (isOfKind(change) ? replace(change) : change));
}
