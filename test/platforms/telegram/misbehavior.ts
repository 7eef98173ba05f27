/** How the fake can be made to fail, one call at a time. */
export type Misbehavior =
  /** 429: nothing was done. */
  | { readonly kind: "throttle"; readonly retryAfterSeconds: number }
  /** An error in Telegram's JSON, or without it. `isDone`: the call had its effect all the same. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly description?: string;
      readonly isJson?: boolean;
      readonly isDone?: boolean;
    }
  /** The connection is cut, and nothing was done. */
  | { readonly kind: "dropBefore" }
  /** The call has its effect, then the connection is cut. */
  | { readonly kind: "dropAfter" }
  /** The call has its effect, then half of an answer. */
  | { readonly kind: "garbage" }
  /** The call has its effect, and is never answered. */
  | { readonly kind: "hang" }
  /** The answer comes after this long. */
  | { readonly kind: "slow"; readonly ms: number }
  /** `getUpdates` gives what it gave before, although it was confirmed. */
  | { readonly kind: "repeatUpdates" }
  /** `getUpdates` gives the newest first. */
  | { readonly kind: "reverseUpdates" };

export interface Occasion {
  /** Of this method only; when not given, of all that send a message. */
  readonly method?: string;
  readonly times?: number;
}

interface Planned {
  readonly misbehavior: Misbehavior;
  readonly method: string | undefined;
  left: number;
}

export class Misbehaviors {
  readonly #planned: Planned[] = [];

  plan(misbehavior: Misbehavior, { method, times = 1 }: Occasion): void {
    const isOfUpdates = misbehavior.kind === "repeatUpdates" || misbehavior.kind === "reverseUpdates";
    this.#planned.push({ misbehavior, method: method ?? (isOfUpdates ? "getUpdates" : undefined), left: times });
  }

  /** What the next call of this method shall do; undefined: what it should. */
  next(method: string): Misbehavior | undefined {
    const planned = this.#planned.find((one) =>
      one.method === undefined ? method.startsWith("send") && method !== "sendChatAction" : one.method === method,
    );
    if (planned === undefined) return undefined;
    planned.left -= 1;
    if (planned.left <= 0) this.#planned.splice(this.#planned.indexOf(planned), 1);
    return planned.misbehavior;
  }
}
