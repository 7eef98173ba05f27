import assert from "node:assert/strict";
import { test } from "node:test";
import type { Persona, PromptMessage } from "../../core/model.ts";
import { createLocalModel, localModelOptions } from "./local-model.ts";

const persona: Persona = {
  name: "Alex",
  role: "r",
  personality: "",
  instructions: null,
  knowledge: [],
  constraints: [],
};

async function answers(options: object, messages: readonly PromptMessage[]): Promise<readonly string[]> {
  const model = createLocalModel(localModelOptions.parse(options));
  return (await model.generate({ persona, messages }, new AbortController().signal)).texts;
}

test("the first keyword that occurs in a message gives its answer, whatever the case", async () => {
  const options = { responses: { Price: "It is free.", hello: "Hi!" }, default: "Pardon?" };
  assert.deepEqual(await answers(options, [{ role: "person", text: "HELLO, what is the pRICE?" }]), [
    "[Alex]: It is free.",
  ]);
  assert.deepEqual(await answers(options, [{ role: "person", text: "…" }]), ["[Alex]: Pardon?"]);
});

test("each message since the bot spoke last gets an answer of its own", async () => {
  const messages = [
    { role: "person", text: "price" },
    { role: "bot", text: "It is free." },
    { role: "person", text: "hello" },
    { role: "person", text: "price" },
  ] as const;
  const options = { responses: { price: "Free.", hello: "Hi!" } };
  assert.deepEqual(await answers(options, messages), ["[Alex]: Hi!", "[Alex]: Free."]);
});

test("without a default the message is repeated", async () => {
  const wanted = "[Alex]: I received your message: 'so?'. This is a test response from the local engine.";
  assert.deepEqual(await answers({}, [{ role: "person", text: "so?" }]), [wanted]);
});

test("an abort is honored", async () => {
  const model = createLocalModel(localModelOptions.parse({}));
  const stopped = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(model.generate({ persona, messages: [] }, stopped), { message: "stopped" });
});
