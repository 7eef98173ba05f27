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

async function answer(options: object, messages: readonly PromptMessage[]): Promise<string> {
  const model = createLocalModel(localModelOptions.parse(options));
  return (await model.generate({ persona, messages }, new AbortController().signal)).text;
}

test("the first keyword that occurs in the last message of the person gives the answer, whatever the case", async () => {
  const options = { responses: { Price: "It is free.", hello: "Hi!", "what is": "A thing." }, default: "Pardon?" };
  assert.equal(await answer(options, [{ role: "person", text: "HELLO, what is the pRICE?" }]), "[Alex]: It is free.");
  const messages = [
    { role: "person", text: "price" },
    { role: "person", text: "Hello there" },
    { role: "bot", text: "what is" },
  ] as const;
  assert.equal(await answer(options, messages), "[Alex]: Hi!");
  assert.equal(await answer(options, [{ role: "person", text: "…" }]), "[Alex]: Pardon?");
});

test("without a default the message is repeated", async () => {
  const wanted = "[Alex]: I received your message: 'so?'. This is a test response from the local engine.";
  assert.equal(await answer({}, [{ role: "person", text: "so?" }]), wanted);
});

test("an abort is honored", async () => {
  const model = createLocalModel(localModelOptions.parse({}));
  const stopped = AbortSignal.abort(new Error("stopped"));
  await assert.rejects(model.generate({ persona, messages: [] }, stopped), { message: "stopped" });
});
