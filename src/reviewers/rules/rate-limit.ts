import type { MessageId } from "../../core/ids.ts";
import { RecentMap } from "./recent-map.ts";
import type { RulesOptions } from "./rules-options.ts";

interface Window {
  startedAt: number;
  count: number;
}

interface Windows {
  readonly minute: Window;
  readonly hour: Window;
}

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** Persons, and answers, that are remembered at least: those seen last. */
const rememberedMin = 10_000;

/**
 * Counts the messages of each person in windows that begin with their first message. Returns why a message is too much,
 * or null; the same for the same message however often it is asked. Time is when messages were received.
 */
export function createRateLimit({ per_minute: perMinute, per_hour: perHour }: RulesOptions["rate"]) {
  const persons = new RecentMap<string, Windows>(rememberedMin);
  const answers = new RecentMap<MessageId, string | null>(rememberedMin);

  function answer(person: string, at: number): string | null {
    const windows = persons.get(person) ?? { minute: { startedAt: at, count: 0 }, hour: { startedAt: at, count: 0 } };
    persons.set(person, windows);
    const inMinute = count(windows.minute, at, minuteMs);
    const inHour = count(windows.hour, at, hourMs);
    if (perMinute > 0 && inMinute > perMinute) return `over ${perMinute} messages a minute`;
    if (perHour > 0 && inHour > perHour) return `over ${perHour} messages an hour`;
    return null;
  }

  return (person: string, messageId: MessageId, at: number): string | null => {
    if (perMinute === 0 && perHour === 0) return null;
    const known = answers.get(messageId);
    if (known !== undefined) return known;
    const reason = answer(person, at);
    answers.set(messageId, reason);
    return reason;
  };
}

function count(window: Window, at: number, lengthMs: number): number {
  if (at - window.startedAt >= lengthMs) {
    window.startedAt = at;
    window.count = 0;
  }
  window.count += 1;
  return window.count;
}
