import assert from "node:assert/strict";
import type { DemoServer } from "./demo-server.ts";

/** How the documents' commands are proved: each must match one of these. */
interface CommandProof {
  readonly command: RegExp;
  /** Tries it, or says who does. */
  readonly proof: ((demo: DemoServer, command: string) => Promise<void>) | { readonly elsewhere: string };
}

const listed = /^(None\.|\d+ in all\.)$/m;

export const commandProofs: readonly CommandProof[] = [
  { command: /^npm start$/, proof: { elsewhere: "what it runs is the server that all others here are tried on" } },
  { command: /^npm test( -- [\w /.-]+)?$/, proof: { elsewhere: "it runs this very test" } },
  {
    command: /^npm run (dev|check|format|bench)$/,
    proof: { elsewhere: "its script in package.json exists" },
  },
  {
    command: /^npm run test:crash -- --kills \d+$/,
    proof: { elsewhere: "a short part of it is run by test/crash/random-kills.test.ts" },
  },
  { command: /^TELEGRAM_BOT_TOKEN=<token> npm start$/, proof: answersOnTelegram },

  { command: /^npm run parley -- status$/, proof: prints(/^inbox: \d+ waiting/) },
  { command: /^npm run parley -- doctor$/, proof: prints(/^All is well\.$/m) },
  { command: /^npm run parley -- chat demo$/, proof: chats },
  { command: /^KEY=\$\(npm run parley -- key create --name \w+\)$/, proof: makesKey },
  {
    command: /^npm run parley -- why <message-id>$/,
    proof: async (demo, command) => {
      const { message } = await demo.say("hello");
      assert.match(await demo.run(fill(command, message)), new RegExp(`^${message}, from the person, is answered`));
    },
  },
  { command: /^npm run parley -- (held|dead) list$/, proof: prints(listed) },
  {
    command: /^npm run parley -- held release <message-id>$/,
    proof: async (demo, command) => {
      assert.match(await demo.run(fill(command, await demo.heldId())), / is queued now\.$/m);
    },
  },
  {
    command: /^npm run parley -- held reject <message-id>( --reason "[^"]+")?$/,
    proof: async (demo, command) => {
      assert.match(await demo.run(fill(command, await demo.heldId())), / is rejected now\.$/m);
    },
  },
  {
    command: /^npm run parley -- dead resubmit <message-id>$/,
    proof: async (demo, command) => {
      assert.match(await demo.run(fill(command, await demo.deadId())), / is queued now\.$/m);
    },
  },

  { command: /^curl -sS http:\/\/127\.0\.0\.1:7400\/healthz$/, proof: prints(/^\{"ok":true\}$/) },
  { command: /^curl -sS http:\/\/127\.0\.0\.1:7400\/readyz$/, proof: prints(/^\{"ready":true,/) },
  { command: /^curl -sS http:\/\/127\.0\.0\.1:7400\/metrics$/, proof: prints(/^parley_messages_received_total/m) },
  {
    command: /^curl .*\/api\/v1\/bots\/demo\/messages\?wait=10" .*"When are you open\?"/,
    proof: prints(/"state":"answered".*We are open Monday to Friday/),
  },
];

function prints(expected: RegExp): CommandProof["proof"] {
  return async (demo, command) => assert.match(await demo.run(command), expected);
}

function fill(command: string, messageId: string): string {
  return command.replace("<message-id>", messageId);
}

async function chats(demo: DemoServer, command: string): Promise<void> {
  assert.match(await demo.run(`echo hello | ${command}`), /I am a small demo bot/);
}

async function makesKey(demo: DemoServer, command: string): Promise<void> {
  assert.match(await demo.run(`${command}; echo "$KEY"`), /^parley_\S{43}$/m);
}

/** The server was started with a token, and a Telegram that is as strict as the real one. */
async function answersOnTelegram({ telegram }: DemoServer): Promise<void> {
  telegram.say(7, "hello");
  const [answer] = await telegram.waitForSent(1, 7);
  assert.match(JSON.stringify(answer), /I am a small demo bot/);
}
