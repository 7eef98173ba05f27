import { STATUS_CODES } from "node:http";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";
import { ZodError } from "zod";
import { FileMissingError, FileTooLargeError, type InputCode, InputError, StorageError } from "../../core/errors.ts";

interface Problem {
  readonly status: number;
  /** Stable: programs may decide by it. */
  readonly code: InputCode | "unsupported_media_type" | "too_many" | "unavailable" | "internal";
  readonly detail: string;
}

const statusOf: Readonly<Record<InputCode, number>> = {
  invalid_input: 400,
  invalid_cursor: 400,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  too_large: 413,
};

/** Answers with the RFC 9457 problem document that an error stands for. What is our own fault is logged, not told. */
export function sendProblem(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const problem = problemOf(error);
  if (problem.status >= 500) request.log.error(error);
  if (problem.status === 503 || problem.status === 429) reply.header("retry-after", "1");
  return reply
    .code(problem.status)
    .type("application/problem+json")
    .send({ type: "about:blank", title: STATUS_CODES[problem.status], ...problem });
}

/** More than a limit allows at once. */
export class TooManyError extends Error {
  override readonly name = "TooManyError";
}

function problemOf(error: unknown): Problem {
  if (error instanceof InputError) return { status: statusOf[error.code], code: error.code, detail: error.message };
  if (error instanceof ZodError) return { status: 400, code: "invalid_input", detail: issuesOf(error) };
  if (error instanceof FileTooLargeError) return { status: 413, code: "too_large", detail: error.message };
  if (error instanceof FileMissingError) return { status: 404, code: "not_found", detail: "This file is gone." };
  if (error instanceof TooManyError) return { status: 429, code: "too_many", detail: error.message };
  if (error instanceof StorageError) {
    return { status: 503, code: "unavailable", detail: "Nothing was stored. Try again in a moment." };
  }
  return (
    fastifyProblem(error) ?? { status: 500, code: "internal", detail: "Something went wrong here. It was logged." }
  );
}

/** What Fastify itself refuses: bodies that are too large, not JSON, or of another type. */
function fastifyProblem(error: unknown): Problem | undefined {
  const { statusCode, message } = error as Partial<FastifyError>;
  if (statusCode === 413) return { status: 413, code: "too_large", detail: "The body is too large." };
  if (statusCode === 415)
    return {
      status: 415,
      code: "unsupported_media_type",
      detail: "This Content-Type is not taken here. Messages are application/json.",
    };
  if (statusCode === undefined || statusCode < 400 || statusCode >= 500) return undefined;
  return { status: 400, code: "invalid_input", detail: message ?? "The request cannot be read." };
}

function issuesOf(error: ZodError): string {
  const issues = error.issues
    .slice(0, 3)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  return issues.join("; ");
}
