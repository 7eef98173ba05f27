/**
 * Errors are sorted by what the caller does next. A message says what happened, with what, and what to do; never a
 * secret, never a person's words.
 */

/** The program is wrong. Nobody handles it: it is logged and ends what was going on. */
export class BugError extends Error {
  override readonly name = "BugError";
}

/** Throws `BugError` unless `condition` holds: for what can only fail when the program is wrong. */
export function must(condition: unknown, otherwise: string): asserts condition {
  if (!condition) throw new BugError(otherwise);
}

/** Somebody gave us what we cannot take. Tell them; do not retry. `code` is stable. */
export class InputError extends Error {
  override readonly name = "InputError";
  readonly code: InputCode;

  constructor(code: InputCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

export type InputCode =
  | "invalid_input"
  | "invalid_cursor"
  | "not_found"
  | "conflict"
  | "too_large"
  | "unauthorized"
  | "forbidden";

/** Our lease on the lane is gone: stop at once and write nothing. Someone else goes on. */
export class LeaseLostError extends Error {
  override readonly name = "LeaseLostError";
}

/** The storage cannot do its work now (disk full, read-only, closed). Nothing was written; the caller must not acknowledge. */
export class StorageError extends Error {
  override readonly name = "StorageError";
}

/** The program cannot start as it is set up. The message names the place and the remedy. */
export class SetupError extends Error {
  override readonly name = "SetupError";
}

/** A model did not answer. `isRetryable` says whether the same call may succeed later. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  readonly isRetryable: boolean;

  constructor(message: string, isRetryable: boolean, options?: ErrorOptions) {
    super(message, options);
    this.isRetryable = isRetryable;
  }
}

export class FileTooLargeError extends Error {
  override readonly name = "FileTooLargeError";
}

export class FileMissingError extends Error {
  override readonly name = "FileMissingError";
}
