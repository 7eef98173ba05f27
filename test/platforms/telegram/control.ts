import type { IncomingMessage, ServerResponse } from "node:http";
import type { Params } from "./bot-method.ts";
import type { FakeTelegram } from "./fake-telegram.ts";
import { sendJson } from "./json-answer.ts";
import type { Misbehavior, Occasion } from "./misbehavior.ts";
import { bodyOf, jsonObject } from "./request-params.ts";

/**
 * The fake's methods over HTTP, for tests that run it as a process of its own: `POST /control/<name>` with JSON.
 * `say {chat, text}`, `press {chat, message, data}`, `push {update}`, `file {base64}`, `block {chat}`, `migrate {from, to}`,
 * `misbehave {misbehavior, method?, times?}`, `sent {chat?}`, `duplicates {chat?}`, `calls`, `state`.
 */
export async function control(fake: FakeTelegram, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const body = await bodyOf(request);
  const args = body.length === 0 ? {} : jsonObject(body);
  const name = (request.url ?? "").slice("/control/".length);
  try {
    const result = perform(fake, name, args);
    if (result === undefined) sendJson(response, 404, { error: `There is no control "${name}".` });
    else sendJson(response, 200, result);
  } catch (error) {
    sendJson(response, 400, { error: (error as Error).message });
  }
}

function perform(fake: FakeTelegram, name: string, args: Params): unknown {
  const chat = args.chat as number;
  switch (name) {
    case "say":
      return fake.say(chat, args.text as string, args.from as number | undefined);
    case "press":
      return { updateId: fake.press(chat, args.message as number, args.data as string) };
    case "push":
      return { updateId: fake.push(args.update as Params) };
    case "file":
      return { fileId: fake.addFile(Buffer.from(args.base64 as string, "base64")).id };
    case "block":
      fake.block(chat);
      return {};
    case "migrate":
      fake.migrate(args.from as number, args.to as number);
      return {};
    case "misbehave":
      fake.misbehave(args.misbehavior as Misbehavior, args as Occasion);
      return {};
    case "sent":
      return fake.sent(chat);
    case "duplicates":
      return fake.duplicates(chat);
    case "calls":
      return fake.calls;
    case "state":
      return fake.state();
    default:
      return undefined;
  }
}
