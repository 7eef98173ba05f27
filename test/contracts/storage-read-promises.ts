import assert from "node:assert/strict";
import type { ApiKey, Change } from "../../src/core/change.ts";
import { InputError } from "../../src/core/errors.ts";
import type { BotId, ContentHash, ConversationId, MessageId, TurnId } from "../../src/core/ids.ts";
import { limits } from "../../src/core/limits.ts";
import type { Message } from "../../src/core/message.ts";
import type { Part } from "../../src/core/part.ts";
import type { Page, PageRequest } from "../../src/core/store.ts";
import { done, type Scene } from "./storage-scene.ts";

/** What is read, and how lists are paged. */
export const readPromises: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "a message is read as it was written, with parts of every kind": async (scene) => {
    const conversation = scene.conversation("a", { isGroup: true, personId: null, engineState: [null] });
    const bare = scene.message(conversation, { personId: null, platformRef: null, at: 0, parts: [] });
    const full = scene.message(conversation, {
      parts: everyPart,
      reason: "a reason",
      turnId: "turn" as TurnId,
      notice: "edit",
      replyTo: "9",
    });
    for (const message of [bare, full]) {
      await scene.receive(conversation, {}, message);
      assert.deepEqual(await scene.storage.findMessage(message.id), message);
    }
    assert.deepEqual(await scene.storage.findConversation(conversation.id), conversation);
  },

  "nothing that a caller does to what it wrote or read changes what is kept": async (scene) => {
    const conversation = scene.conversation("a");
    const message = scene.message(conversation);
    const original = structuredClone(message);
    await scene.receive(conversation, {}, message);
    spoil(message);
    const read = await scene.storage.findMessage(original.id);
    assert.deepEqual(read, original);
    spoil(read);
    const lease = await scene.claimOne("inbox");
    assert.deepEqual(lease.jobs[0]?.message, original);
    spoil(lease.jobs[0]?.message);
    assert.deepEqual(await scene.storage.findMessage(original.id), original);
  },

  "what is not there is undefined or empty, never an error": async (scene) => {
    const { storage } = scene;
    const page = { limit: 10, cursor: null };
    const empty = { items: [], next: null };
    assert.equal(await storage.findMessage("x" as MessageId), undefined);
    assert.equal(await storage.findConversation("x" as ConversationId), undefined);
    assert.equal(await storage.findTurn("x" as TurnId), undefined);
    assert.equal(await storage.findPath("x" as MessageId), undefined);
    assert.equal(await storage.findApiKey("x"), undefined);
    assert.deepEqual(await storage.findMessages(["x" as MessageId]), []);
    assert.deepEqual(await storage.findMessages([]), []);
    assert.deepEqual(await storage.steps("x" as TurnId), []);
    assert.deepEqual(await storage.transcript("x" as ConversationId, 10), []);
    assert.deepEqual(await storage.messages("x" as ConversationId, page), empty);
    assert.deepEqual(await storage.conversations({}, page), empty);
    assert.deepEqual(await storage.undecided("held", page), empty);
  },

  "messages are found in the order they were asked for": async (scene) => {
    const ids: MessageId[] = [];
    for (let count = 0; count < 3; count += 1) ids.unshift((await scene.receive(scene.conversation("a"))).message.id);
    const found = await scene.storage.findMessages([...ids.slice(0, 2), "missing" as MessageId, ...ids.slice(2)]);
    assert.deepEqual(
      found.map((message) => message.id),
      ids,
    );
  },

  "a transcript is the newest messages of its conversation, newest last": async (scene) => {
    const conversation = scene.conversation("a");
    const said: Message[] = [];
    for (let count = 0; count < 3; count += 1) {
      said.push((await scene.receive(conversation)).message, await scene.send(conversation));
      await scene.receive(scene.conversation("other"));
    }
    assert.deepEqual(await scene.storage.transcript(conversation.id, 4), said.slice(-4));
    assert.deepEqual(await scene.storage.transcript(conversation.id, 100), said);
  },

  "the messages of a conversation are paged, oldest first": async (scene) => {
    const conversation = scene.conversation("a");
    const said: Message[] = [];
    for (let count = 0; count < 5; count += 1) {
      said.push((await scene.receive(conversation)).message);
      await scene.receive(scene.conversation("other"));
    }
    assert.deepEqual(await pages((page) => scene.storage.messages(conversation.id, page), 2), [2, 2, 1], "sizes");
    assert.deepEqual(await all((page) => scene.storage.messages(conversation.id, page)), said);
  },

  "conversations are paged, newest first, of one bot or of all": async (scene) => {
    const botId = "other" as BotId;
    const made = ["a", "b", "c", "d"].map((name, index) => {
      return scene.conversation(name, index % 2 === 1 ? { botId } : {});
    });
    for (const conversation of made) await scene.receive(conversation);
    const newestFirst = made.toReversed();
    assert.deepEqual(await all((page) => scene.storage.conversations({}, page)), newestFirst);
    const ofOther = newestFirst.filter((conversation) => conversation.botId === botId);
    assert.deepEqual(await all((page) => scene.storage.conversations({ botId }, page)), ofOther);
  },

  "what wants a decision is paged by its state, oldest first": async (scene) => {
    const expected: Record<string, MessageId[]> = { held: [], dead: [], unknown: [] };
    for (const state of ["held", "dead", "unknown", "held", "dead", "held"] as const) {
      const message = scene.answer(scene.conversation("a"), { state });
      await scene.receive(scene.conversation("a"), {}, message);
      expected[state]?.push(message.id);
    }
    for (const state of ["held", "dead", "unknown"] as const) {
      const found = await all((page) => scene.storage.undecided(state, page));
      assert.deepEqual(
        found.map((message) => message.id),
        expected[state],
      );
    }
    const [first] = await all((page) => scene.storage.undecided("held", page));
    const messageId = first?.id as MessageId;
    await scene.storage.apply([{ kind: "state", messageId, from: "held", to: "rejected", reason: "no" }]);
    assert.equal((await all((page) => scene.storage.undecided("held", page))).length, 2);
  },

  "a limit or a cursor that is not ours is refused": async (scene) => {
    const { storage } = scene;
    const { message } = await scene.receive(scene.conversation("a"));
    const { conversationId } = message;
    for (const limit of [0, -1, 1.5, limits.pageMax + 1, Number.NaN]) {
      const isInvalid = (error: unknown) => error instanceof InputError && error.code === "invalid_input";
      await assert.rejects(storage.messages(conversationId, { limit, cursor: null }), isInvalid, `${limit}`);
      await assert.rejects(storage.conversations({}, { limit, cursor: null }), isInvalid);
      await assert.rejects(storage.undecided("dead", { limit, cursor: null }), isInvalid);
      await assert.rejects(storage.apiKeys({ limit, cursor: null }), isInvalid);
      await assert.rejects(storage.transcript(conversationId, limit), isInvalid);
    }
    const tooMany = Array.from({ length: limits.pageMax + 1 }, () => message.id);
    await assert.rejects(storage.findMessages(tooMany), InputError);
    for (const cursor of ["", "1", "x", "-1", Buffer.from("-1").toString("base64url"), "🙂"]) {
      const isInvalid = (error: unknown) => error instanceof InputError && error.code === "invalid_cursor";
      await assert.rejects(storage.messages(conversationId, { limit: 1, cursor }), isInvalid, cursor);
      await assert.rejects(storage.conversations({}, { limit: 1, cursor }), isInvalid, cursor);
    }
  },

  "a turn is replaced by its later self; a step, once saved, stays": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const begun = scene.turn(conversation, { messageIds: ["m1" as MessageId, "m2" as MessageId] });
    const ended = { ...begun, answerIds: ["m3" as MessageId], attempt: 2, endedAt: scene.host.clock.now() };
    const step = (name: string, result: number): Change => {
      return { kind: "step", step: { turnId: begun.id, name, result, at: scene.host.clock.now() } };
    };
    await scene.storage.apply([{ kind: "turn", turn: begun }, step("z", 1), step("a", 2)]);
    assert.deepEqual(await scene.storage.findTurn(begun.id), begun);
    await scene.storage.apply([{ kind: "turn", turn: ended }, step("z", 3), step("b", 4)]);
    assert.deepEqual(await scene.storage.findTurn(begun.id), ended);
    const saved = await scene.storage.steps(begun.id);
    assert.deepEqual(
      saved.map(({ name, result }) => [name, result]),
      [
        ["z", 1],
        ["a", 2],
        ["b", 4],
      ],
    );
  },

  "the path of a message has everything about it, and nothing of others": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.send(conversation);
    const turn = scene.turn(conversation);
    const message = scene.answer(conversation, { turnId: turn.id });
    const at = scene.host.clock.now();
    const step = { turnId: turn.id, name: "look up", result: null, at };
    const held = scene.verdict(message, { outcome: "hold", reason: "rude", reviewer: "model", at: at - 1 });
    const passed = scene.verdict(message, { changed: true, reason: "released" });
    const tries = [
      { messageId: message.id, attempt: 1, outcome: "throttled", receipts: [], reason: "slow down", at },
      {
        messageId: message.id,
        attempt: 2,
        outcome: "delivered",
        receipts: [{ platformRef: "7", at }],
        reason: null,
        at,
      },
    ] as const;
    const first = { ...tries[1], outcome: "unknown", receipts: [] } as const;
    await scene.storage.apply([
      { kind: "turn", turn },
      { kind: "step", step },
      { kind: "message", message },
      { kind: "verdict", verdict: held },
      { kind: "verdict", verdict: passed },
      ...[first, tries[0], tries[1]].map((attempt): Change => ({ kind: "attempt", attempt })),
    ]);
    assert.deepEqual(await scene.storage.findPath(message.id), {
      message,
      conversation,
      verdicts: [held, passed],
      turn,
      steps: [step],
      attempts: tries,
    });
    const { message: asked } = await scene.receive(conversation);
    const bare = { message: asked, conversation, verdicts: [], turn: undefined, steps: [], attempts: [] };
    assert.deepEqual(await scene.storage.findPath(asked.id), bare);
  },

  "an attempt that is recorded again keeps its receipts, adds the new ones, and has the later end": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.send(conversation);
    const message = scene.answer(conversation, {});
    const at = scene.host.clock.now();
    const [first, second] = [
      { platformRef: "6", at },
      { platformRef: "7", at },
    ];
    const begun = {
      messageId: message.id,
      attempt: 1,
      outcome: "throttled",
      receipts: [first],
      reason: "slow",
      at,
    } as const;
    const ended = { ...begun, outcome: "delivered", receipts: [second], reason: null } as const;
    await scene.storage.apply([
      { kind: "message", message },
      { kind: "verdict", verdict: scene.verdict(message, {}) },
      { kind: "attempt", attempt: begun },
      { kind: "attempt", attempt: ended },
      { kind: "attempt", attempt: ended },
    ]);
    const path = await scene.storage.findPath(message.id);
    assert.deepEqual(path?.attempts, [{ ...ended, receipts: [first, second] }]);
  },

  "an API key is found by its hash, listed, and replaced when it is revoked": async (scene) => {
    const made = [1, 2, 3].map((number): ApiKey => {
      return { id: `key_${number}`, keyHash: `hash ${number}`, name: "laptop", createdAt: number, revokedAt: null };
    });
    await scene.storage.apply(made.map((apiKey): Change => ({ kind: "apiKey", apiKey })));
    const revoked = { ...made[0], revokedAt: 9 } as ApiKey;
    await scene.storage.apply([{ kind: "apiKey", apiKey: revoked }]);
    assert.deepEqual(await scene.storage.findApiKey("hash 1"), revoked);
    assert.deepEqual(await scene.storage.findApiKey("hash 2"), made[1]);
    assert.deepEqual(await all((page) => scene.storage.apiKeys(page)), [revoked, ...made.slice(1)]);
  },

  "the status counts what there is": async (scene) => {
    const nothing = { jobs: 0, lanes: 0, leased: 0, oldestMs: 0 };
    const none = { held: 0, dead: 0, unknown: 0, conversations: 0, messages: 0 };
    assert.deepEqual(await scene.storage.status(), { queues: { inbox: nothing, outbox: nothing }, ...none });
    const [a, b] = [scene.conversation("a"), scene.conversation("b")];
    await scene.receive(a);
    scene.host.advance(100);
    await scene.receive(a);
    await scene.claimOne("inbox", { jobsMax: 1, leaseMs: 1_000 });
    await scene.receive(b);
    await scene.receive(b, {}, scene.answer(b, { state: "held" }));
    await scene.send(b);
    for (const state of ["dead", "dead", "unknown", "unknown", "unknown"] as const) {
      await scene.storage.apply([{ kind: "message", message: scene.answer(b, { state }) }]);
    }
    scene.host.advance(11);
    const inbox = { jobs: 4, lanes: 2, leased: 1, oldestMs: 111 };
    const outbox = { jobs: 1, lanes: 1, leased: 0, oldestMs: 11 };
    const counts = { held: 1, dead: 2, unknown: 3, conversations: 2, messages: 10 };
    assert.deepEqual(await scene.storage.status(), { queues: { inbox, outbox }, ...counts });
    scene.host.advance(1_000);
    assert.equal((await scene.storage.status()).queues.inbox.leased, 0);
  },

  "a watcher hears what was written, once it is there, and nothing else": async (scene) => {
    const conversation = scene.conversation("a");
    const heard: (readonly Change[])[] = [];
    const stop = scene.storage.watch((changes) => heard.push(changes));
    const { message } = await scene.receive(conversation, { key: "same" });
    const job = scene.inboxJob(message, { key: "same" });
    const first: Change[] = [
      { kind: "conversation", conversation },
      { kind: "message", message },
      { kind: "job", job },
    ];
    assert.deepEqual(heard, [first]);
    await scene.receive(conversation, { key: "same" });
    const move: Change = { kind: "state", messageId: message.id, from: "held", to: "rejected", reason: "no" };
    await scene.storage.apply([move]);
    const lease = await scene.claimOne("inbox", { leaseMs: 1_000 });
    const turn: Change = { kind: "turn", turn: scene.turn(conversation) };
    await scene.storage.save(lease, [turn]);
    assert.deepEqual(heard, [first, [turn]]);
    scene.host.advance(1_000);
    await scene.storage.settle(lease, done, [turn]);
    assert.deepEqual(heard, [first, [turn]]);
    stop();
    await scene.receive(conversation);
    assert.deepEqual(heard, [first, [turn]]);
  },
};

