import assert from "node:assert/strict";
import type { ApiKey, Change } from "../../src/core/change.ts";
import { BugError, StorageError } from "../../src/core/errors.ts";
import type { ChannelId, ContentHash, ConversationId, MessageId } from "../../src/core/ids.ts";
import type { Message, MessageState } from "../../src/core/message.ts";
import { done, type Scene } from "./storage-scene.ts";

/** What becomes of changes. */
export const writePromises: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  "a call writes all of its changes or none": async (scene) => {
    const conversation = scene.conversation("a");
    const { message } = await scene.receive(conversation);
    const before = await scene.storage.findPath(message.id);
    const rival: Change = { kind: "state", messageId: message.id, from: "held", to: "rejected", reason: "no" };
    assert.equal(await scene.storage.apply([...oneOfEach(scene, message), rival]), false);
    assert.deepEqual(await scene.storage.findPath(message.id), before);
    assert.equal((await scene.storage.status()).messages, 1);
    assert.deepEqual(await scene.storage.movedAddresses(), []);
    assert.deepEqual(await scene.storage.apiKeys({ limit: 10, cursor: null }), { items: [], next: null });
    await scene.claimNone("outbox");
    assert.equal(await scene.storage.apply(oneOfEach(scene, message)), true);
    await scene.claimOne("outbox");
  },

  "writing changes twice is writing them once": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"));
    const changes = oneOfEach(scene, message).filter((change) => change.kind !== "state");
    const kept = async () => [
      await scene.storage.findPath(message.id),
      await scene.storage.findPath("message_answer" as MessageId),
      await scene.storage.movedAddresses(),
      await scene.storage.apiKeys({ limit: 10, cursor: null }),
      await scene.storage.status(),
    ];
    await scene.storage.apply(changes);
    const once = await kept();
    await scene.storage.apply(changes);
    assert.deepEqual(await kept(), once);
  },

  "an enqueue whose changes cannot be written writes nothing, and its key stays free": async (scene) => {
    const conversation = scene.conversation("a");
    const message = scene.message(conversation);
    const job = scene.inboxJob(message);
    const changes: Change[] = [
      { kind: "conversation", conversation },
      { kind: "message", message },
    ];
    const late: Change = { kind: "state", messageId: message.id, from: "held", to: "received", reason: null };
    await assert.rejects(scene.storage.enqueue(job, [...changes, late]), BugError);
    assert.equal(await scene.storage.findMessage(message.id), undefined);
    await scene.claimNone("inbox");
    assert.equal((await scene.storage.enqueue(job, changes)).isDuplicate, false);
  },

  "save and settle with a move that comes too late are a bug, write nothing and keep the lease": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"));
    const lease = await scene.claimOne("inbox");
    const turn = scene.turn(lease.conversation);
    const late: Change = { kind: "state", messageId: message.id, from: "held", to: "rejected", reason: "no" };
    await assert.rejects(scene.storage.save(lease, [{ kind: "turn", turn }, late]), BugError);
    await assert.rejects(scene.storage.settle(lease, done, [{ kind: "turn", turn }, late]), BugError);
    assert.equal(await scene.storage.findTurn(turn.id), undefined);
    await scene.settle(lease);
  },

  "one call that fails does not harm those made at the same moment": async (scene) => {
    const wrong = scene.message(scene.conversation("nowhere"));
    const results = await Promise.allSettled([
      scene.receive(scene.conversation("a")),
      scene.storage.apply([{ kind: "message", message: wrong }]),
      scene.receive(scene.conversation("b")),
    ]);
    assert.deepEqual(
      results.map((result) => result.status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    assert.equal((await scene.claim("inbox")).length, 2);
  },

  "a state change moves the message, and sets turn and platform reference where given": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"));
    const { id: turnId } = scene.turn(scene.conversation("a"));
    const messageId = message.id;
    const held = { kind: "state", messageId, from: "received", to: "held", reason: "rude", turnId } as const;
    assert.equal(await scene.storage.apply([held]), true);
    const expected: Message = { ...message, state: "held", reason: "rude", turnId };
    assert.deepEqual(await scene.storage.findMessage(messageId), expected);
    const queued = { kind: "state", messageId, from: "held", to: "queued", reason: null, platformRef: "77" } as const;
    assert.equal(await scene.storage.apply([queued]), true);
    const after: Message = { ...expected, state: "queued", reason: null, platformRef: "77" };
    assert.deepEqual(await scene.storage.findMessage(messageId), after);
  },

  "of two that move a message from the same state, one is first": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"));
    const move = (to: MessageState): Change => ({
      kind: "state",
      messageId: message.id,
      from: "received",
      to,
      reason: to,
    });
    const both = await Promise.all([scene.storage.apply([move("held")]), scene.storage.apply([move("ignored")])]);
    assert.deepEqual(both, [true, false]);
    assert.equal((await scene.storage.findMessage(message.id))?.reason, "held");
  },

  "a move that messageMoves does not have is a bug": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"));
    const move: Change = { kind: "state", messageId: message.id, from: "received", to: "delivered", reason: null };
    await assert.rejects(scene.storage.apply([move]), BugError);
    assert.deepEqual(await scene.storage.findMessage(message.id), message);
  },

  "parts are completed while the message is received, and not later": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"));
    const completed: Change = {
      kind: "parts",
      messageId: message.id,
      parts: [{ kind: "text", text: "the whole" }],
      contentHash: "hash of the whole" as ContentHash,
    };
    assert.equal(await scene.storage.apply([completed]), true);
    const after = await scene.storage.findMessage(message.id);
    assert.deepEqual(after, { ...message, parts: completed.parts, contentHash: completed.contentHash });
    const ignored = { kind: "state", messageId: message.id, from: "received", to: "ignored", reason: "x" } as const;
    await scene.storage.apply([ignored]);
    assert.equal(await scene.storage.apply([{ ...completed, parts: [] }]), false);
    assert.deepEqual((await scene.storage.findMessage(message.id))?.parts, completed.parts);
  },

  "a conversation or a message that is known stays as it is": async (scene) => {
    const conversation = scene.conversation("a");
    const { message } = await scene.receive(conversation);
    const other = scene.conversation("a", { ref: "elsewhere", isGroup: true });
    const reworded: Message = { ...message, parts: [], reason: "changed" };
    await scene.storage.apply([
      { kind: "conversation", conversation: other },
      { kind: "message", message: reworded },
    ]);
    assert.deepEqual(await scene.storage.findConversation(conversation.id), conversation);
    assert.deepEqual(await scene.storage.findMessage(message.id), message);
  },

  "what belongs to a conversation that is not there is a bug": async (scene) => {
    const conversation = scene.conversation("missing");
    const message = scene.message(conversation);
    const conversationId = conversation.id;
    for (const change of [
      { kind: "message", message },
      { kind: "engineState", conversationId, state: 1 },
      { kind: "moved", conversationId, ref: "new" },
    ] satisfies Change[]) {
      await assert.rejects(scene.storage.apply([change]), BugError, change.kind);
    }
  },

  "the state of the engine comes back as it was written, with the next claim too": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    for (const state of [{ deep: [1, "two", { three: null }] }, "text", 0, false, null]) {
      await scene.storage.apply([{ kind: "engineState", conversationId: conversation.id, state }]);
      const expected = { ...conversation, engineState: state };
      assert.deepEqual(await scene.storage.findConversation(conversation.id), expected);
      const lease = await scene.claimOne("inbox");
      assert.deepEqual(lease.conversation, expected);
      await scene.storage.settle(lease, { kind: "retry", afterMs: 0, isCounted: false }, []);
    }
  },

  "a conversation that moved has its new address, and both lead to it": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const moved: Change = { kind: "moved", conversationId: conversation.id, ref: "new place" };
    await scene.storage.apply([moved]);
    await scene.storage.apply([moved]);
    assert.equal((await scene.storage.findConversation(conversation.id))?.ref, "new place");
    assert.deepEqual(await scene.storage.movedAddresses(), [
      { channelId: conversation.channelId, ref: "new place", conversationId: conversation.id },
    ]);
  },

  "an address belongs to the conversation that moved there last, on its own channel": async (scene) => {
    const first = scene.conversation("first");
    const second = scene.conversation("second");
    const elsewhere = scene.conversation("elsewhere", { channelId: "bot-web" as ChannelId });
    for (const conversation of [first, second, elsewhere]) {
      await scene.receive(conversation);
      await scene.storage.apply([{ kind: "moved", conversationId: conversation.id, ref: "place" }]);
    }
    const owners = (await scene.storage.movedAddresses()).map((address) => address.conversationId).sort();
    assert.deepEqual(owners, [elsewhere.id, second.id].sort());
  },

  "the newest 10,000 addresses are kept": async (scene) => {
    const conversation = scene.conversation("a");
    await scene.receive(conversation);
    const changes = Array.from({ length: 10_002 }, (_, index): Change => {
      return { kind: "moved", conversationId: conversation.id, ref: `place ${index}` };
    });
    await scene.storage.apply(changes);
    for (const housekeeping of ["before", "after"]) {
      const refs = (await scene.storage.movedAddresses()).map((address) => address.ref);
      assert.equal(refs.length, 10_000, housekeeping);
      assert.equal(refs.includes("place 1") || !refs.includes("place 2"), false, housekeeping);
      await scene.storage.maintain();
    }
  },

  "once closed it refuses every call, and closing twice is closing once": async (scene) => {
    const { message } = await scene.receive(scene.conversation("a"));
    const lease = await scene.claimOne("inbox");
    const asked = scene.storage.findMessage(message.id);
    await Promise.all([scene.storage.close(), scene.storage.close()]);
    assert.deepEqual(await asked, message);
    await scene.storage.close();
    await assert.rejects(scene.receive(scene.conversation("b")), StorageError);
    await assert.rejects(scene.claim("inbox"), StorageError);
    await assert.rejects(scene.storage.settle(lease, done, []), StorageError);
    await assert.rejects(scene.storage.apply([]), StorageError);
    await assert.rejects(scene.storage.findMessage(message.id), StorageError);
  },
};

