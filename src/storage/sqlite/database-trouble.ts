/** What SQLite's primary result codes mean for whoever runs Parley: https://sqlite.org/rescode.html. */
const remedies: Readonly<Record<number, string>> = {
  3: "access was denied: give the user that runs Parley the right to read and write it",
  5: "another process kept it locked for more than ten seconds: stop what else uses it",
  7: "there was not enough memory: give the machine more",
  8: "it cannot be written: give the user that runs Parley the right to write to the file and its folder",
  10: "the disk reported an error: look into the machine's log and check the disk",
  11: "its content is damaged: restore a backup",
  13: "the disk is full: free some space; Parley goes on by itself",
  14: "it cannot be opened: check that its folder exists and that the user that runs Parley may write to it",
  26: "it is not a database: move it away, or restore a backup",
};

const foreignKeyCode = 787;

/** Whether an error came from the database's file or disk, and not from what was asked of it. */
export function isTrouble(error: unknown): boolean {
  return (codeOf(error) & 0xff) in remedies;
}

/** Whether the database refused a row because of what it refers to. */
export function isMissingReference(error: unknown): boolean {
  return codeOf(error) === foreignKeyCode;
}

/** A sentence for whoever can mend it. */
export function describeTrouble(error: unknown, path: string): string {
  const remedy = remedies[codeOf(error) & 0xff] ?? (error instanceof Error ? error.message : String(error));
  return `The database ${path} cannot be used: ${remedy}.`;
}

function codeOf(error: unknown): number {
  return error instanceof Error && "errcode" in error && typeof error.errcode === "number" ? error.errcode : 0;
}
