import { createServer, type IncomingMessage, type ServerResponse } from "node:http";

/** What the benchmark tells a peer by its environment. */
export const settings = {
  apiRoot: setting("BENCH_API_ROOT"),
  port: Number(setting("BENCH_PORT")),
  token: setting("BENCH_TOKEN"),
  secret: setting("BENCH_SECRET"),
  /** Empty where the peer needs no Redis. */
  redisUrl: process.env.BENCH_REDIS_URL ?? "",
  /** Keeps the keys of this run apart on a Redis that others use as well. */
  keyPrefix: `parley-bench-${process.pid}`,
};

function setting(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is not set. The peers are started by bench/run.ts.`);
  return value;
}

/** For BullMQ, which wants a host and a port. */
export function bullmqConnection(): { host: string; port: number; password: string } {
  const { hostname, port, password } = new URL(settings.redisUrl);
  return { host: hostname, port: Number(port || 6379), password: decodeURIComponent(password) };
}

/** The answer of Parley's `local` model, so that all systems say the same. */
export function answerTo(text: string): string {
  return `I received your message: '${text}'. This is a test response from the local engine.`;
}

/** Serves the webhook at any path but `/readyz`, which says 200 from the start. */
export function serve(webhook: (request: IncomingMessage, response: ServerResponse) => unknown): void {
  const server = createServer((request, response) => {
    if (request.url === "/readyz") response.end();
    else webhook(request, response);
  });
  server.listen(settings.port, "127.0.0.1");
}
