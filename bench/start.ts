import { expectOk, freePort, newFolder, startChild } from "./child.ts";
import { type FakeBotApi, startFakeBotApi } from "./fake-bot-api.ts";
import { type Load, runLoad } from "./load-generator.ts";
import { median, type Section } from "./report.ts";
import { parleyEnv, parleyWebhook, root, writeParleyConfig } from "./systems.ts";

const repetitions = 5;
const mostSeconds = 2;

/** How soon after `npm start` in an installed checkout a message is answered. */
export async function measureStart(): Promise<readonly Section[]> {
  const api = await startFakeBotApi();
  const seconds: number[] = [];
  try {
    for (let repetition = 0; repetition < repetitions; repetition++) seconds.push(await firstAnswerSeconds(api));
  } finally {
    await api.close();
  }
  const middle = median(seconds);
  const section: Section = {
    title: "Start",
    text: "From `npm start` in an installed checkout, with an empty data folder, to the first answer at the fake Bot API.",
    columns: ["run", "seconds"],
    rows: seconds.map((each, index) => [String(index + 1), each.toFixed(2)]),
    targets: [
      {
        promise: `first answer within ${mostSeconds} s`,
        measured: `${middle.toFixed(2)} s (median)`,
        isMet: middle <= mostSeconds,
      },
    ],
  };
  return [section];
}

async function firstAnswerSeconds(api: FakeBotApi): Promise<number> {
  const folder = newFolder();
  const port = await freePort();
  const config = writeParleyConfig(folder, api);
  const startedAt = performance.now();
  const child = await startChild({
    command: "npm",
    args: ["--prefix", root, "start"],
    env: { ...parleyEnv(folder, port), PARLEY_CONFIG: config },
    folder,
    ready: () => expectOk(`http://127.0.0.1:${port}/readyz`),
  });
  try {
    const first: Load = { messages: 1, conversations: 1, pace: { kind: "closed", inFlight: 1 } };
    const { answered } = await runLoad(parleyWebhook(port), api, first);
    if (answered !== 1) throw new Error("Parley started and did not answer the first message.");
    return (performance.now() - startedAt) / 1_000;
  } finally {
    await child.stop();
  }
}
