/** Structured log lines: data first, then a sentence. Whoever writes them leaves out secrets and persons' words. */
export interface Log {
  debug(data: object, message: string): void;
  info(data: object, message: string): void;
  warn(data: object, message: string): void;
  error(data: object, message: string): void;
}
