import { pino } from "pino";
import type { Log } from "./core/log.ts";

const flushEveryMs = 100;

/** The log of a running server: one JSON line each, on stderr. */
export interface Logger extends Log {
  /** Writes out what is still in memory. */
  flush(): void;
}

/**
 * @param secrets Values that must never be seen: wherever one stands in a line, `[secret]` is written instead. Called for
 *   each line, as the configuration may change.
 */
export function createLogger(level: string, secrets: () => readonly string[]): Logger {
  // Lines of one moment are written together: under load, a call of the operating system for each would cost more than
  // all else that is done for a line.
  const destination = pino.destination({ dest: 2, sync: false, minLength: 8_192, periodicFlush: flushEveryMs });
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => secrets().reduce(without, line) },
    },
    destination,
  );
  return {
    debug: (data, message) => logger.debug(data, message),
    info: (data, message) => logger.info(data, message),
    warn: (data, message) => logger.warn(data, message),
    error: (data, message) => logger.error(data, message),
    flush: () => destination.flushSync(),
  };
}

function without(line: string, secret: string): string {
  return line.includes(secret) ? line.replaceAll(secret, "[secret]") : line;
}
