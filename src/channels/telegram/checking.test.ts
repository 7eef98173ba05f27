import assert from "node:assert/strict";
import { test } from "node:test";
import { telegramScene, until } from "../../../test/platforms/telegram/telegram-scene.ts";

const { signal } = new AbortController();

test("all is well: a valid token and no webhook, for polling", async () => {
  const { channel } = await telegramScene();
  const findings = await channel.check(signal);
  assert.deepEqual(
    findings.map(({ ok, remedy }) => [ok, remedy]),
    [
      [true, null],
      [true, null],
      [true, null],
    ],
  );
  assert.match(findings[0]?.message ?? "", /@fake_parley_bot/);
});

test("a wrong token and an address where nobody answers have their remedies", async () => {
  const wrong = await telegramScene({ token: "1:unknown" });
  const [finding] = await wrong.channel.check(signal);
  assert.equal(finding?.ok, false);
  assert.match(finding?.remedy ?? "", /@BotFather/);
  const { fake, channel } = await telegramScene();
  await fake.stop();
  const [unreached] = await channel.check(signal);
  await fake.start();
  assert.match(unreached?.remedy ?? "", /network/);
});

test("tells of a mode that does not fit, of updates that wait and of calls that fail, but not the address", async () => {
  const { fake, channel, host } = await telegramScene();
  await fetch(`${fake.url}/bot${fake.token}/setWebhook?url=http://127.0.0.1:9/hook-of-secret`);
  for (let count = 0; count < 101; count++) fake.say(7, "hello");
  await until(() => host.timerCount > 0);
  const polling = await channel.check(signal);
  assert.match(polling[1]?.message ?? "", /a webhook is set, to 127.0.0.1:9$/);
  assert.match(polling[1]?.remedy ?? "", /mode: webhook/);
  assert.match(polling[2]?.message ?? "", /101 updates wait/);
  const elsewhere = await telegramScene({ mode: "webhook", webhookUrl: "https://example.org/x", apiRoot: fake.url });
  const findings = await elsewhere.channel.check(signal);
  assert.ok(findings.slice(1).every(({ ok, remedy }) => !ok && remedy !== null));
  assert.match(findings[1]?.message ?? "", /another address/);
  assert.match(findings[3]?.message ?? "", /last call failed at 2026-01-01T/);
  assert.ok(!JSON.stringify([polling, findings]).includes("hook-of-secret"));
});

test("mode webhook without a webhook says how to set it", async () => {
  const { channel } = await telegramScene({ mode: "webhook" });
  const findings = await channel.check(signal);
  assert.match(findings[1]?.remedy ?? "", /webhookUrl/);
});
