/**
 * The fake as a process: `node test/platforms/telegram/main.ts --port 0 [--token …]`. Prints one line of JSON, `{port, url, token}`,
 * when it listens; ends with the process that started it, when that closes its standard input, or on SIGTERM.
 */
import { parseArgs } from "node:util";
import { control } from "./control.ts";
import { FakeTelegram } from "./fake-telegram.ts";

const { values } = parseArgs({ options: { port: { type: "string", default: "0" }, token: { type: "string" } } });
const fake: FakeTelegram = new FakeTelegram({
  port: Number(values.port),
  ...(values.token === undefined ? {} : { token: values.token }),
  onControl: (request, response) => control(fake, request, response),
});
await fake.start();
console.log(JSON.stringify({ port: Number(new URL(fake.url).port), url: fake.url, token: fake.token }));
process.once("SIGTERM", () => void fake.stop());
process.stdin.resume().once("end", () => void fake.stop());
