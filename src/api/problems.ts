import { STATUS_CODES } from "node:http";
import { z } from "zod";
import { FileMissingError, FileTooLargeError, type InputCode, InputError, StorageError } from "../core/errors.ts";

/** Every code that a problem document may carry, and its status. Codes are stable: programs may decide by them. */
export const problemCodes = {
  invalid_input: 400,
  invalid_cursor: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  method_not_allowed: 405,
  conflict: 409,
  too_large: 413,
  unsupported_media_type: 415,
  upgrade_required: 426,
  too_many: 429,
  internal: 500,
  unavailable: 503,
} as const satisfies Readonly<Record<InputCode, number>> & Readonly<Record<string, number>>;

export type ProblemCode = keyof typeof problemCodes;

/** What went wrong, as RFC 9457 has it. */
export const problemShape = z
  .object({
    type: z.literal("about:blank"),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What happened and what to do."),
    code: z.string().describe("Stable: programs may decide by it. The table is in docs/errors.md."),
  })
  .meta({ id: "Problem" });

export type Problem = z.infer<typeof problemShape> & { readonly code: ProblemCode };

/** A refusal that only the HTTP interface knows. */
export class ProblemError extends Error {
  override readonly name = "ProblemError";
  readonly code: ProblemCode;

  constructor(code: ProblemCode, detail: string) {
    super(detail);
    this.code = code;
  }
}

export function problem(code: ProblemCode, detail: string): Problem {
  const status = problemCodes[code];
  return { type: "about:blank", title: STATUS_CODES[status] ?? "", status, detail, code };
}

/** The problem that an error stands for. What is our own fault is told without details. */
export function problemOf(error: unknown): Problem {
  if (error instanceof InputError || error instanceof ProblemError) return problem(error.code, error.message);
  if (error instanceof FileTooLargeError) return problem("too_large", error.message);
  if (error instanceof FileMissingError) return problem("not_found", "There is no such file.");
  if (error instanceof StorageError) return problem("unavailable", "Nothing was stored. Send it again in a moment.");
  return fastifyProblem(error) ?? problem("internal", "Something went wrong here. The server's log says what.");
}

/** What Fastify itself refuses. */
function fastifyProblem(error: unknown): Problem | undefined {
  if (!(error instanceof Error) || !("statusCode" in error) || typeof error.statusCode !== "number") return undefined;
  if (error.statusCode === 413) return problem("too_large", "The body is too large.");
  if (error.statusCode === 415)
    return problem("unsupported_media_type", "A body of this type is not taken: send application/json.");
  if (error.statusCode === 404) return problem("not_found", "There is nothing at this address.");
  if (error.statusCode === 503) return problem("unavailable", "The server is stopping. Send it again in a moment.");
  if (error.statusCode >= 400 && error.statusCode < 500) return problem("invalid_input", error.message);
  return undefined;
}
