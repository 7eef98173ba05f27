import assert from "node:assert/strict";
import { test } from "node:test";
import { telegramScene } from "../../../test/platforms/telegram/telegram-scene.ts";
import { isCheckedChannel, isCompletingChannel, isTypingChannel, isWebhookChannel } from "../../core/channel.ts";
import { telegramOptions } from "./telegram-channel.ts";

test("a token is all it takes", () => {
  assert.deepEqual(telegramOptions.parse({ token: "123:abc" }), {
    token: "123:abc",
    apiRoot: "https://api.telegram.org",
    mode: "poll",
    rates: { perSecond: 30, perChatPerSecond: 1, perGroupPerMinute: 20 },
    whenUnknown: "stop",
  });
});

test("what cannot work is refused before it starts", () => {
  const wrong = [
    {},
    { token: "" },
    { token: "12 3" },
    { token: "../x" },
    { token: "t", apiRoot: "ftp://x" },
    { token: "t", mode: "push" },
    { token: "t", webhookSecret: "no spaces" },
    { token: "t", webhookSecret: "x".repeat(257) },
    { token: "t", rates: { perSecond: 0 } },
    { token: "t", tokne: "t" },
  ];
  for (const options of wrong) assert.equal(telegramOptions.safeParse(options).success, false, JSON.stringify(options));
});

test("it is all that a channel can be, and says its limits", async () => {
  const { channel } = await telegramScene({ whenUnknown: "resend" });
  assert.ok(
    isWebhookChannel(channel) && isTypingChannel(channel) && isCompletingChannel(channel) && isCheckedChannel(channel),
  );
  assert.deepEqual(channel.limits, { textMax: 4_096, captionMax: 1_024, choicesMax: 100, fileBytesMax: 50_000_000 });
  assert.equal(channel.platform, "telegram");
  assert.equal(channel.whenUnknown, "resend");
});
