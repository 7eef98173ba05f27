import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acceptInto,
  assertNoSecret,
  type Scene,
  telegramScene,
  until,
} from "../../../test/platforms/telegram/telegram-scene.ts";
import type { Accept, Update } from "../../core/channel.ts";
import { SetupError, StorageError } from "../../core/errors.ts";

/** Listens until the test is over or `stop` is called. */
function listening(
  { channel, accept }: Scene,
  instead: Accept = accept,
): { stop(): Promise<void>; done: Promise<void> } {
  const controller = new AbortController();
  const done = channel.listen(instead, controller.signal);
  return {
    done,
    stop: () => {
      controller.abort();
      return done;
    },
  };
}

const textsOf = (updates: readonly Update[]) =>
  updates.flatMap(({ parts }) => parts.map((part) => (part.kind === "text" ? part.text : part.kind)));

test("updates come in order, and Telegram forgets them only once they are accepted", async () => {
  const scene = await telegramScene();
  const { fake, accepted } = scene;
  for (const said of ["one", "two"]) fake.say(7, said);
  const { promise: mayAccept, resolve: release } = Promise.withResolvers<void>();
  let asked = 0;
  const listener = listening(scene, async (update) => {
    asked += 1;
    await mayAccept;
    return scene.accept(update);
  });
  await until(() => asked === 1);
  assert.equal(fake.state().pending, 2);
  release();
  await until(() => fake.state().pending === 0);
  assert.deepEqual(textsOf(accepted), ["one", "two"]);
  fake.say(7, "three");
  await until(() => accepted.length === 3);
  await listener.stop();
  assert.equal(fake.calls.length, 0, "what is no press is not answered as one");
});

test("an update that could not be stored holds its chat's later ones, is not forgotten, and comes again", async () => {
  const scene = await telegramScene();
  const { fake, host, accepted, log } = scene;
  fake.say(7, "one");
  fake.say(7, "two");
  fake.say(8, "other");
  let failures = 1;
  const listener = listening(scene, (update) => {
    if (update.key === "1001" && failures-- > 0) return Promise.reject(new StorageError("The disk is full."));
    return scene.accept(update);
  });
  await until(() => host.timerCount > 0);
  assert.deepEqual(textsOf(accepted), ["other"]);
  assert.equal(fake.state().pending, 3);
  assert.ok(log.some(({ level }) => level === "warn"));
  host.advance(2_000);
  await until(() => fake.state().pending === 0);
  assert.deepEqual(textsOf(accepted), ["other", "one", "two"]);
  await listener.stop();
});

test("what is told again has the same key, and what comes newest first is put in order", async () => {
  const scene = await telegramScene();
  const { fake } = scene;
  const all: Update[] = [];
  const accept: Accept = (update) => {
    all.push(update);
    return scene.accept(update);
  };
  fake.say(7, "one");
  fake.say(7, "two");
  fake.misbehave({ kind: "reverseUpdates" });
  fake.misbehave({ kind: "repeatUpdates" });
  const listener = listening(scene, accept);
  await until(() => all.length === 4 && fake.state().pending === 0);
  assert.deepEqual(textsOf(all), ["one", "two", "one", "two"]);
  assert.deepEqual(
    all.slice(2).map(({ key }) => key),
    all.slice(0, 2).map(({ key }) => key),
  );
  assert.equal(scene.accepted.length, 2);
  await listener.stop();
});

test("an update that makes no sense does not stop the others", async () => {
  const scene = await telegramScene();
  const { fake, accepted } = scene;
  fake.push({ message: "nonsense" });
  fake.push({ message: { chat: { id: 7 } } });
  fake.push({});
  fake.say(7, "hello");
  const listener = listening(scene);
  await until(() => fake.state().pending === 0);
  assert.deepEqual(textsOf(accepted), ["unsupported", "unsupported", "unsupported", "text"].with(3, "hello"));
  await listener.stop();
});

test("a press is accepted, then answered", async () => {
  const scene = await telegramScene();
  const { fake, accepted } = scene;
  fake.openChat(7);
  const message = { message_id: 5, chat: { id: 7, type: "private" } };
  fake.push({ callback_query: { id: "q1", from: { id: 7 }, message, data: "yes" } });
  const listener = listening(scene);
  await until(() => fake.calls.some(({ method }) => method === "answerCallbackQuery"));
  assert.deepEqual(accepted[0]?.parts[0]?.kind, "choice");
  assert.deepEqual(fake.calls[0]?.params, { callback_query_id: "q1" });
  await listener.stop();
});

