import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { TestHost } from "../../../test/contracts/test-host.ts";
import type { Accept, Update } from "../../core/channel.ts";
import { InputError, StorageError } from "../../core/errors.ts";
import type { BotId, ChannelId } from "../../core/ids.ts";
import { createWebChannel, webOptions, webUpdate } from "./web-channel.ts";

const open = () =>
  createWebChannel({
    id: "demo-web" as ChannelId,
    botId: "demo" as BotId,
    options: webOptions.parse({}),
    host: new TestHost(),
  });

const update = webUpdate({ personRef: "ann", clientId: "1", parts: [{ kind: "text", text: "hi" }] });

/** Notes who was given the update. */
function accepting(name: string, given: string[]): Accept {
  return async ({ key }: Update) => {
    given.push(`${name} ${key}`);
    return { messageId: "m" as never, conversationId: "c" as never, isDuplicate: false };
  };
}

describe("a web channel", () => {
  test("takes updates in only while it listens, also when it begins anew before it had ended", async () => {
    const channel = open();
    const given: string[] = [];
    await assert.rejects(channel.accept(update), StorageError);
    const [first, second] = [new AbortController(), new AbortController()];
    const listening = channel.listen(accepting("first", given), first.signal);
    await channel.accept(update);
    const again = channel.listen(accepting("second", given), second.signal);
    first.abort();
    await listening;
    await channel.accept(update);
    assert.deepEqual(given, ["first ann:1", "second ann:1"]);
    second.abort();
    await again;
    await assert.rejects(channel.accept(update), StorageError);
    await channel.listen(accepting("late", given), second.signal);
    await assert.rejects(channel.accept(update), StorageError);
  });

  test("has its options checked", () => {
    assert.deepEqual(webOptions.parse({}), { allowedOrigins: [] });
    for (const origin of ["https://example.com", "http://localhost:8080"])
      webOptions.parse({ allowedOrigins: [origin] });
    for (const origin of ["example.com", "https://example.com/", "https://example.com/a", "*", "null", "ftp://a.b"]) {
      assert.throws(() => webOptions.parse({ allowedOrigins: [origin] }), origin);
    }
    assert.throws(() => webOptions.parse({ titel: "Demo" }));
  });
});

describe("an update of the web channel", () => {
  test("is one for each person and clientId, and of the person's own conversation", () => {
    assert.deepEqual(update, {
      key: "ann:1",
      conversation: { ref: "ann", isGroup: false, movedFrom: null },
      person: { ref: "ann", name: null, language: null },
      parts: [{ kind: "text", text: "hi" }],
      notice: null,
      platformRef: "1",
      replyTo: null,
    });
    const elsewhere = webUpdate({
      personRef: "ann",
      clientId: "1",
      parts: [],
      conversationRef: "room",
      language: "pt-BR",
    });
    assert.deepEqual([elsewhere.conversation.ref, elsewhere.person?.language], ["room", "pt-BR"]);
  });

  test("cannot be taken for another person's, whatever the ids are", () => {
    assert.throws(() => webUpdate({ personRef: "a", clientId: "b:c", parts: [] }), InputError);
    assert.throws(() => webUpdate({ personRef: "a", clientId: "", parts: [] }), InputError);
  });
});
