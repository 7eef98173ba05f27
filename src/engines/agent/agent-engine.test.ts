import assert from "node:assert/strict";
import { test } from "node:test";
import type { TurnContext } from "../../core/engine.ts";
import { ModelError } from "../../core/errors.ts";
import type { BotId, ConversationId, MessageId } from "../../core/ids.ts";
import type { Message } from "../../core/message.ts";
import type { Model, Persona, Prompt } from "../../core/model.ts";
import type { Part } from "../../core/part.ts";
import type { ReviewedMessage } from "../../core/reviewed.ts";
import { createAgentEngine } from "./agent-engine.ts";

const persona: Persona = {
  name: "Alex",
  role: "r",
  personality: "",
  instructions: null,
  knowledge: [],
  constraints: [],
};

/** A model that says `text` and keeps what it was asked. */
function modelThatSays(text: string, historyMax = 0): Model & { readonly asked: Prompt[] } {
  const asked: Prompt[] = [];
  return {
    name: "fake",
    historyMax,
    asked,
    async generate(prompt) {
      asked.push(prompt);
      return { texts: [text] };
    },
  };
}

function message(from: Message["from"], parts: string | readonly Part[], platformRef: string | null = null): Message {
  return {
    id: "m" as MessageId,
    conversationId: "c" as ConversationId,
    from,
    personId: null,
    parts: typeof parts === "string" ? [{ kind: "text", text: parts }] : parts,
    contentHash: "" as Message["contentHash"],
    state: "received",
    reason: null,
    turnId: null,
    notice: null,
    platformRef,
    replyTo: null,
    at: 0,
  };
}

function context(messages: readonly Message[], more: Partial<TurnContext> = {}): TurnContext {
  return {
    botId: "b" as BotId,
    conversation: { id: "c" as ConversationId, isGroup: false },
    messages: messages as readonly ReviewedMessage<"inbound">[],
    history: async () => assert.fail("asked for history"),
    state: null,
    signal: new AbortController().signal,
    step: async () => assert.fail("took a step"),
    ...more,
  };
}

test("the model is asked in the persona's name with what was said, in order and by whom", async () => {
  const model = modelThatSays("Fine.", 7);
  const limits: number[] = [];
  const history = async (limit: number): Promise<readonly Message[]> => {
    limits.push(limit);
    return [message("person", "hello"), message("bot", "hi"), message("operator", "I am here too")];
  };
  const engine = createAgentEngine({ id: "assistant", persona, model });
  const turn = await engine.takeTurn(context([message("person", "how"), message("person", "are you?")], { history }));
  assert.equal(engine.name, "agent:assistant");
  assert.deepEqual(turn, { drafts: [{ parts: [{ kind: "text", text: "Fine." }], replyTo: null }] });
  assert.deepEqual(limits, [7]);
  assert.deepEqual(model.asked, [
    {
      persona,
      messages: [
        { role: "person", text: "hello" },
        { role: "bot", text: "hi" },
        { role: "bot", text: "I am here too" },
        { role: "person", text: "how" },
        { role: "person", text: "are you?" },
      ],
    },
  ]);
});

test("what is not text is put into words", async () => {
  const file = { kind: "file", mimeType: "image/png", bytes: 3, hash: null, ref: null, missing: null } as const;
  const model = modelThatSays("ok");
  const said = message("person", [
    { ...file, media: "image", name: "photo.jpg", caption: "my cat" },
    { ...file, media: "voice", name: null, caption: null },
    {
      kind: "choices",
      choices: [
        { label: "Yes", value: "y" },
        { label: "No", value: "n" },
      ],
    },
    { kind: "choice", value: "y", label: "Yes", messageRef: null, pending: false },
    { kind: "choice", value: "n", label: null, messageRef: null, pending: false },
    { kind: "location", latitude: 52.5, longitude: 13.4, name: "Berlin" },
    { kind: "contact", name: "Kim", phone: "+1555" },
    { kind: "reaction", emoji: "👍", messageRef: null },
    { kind: "reaction", emoji: "", messageRef: null },
    { kind: "unsupported", type: "poll" },
  ]);
  await createAgentEngine({ id: "a", persona, model }).takeTurn(context([said]));
  assert.deepEqual(model.asked[0]?.messages[0]?.text.split("\n"), [
    "[image photo.jpg: my cat]",
    "[voice]",
    "[choices: Yes, No]",
    "Yes",
    "n",
    "[location Berlin: 52.5, 13.4]",
    "[contact Kim: +1555]",
    "[reaction: 👍]",
    "[reaction taken back]",
    "[poll]",
  ]);
});

test("in a group the answer replies to the last message, elsewhere it just speaks", async () => {
  const engine = createAgentEngine({ id: "a", persona, model: modelThatSays("ok") });
  const messages = [message("person", "a", "11"), message("person", "b", "12")];
  const inGroup = { conversation: { id: "c" as ConversationId, isGroup: true } };
  assert.equal((await engine.takeTurn(context(messages, inGroup))).drafts[0]?.replyTo, "12");
  assert.equal((await engine.takeTurn(context(messages))).drafts[0]?.replyTo, null);
});

test("an empty answer says nothing", async () => {
  const engine = createAgentEngine({ id: "a", persona, model: modelThatSays(" \n") });
  assert.deepEqual(await engine.takeTurn(context([message("person", "a")])), { drafts: [] });
});

test("a model's failure passes through as it is", async () => {
  const failure = new ModelError("overloaded", true);
  const model = { ...modelThatSays(""), generate: async () => Promise.reject(failure) };
  const turn = createAgentEngine({ id: "a", persona, model }).takeTurn(context([message("person", "a")]));
  await assert.rejects(turn, (error) => error === failure);
});

test("an answer that comes after the turn was aborted is not said", async () => {
  const controller = new AbortController();
  const model: Model = {
    name: "slow",
    historyMax: 0,
    async generate(_, signal) {
      assert.equal(signal, controller.signal);
      controller.abort(new Error("lease lost"));
      return { texts: ["too late"] };
    },
  };
  const { signal } = controller;
  const turn = createAgentEngine({ id: "a", persona, model }).takeTurn(context([message("person", "a")], { signal }));
  await assert.rejects(turn, { message: "lease lost" });
});