test("ends at once when it is told to, in the middle of a long poll and of a pause", async () => {
  const scene = await telegramScene();
  const listener = listening(scene);
  await until(() => scene.fake.state().isPolled);
  await listener.stop();
  scene.fake.misbehave({ kind: "status", status: 500 }, { method: "getUpdates" });
  const again = listening(scene);
  await until(() => scene.log.length > 0);
  await again.stop();
  await until(() => !scene.fake.state().isPolled);
  assert.equal(scene.host.timerCount, 0);
});

test("what a retry can mend is retried after a pause that grows", async () => {
  const scene = await telegramScene();
  const { fake, host, accepted, log } = scene;
  fake.misbehave({ kind: "status", status: 502, isJson: false }, { method: "getUpdates" });
  fake.misbehave({ kind: "dropBefore" }, { method: "getUpdates" });
  fake.misbehave({ kind: "garbage" }, { method: "getUpdates" });
  fake.say(7, "hello");
  const listener = listening(scene);
  for (const longestMs of [1_500, 3_000, 6_000]) {
    await until(() => host.timerCount > 0);
    assert.equal(accepted.length, 0);
    host.advance(longestMs);
  }
  await until(() => accepted.length === 1);
  assert.equal(log.length, 3);
  await listener.stop();
});

test("Telegram's own wait is obeyed", async () => {
  const scene = await telegramScene();
  const { fake, host } = scene;
  fake.misbehave({ kind: "throttle", retryAfterSeconds: 14 }, { method: "getUpdates" });
  const listener = listening(scene);
  await until(() => host.timerCount === 1);
  host.advance(13_999);
  assert.equal(host.timerCount, 1);
  host.advance(1);
  await until(() => fake.state().isPolled);
  await listener.stop();
});

test("does not spin where something answers at once that there is nothing", async () => {
  const scene = await telegramScene();
  const { fake, host } = scene;
  fake.misbehave({ kind: "repeatUpdates" }, { method: "getUpdates" });
  const listener = listening(scene);
  await until(() => host.timerCount === 1);
  assert.equal(fake.state().isPolled, false);
  host.advance(1_500);
  await until(() => fake.state().isPolled);
  await listener.stop();
});

test("another program that polls is told of, and tried again slowly", async () => {
  const scene = await telegramScene();
  const { fake, host, log } = scene;
  const listener = listening(scene);
  await until(() => fake.state().isPolled);
  const controller = new AbortController();
  const other = fetch(`${fake.url}/bot${fake.token}/getUpdates?timeout=50`, { signal: controller.signal });
  other.catch(() => undefined);
  await until(() => log.length > 0);
  assert.equal(log[0]?.level, "error");
  assert.match(log[0]?.message ?? "", /same token/);
  controller.abort();
  await until(() => !fake.state().isPolled);
  assert.equal(host.timerCount, 1, "it waits");
  host.advance(29_999);
  assert.equal(host.timerCount, 1, "it still waits");
  host.advance(1_001);
  await until(() => fake.state().isPolled);
  await listener.stop();
});

test("a webhook that is in the way is deleted, and what waits there is not dropped", async () => {
  const scene = await telegramScene();
  const { fake, accepted, log } = scene;
  await fetch(`${fake.url}/bot${fake.token}/setWebhook?url=http://127.0.0.1:9/`);
  fake.say(7, "hello");
  const listener = listening(scene);
  await until(() => accepted.length === 1);
  assert.equal(fake.state().webhook, null);
  assert.match(log.map(({ message }) => message).join(), /deleted/);
  await listener.stop();
});

test("a wrong token ends it, saying what to do", async () => {
  const scene = await telegramScene({ token: "1:unknown" });
  await assert.rejects(listening(scene).done, (error) => {
    assertNoSecret(scene.fake, error);
    return error instanceof SetupError && error.message.includes("@BotFather") && !error.message.includes("unknown");
  });
});

test("started again, it takes what was not yet confirmed under the same keys", async () => {
  const scene = await telegramScene();
  scene.fake.say(7, "hello");
  const controller = new AbortController();
  const first: Update[] = [];
  await scene.channel.listen((update) => {
    controller.abort();
    return acceptInto(first)(update);
  }, controller.signal);
  const listener = listening(scene);
  await until(() => scene.accepted.length === 1);
  assert.equal(scene.accepted[0]?.key, first[0]?.key);
  await listener.stop();
});
