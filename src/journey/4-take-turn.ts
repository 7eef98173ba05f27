import type { Engine, TurnContext, TurnResult } from "../core/engine.ts";
import { InputError, LeaseLostError, must, StorageError } from "../core/errors.ts";
import type { Host } from "../core/host.ts";
import type { Json } from "../core/json.ts";
import { limits } from "../core/limits.ts";
import type { Step } from "../core/turn.ts";
import { within } from "./within.ts";

/** The engine did not answer; `cause` says why. The turn is tried again, up to `limits.turnAttemptsMax`. */
class TurnFailedError extends Error {
  override readonly name = "TurnFailedError";
}

export interface StepKeeper {
  /** Steps that an earlier try of this turn finished. */
  readonly finished: readonly Step[];
  /** Saves a result before the turn goes on. False: the lease is lost. */
  save(name: string, result: Json): Promise<boolean>;
}

/**
 * Stage 4: the engine answers. It gets what it may see and nothing else; steps that an earlier try finished are not done
 * again.
 *
 * @throws TurnFailedError when the engine throws, takes longer than `limits.turnMs`, or returns what is no answer
 * @throws LeaseLostError
 */
export async function takeTurn(
  engine: Engine,
  context: Omit<TurnContext, "step">,
  steps: StepKeeper,
  host: Host,
): Promise<TurnResult> {
  const late = (): Error => new TurnFailedError(`no answer within ${limits.turnMs / 1000} seconds`);
  try {
    const result = await within({ ms: limits.turnMs, late }, host, context.signal, (signal) =>
      engine.takeTurn({ ...context, signal, step: stepper(steps) }),
    );
    return checked(result);
  } catch (error) {
    context.signal.throwIfAborted();
    if (error instanceof LeaseLostError || error instanceof StorageError || error instanceof TurnFailedError)
      throw error;
    throw new TurnFailedError(failureOf(error), { cause: error });
  }
}

function stepper(steps: StepKeeper): TurnContext["step"] {
  const names = new Set<string>();
  return async (name, work) => {
    must(!names.has(name), `The step "${name}" was taken twice in one turn. Give each step of a turn its own name.`);
    names.add(name);
    const before = steps.finished.find((step) => step.name === name);
    // The result was checked to be this step's own when it was saved.
    if (before !== undefined) return before.result as Awaited<ReturnType<typeof work>>;
    const result = await work();
    if (!(await steps.save(name, result))) throw new LeaseLostError("Another worker has this conversation now.");
    return result;
  };
}

/** Engines may be plugins: what they return is looked at before it is believed. */
function checked(result: TurnResult): TurnResult {
  const { drafts, state } = result ?? {};
  if (!Array.isArray(drafts)) throw new TurnFailedError("the engine returned no list of drafts");
  const { length } = drafts;
  if (!(length <= limits.turnDraftsMax)) {
    throw new TurnFailedError(`the engine returned ${length} drafts; at most ${limits.turnDraftsMax} are taken`);
  }
  // One by one: an array of a plugin may have methods of its own.
  const copied = Array.from({ length }, (_, index) => drafts[index]);
  return state === undefined ? { drafts: copied } : { drafts: copied, state };
}

/** The kind of error only: an engine's message may carry what the person wrote. */
function failureOf(error: unknown): string {
  if (error instanceof InputError) return error.message;
  return error instanceof Error ? `the engine failed (${error.name})` : "the engine failed";
}