/** Every kind of part, with each of its fields. */
const everyPart: readonly Part[] = [
  { kind: "text", text: 'Zoë said "hi" 🙂\n\\ and left' },
  {
    kind: "file",
    media: "image",
    mimeType: "image/png",
    name: "cat.png",
    bytes: 12,
    caption: "a cat",
    hash: "abc" as ContentHash,
    ref: "file 1",
    missing: null,
  },
  { kind: "choices", choices: [{ label: "Yes", value: "y" }] },
  { kind: "choice", value: "y", label: null, messageRef: "3", pending: true },
  { kind: "location", latitude: 52.5, longitude: -13.4, name: null },
  { kind: "contact", name: "Ann", phone: "+49" },
  { kind: "reaction", emoji: "👍", messageRef: null },
  { kind: "unsupported", type: "poll" },
];

/** Tries to change everything in a value; a frozen one may refuse. */
function spoil(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  for (const inner of Object.values(value)) spoil(inner);
  for (const name of Object.keys(value)) Reflect.set(value, name, "spoiled");
}

/** All items, a page of two at a time. */
async function all<Item>(read: (page: PageRequest) => Promise<Page<Item>>): Promise<readonly Item[]> {
  const items: Item[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Item> = await read({ limit: 2, cursor });
    items.push(...page.items);
    cursor = page.next;
  } while (cursor !== null && items.length < 100);
  return items;
}

async function pages<Item>(
  read: (page: PageRequest) => Promise<Page<Item>>,
  limit: number,
): Promise<readonly number[]> {
  const sizes: number[] = [];
  let cursor: string | null = null;
  do {
    const page: Page<Item> = await read({ limit, cursor });
    sizes.push(page.items.length);
    cursor = page.next;
  } while (cursor !== null && sizes.length < 100);
  return sizes;
}