/** Every kind of change, all for one conversation, with a message of the bot that goes out. */
function oneOfEach(scene: Scene, message: Message): Change[] {
  const at = scene.host.clock.now();
  const conversation = scene.conversation("other", { id: "conversation_other" as ConversationId });
  const turn = scene.turn(conversation, { id: "turn_1" as never, messageIds: [message.id] });
  const answer = scene.answer(conversation, { id: "message_answer" as MessageId, turnId: turn.id });
  const person = {
    id: "person_1" as never,
    channelId: conversation.channelId,
    ref: "1",
    name: "Ann",
    language: "en",
  };
  const apiKey: ApiKey = { id: "key_1", keyHash: "hash", name: "laptop", createdAt: at, revokedAt: null };
  const attempt = { messageId: answer.id, attempt: 1, outcome: "delivered", receipts: [], reason: null, at } as const;
  return [
    { kind: "conversation", conversation },
    { kind: "moved", conversationId: conversation.id, ref: "new" },
    { kind: "person", person },
    { kind: "parts", messageId: message.id, parts: [], contentHash: "empty" as ContentHash },
    { kind: "state", messageId: message.id, from: "received", to: "answered", reason: null },
    { kind: "verdict", verdict: scene.verdict(message, { direction: "inbound" }) },
    { kind: "turn", turn },
    { kind: "step", step: { turnId: turn.id, name: "look up", result: { found: 1 }, at } },
    { kind: "engineState", conversationId: conversation.id, state: { count: 1 } },
    ...scene.sending(answer),
    { kind: "attempt", attempt },
    { kind: "apiKey", apiKey },
  ];
}
