import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { contentHash } from "../../src/core/content.ts";
import type { Engine, TurnContext, TurnResult } from "../../src/core/engine.ts";
import type { MessageId } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { Message, MessageState } from "../../src/core/message.ts";
import type { Part } from "../../src/core/part.ts";
import type { Reviewer } from "../../src/core/reviewer.ts";
import type { Storage } from "../../src/core/store.ts";
import type { VerdictRecord } from "../../src/core/verdict.ts";
import { MemoryStorage } from "../../src/storage/memory/memory-storage.ts";
import { openSqliteStorage } from "../../src/storage/sqlite/sqlite-storage.ts";
import { TestHost } from "../contracts/test-host.ts";
import { createWorld, type World } from "../journey/world.ts";

/** What no reviewer of these tests lets through. */
export const forbidden = "forbidden";

/** Rejects what holds the forbidden word anywhere in it, and passes everything else. */
export const strict: Reviewer = {
  name: "strict",
  review: ({ parts }) =>
    JSON.stringify(parts).includes(forbidden) ? { kind: "reject", reason: "a forbidden word" } : { kind: "pass" },
};

export interface GateOptions {
  /** Answers "hello back" where it is not given. */
  readonly answer?: (context: TurnContext) => unknown;
  readonly engine?: Engine;
  /** The strict one where it is not given. */
  readonly reviewers?: readonly Reviewer[];
}

/** A bot behind the gate, and everything that got through it. */
export interface Gate extends World {
  /** Of the database; null in memory. */
  readonly folder: string | null;
  /** What the engine was given, in this turn's messages or as history, as it was then. */
  readonly seen: readonly Message[];
  /** The one answer to a message, whatever became of it. */
  answerTo(id: MessageId): Promise<Message>;
  verdicts(id: MessageId): Promise<readonly VerdictRecord[]>;
  /** Turns and deliveries, with the clock moved on, until every attempt was made. */
  exhaust(): Promise<void>;
}

export type Open = (options?: GateOptions) => Promise<Gate>;

const kinds = ["memory", "sqlite"] as const;

/**
 * One attempt to go round the gate, on each storage. Whatever the attempt itself looks at, afterwards all that was delivered
 * and all that an engine saw must have a verdict that passed exactly that.
 */
export function attempt(name: string, body: (open: Open, context: TestContext) => Promise<void>): void {
  for (const kind of kinds) {
    test(`${name} (${kind})`, async (context) => {
      const gates: Gate[] = [];
      const open: Open = async (options = {}) => {
        const gate = await openGate(kind, options, context);
        gates.push(gate);
        return gate;
      };
      await body(open, context);
      for (const gate of gates) await proveGate(gate);
    });
  }
}

async function openGate(kind: (typeof kinds)[number], options: GateOptions, context: TestContext): Promise<Gate> {
  const host = new TestHost();
  const { storage, folder } = await openStorage(kind, host, context);
  const seen: Message[] = [];
  const engine = options.engine ?? {
    name: "agent:attacker",
    takeTurn: async (turn) => (options.answer?.(turn) ?? says("hello back")) as TurnResult,
  };
  const world = createWorld({ engine: watched(engine, seen), storage, host });
  world.bot.reviewers = options.reviewers ?? [strict];
  return {
    ...world,
    folder,
    seen,
    async answerTo(id) {
      const turnId = (await world.load(id)).turnId;
      const turn = turnId === null ? undefined : await storage.findTurn(turnId);
      assert.equal(turn?.answerIds.length, 1, "the turn has one answer");
      return world.load(turn!.answerIds[0]!);
    },
    async verdicts(id) {
      return (await storage.findPath(id))?.verdicts ?? [];
    },
    async exhaust() {
      for (let round = 0; round <= limits.turnAttemptsMax; round += 1) {
        await world.rest();
        host.advance(limits.retryLongestMs * 2);
      }
    },
  };
}

async function openStorage(
  kind: (typeof kinds)[number],
  host: TestHost,
  context: TestContext,
): Promise<{ storage: Storage; folder: string | null }> {
  if (kind === "memory") return { storage: new MemoryStorage(host), folder: null };
  const folder = mkdtempSync(join(tmpdir(), "parley-gate-"));
  const options = { folder, host, as: "server" } as const;
  const storage = await openSqliteStorage(options);
  context.after(async () => {
    await storage.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { storage, folder };
}

/** The engine, with all that it gets to see noted before it can lay hands on it. */
function watched(engine: Engine, seen: Message[]): Engine {
  return {
    name: engine.name,
    takeTurn(context) {
      seen.push(...structuredClone(context.messages as readonly Message[]));
      const history = async (limit: number): Promise<readonly Message[]> => {
        const messages = await context.history(limit);
        seen.push(...structuredClone(messages));
        return messages;
      };
      return engine.takeTurn({ ...context, history });
    },
  };
}

/** For all that got through, there is a verdict that passed it, in its direction, for the very content it had. */
async function proveGate({ channel, seen, storage, host }: Gate): Promise<void> {
  for (const message of [...channel.delivered, ...seen]) {
    const hash = contentHash(message.parts, host);
    const direction = message.from === "person" ? "inbound" : "outbound";
    const verdicts = (await storage.findPath(message.id))?.verdicts ?? [];
    const isPassed = verdicts.some(
      (verdict) => verdict.outcome === "pass" && verdict.direction === direction && verdict.contentHash === hash,
    );
    assert.ok(
      isPassed,
      `${message.from}: ${JSON.stringify(message.parts)} got through with ${JSON.stringify(verdicts)}`,
    );
  }
}

/** What an engine returns that says these texts. */
export function says(...texts: string[]): TurnResult {
  return { drafts: texts.map((text) => ({ parts: [{ kind: "text", text }], replyTo: null })) };
}

/** What an engine returns that says one thing, of whatever shape. */
export function saysParts(parts: unknown): TurnResult {
  return { drafts: [{ parts: parts as Part[], replyTo: null }] };
}

/** Nothing reached the platform, and the person's message ended like this. */
export async function nothingLeft(gate: Gate, id: MessageId, state: MessageState, reason: RegExp): Promise<void> {
  assert.deepEqual(gate.channel.delivered, [], "something reached the platform");
  const message = await gate.load(id);
  assert.equal(message.state, state);
  assert.match(message.reason ?? "", reason);
}
