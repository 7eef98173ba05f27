import { z } from "zod";
import type { StorageStatus } from "../core/store.ts";
import { type ApiRoute, defineRoute, type Frozen } from "./api-route.ts";
import { homePage, pageHeaders } from "./home-page.ts";
import { type HttpParts, webChannelOf } from "./http-parts.ts";
import { pageShape } from "./pages.ts";

const checks = z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string().nullable() }));
const readiness = z.object({ ready: z.boolean(), checks }).meta({ id: "Readiness" });
const queue = z.object({ jobs: z.number(), lanes: z.number(), leased: z.number(), oldestMs: z.number() });
const status = z
  .object({
    queues: z.object({ inbox: queue, outbox: queue }),
    held: z.number(),
    dead: z.number(),
    unknown: z.number(),
    conversations: z.number(),
    messages: z.number(),
  })
  .extend(readiness.shape)
  .meta({ id: "Status" });
const bot = z
  .object({ id: z.string(), name: z.string(), channels: z.array(z.object({ id: z.string(), platform: z.string() })) })
  .meta({ id: "Bot" });

/** How the server is, and what it has. */
export function systemRoutes(parts: HttpParts): readonly ApiRoute[] {
  const { store, directory } = parts;
  const look = async () => {
    const found = await parts.readiness();
    return { ready: found.every(({ ok }) => ok), checks: found };
  };
  return [
    ...probeRoutes(parts, look),
    defineRoute({
      method: "GET",
      path: "/api/v1/status",
      name: "getStatus",
      summary: "What waits, what is kept, and whether all is well.",
      access: "key",
      answers: { 200: status },
      async handle() {
        return { status: 200, body: { ...(await store.status()), ...(await look()) } };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/bots",
      name: "listBots",
      summary: "The bots and their channels.",
      access: "key",
      answers: { 200: pageShape(bot) },
      async handle() {
        const items = directory.bots().map(({ id, name }) => {
          const channels = directory.channels().filter(({ botId }) => botId === id);
          return { id, name, channels: channels.map((channel) => ({ id: channel.id, platform: channel.platform })) };
        });
        return { status: 200, body: { items, next: null } };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/",
      name: "showHome",
      summary: "A page with links.",
      access: "open",
      answers: { 200: "text/html" },
      async handle() {
        const bots = directory.bots().filter((bot) => webChannelOf(directory, bot) !== undefined);
        return { status: 200, body: homePage(bots), headers: pageHeaders };
      },
    }),
  ];
}

function probeRoutes(
  { store, metrics, log }: HttpParts,
  look: () => Promise<Frozen<z.infer<typeof readiness>>>,
): readonly ApiRoute[] {
  return [
    defineRoute({
      method: "GET",
      path: "/healthz",
      name: "isAlive",
      summary: "Answers while the process is alive.",
      access: "open",
      answers: { 200: z.object({ ok: z.literal(true) }) },
      async handle() {
        return { status: 200, body: { ok: true } };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/readyz",
      name: "isReady",
      summary: "Whether Parley can do its work now.",
      access: "open",
      answers: { 200: readiness, 503: readiness },
      async handle() {
        const body = await look();
        return { status: body.ready ? 200 : 503, body };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/metrics",
      name: "getMetrics",
      summary: "Counts and durations for Prometheus. Needs no key from the machine itself.",
      access: "local",
      answers: { 200: "text/plain" },
      async handle() {
        let found: StorageStatus | undefined;
        try {
          found = await store.status();
        } catch (error) {
          // A storage in trouble is when somebody looks at the other numbers.
          log.warn({ err: error }, "the metrics are without what the storage knows");
        }
        return { status: 200, body: await metrics.render(found), headers: { "content-type": metrics.contentType } };
      },
    }),
  ];
}
