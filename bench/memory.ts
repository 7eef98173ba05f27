import { startFakeBotApi } from "./fake-bot-api.ts";
import { type Load, runLoad } from "./load-generator.ts";
import { rounded, type Section } from "./report.ts";
import { faults } from "./run-system.ts";
import { systems } from "./systems.ts";

const stepMessages = 10_000;
const steps = 10;
const mostRatio = 1.5;

/** Whether Parley's memory grows with what it has handled. */
export async function measureMemory(): Promise<readonly Section[]> {
  const load: Load = { messages: stepMessages, conversations: 10_000, pace: { kind: "closed", inFlight: 256 } };
  const api = await startFakeBotApi();
  const running = await systems.parley.start(api);
  const rows: string[][] = [];
  const rssMb: number[] = [];
  try {
    for (let step = 1; step <= steps; step++) {
      const result = await runLoad(running.webhook, api, load);
      rssMb.push(running.rssMb());
      rows.push([rounded(step * stepMessages), rounded(running.rssMb()), faults([result])]);
    }
  } finally {
    await running.stop();
    await api.close();
  }
  const ratio = (rssMb.at(-1) ?? Number.NaN) / (rssMb[0] ?? Number.NaN);
  const section: Section = {
    title: "Memory",
    text: `Resident memory of Parley's process while ${rounded(steps * stepMessages)} messages of ${rounded(load.conversations)} conversations pass, without a pause.`,
    columns: ["messages so far", "RSS MB", "faults"],
    rows,
    targets: [
      {
        promise: `after ${rounded(steps * stepMessages)} messages at most ${mostRatio} × that after ${rounded(stepMessages)}`,
        measured: `${ratio.toFixed(2)} ×`,
        isMet: ratio <= mostRatio,
      },
    ],
  };
  return [section];
}
