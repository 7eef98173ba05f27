import cookie from "@fastify/cookie";
import websocket from "@fastify/websocket";
import type { FastifyInstance, FastifyPluginAsync } from "fastify";
import { z } from "zod";
import type { Files } from "../../core/files.ts";
import type { Host } from "../../core/host.ts";
import type { BotId } from "../../core/ids.ts";
import type { Store } from "../../core/store.ts";
import { createPersonPasses } from "./person-passes.ts";
import type { WebChannel } from "./web-channel.ts";
import { createWebFiles, fileRoutes } from "./web-files.ts";
import { newestPage, type Place, placeOf } from "./web-history.ts";
import { webLimits } from "./web-limits.ts";
import { createWebLive, type WebLive } from "./web-live.ts";
import { webMessage } from "./web-message.ts";
import { messageRoutes } from "./web-messages.ts";
import { pageRoutes } from "./web-page.ts";
import { sendProblem, TooManyError } from "./web-problem.ts";
import { createWebVisits, type Visit, type WebVisits } from "./web-visits.ts";

export interface WebRoutesSources {
  readonly channels: ReadonlyMap<BotId, WebChannel>;
  readonly store: Pick<Store, "findMessage" | "findMessages" | "messages" | "transcript" | "watch">;
  readonly files: Files;
  readonly host: Pick<Host, "clock" | "hash">;
  /** At least 32 characters, kept: with another one every browser is somebody new. Throws `SetupError` when too short. */
  readonly cookieSecret: string;
}

/**
 * The chat page of every bot with a web channel, its widget and its protocol (docs/channels/web.md), as a Fastify plugin.
 * A server with sockets of its own registers `@fastify/cookie` and `@fastify/websocket` (with `webLimits.frameBytesMax`)
 * before it: a server can have the second only once.
 */
export function webRoutes(sources: WebRoutesSources): FastifyPluginAsync {
  const passes = createPersonPasses(sources.cookieSecret);
  const visits = createWebVisits({ ...sources, passes });
  const webFiles = createWebFiles(passes);

  return async (app) => {
    if (!app.hasDecorator("parseCookie")) await app.register(cookie);
    if (!app.hasDecorator("websocketServer")) {
      await app.register(websocket, { options: { maxPayload: webLimits.frameBytesMax } });
    }
    app.setErrorHandler(sendProblem);
    app.addHook("onRequest", async (_request, reply) => {
      reply.header("x-content-type-options", "nosniff");
    });
    const live = createWebLive({
      ...sources,
      show: (message, visit) => webMessage(message, (part) => webFiles.urlOf(part, visit)),
    });
    app.addHook("onClose", async () => live.close());

    pageRoutes(app, visits);
    sessionRoutes(app, visits, passes);
    messageRoutes(app, { ...sources, visits, files: webFiles });
    fileRoutes(app, { ...sources, visits, passes, webFiles });
    liveRoute(app, { store: sources.store, visits, live });
  };
}

/** `POST /chat/:bot/session`, for whoever cannot keep a cookie; and leave to read the answers for `allowedOrigins`. */
function sessionRoutes(app: FastifyInstance, visits: WebVisits, passes: ReturnType<typeof createPersonPasses>): void {
  app.post("/chat/:bot/session", async (request, reply) => {
    const channel = visits.admit(request, reply);
    const token = passes.issue();
    return reply.header("cache-control", "no-store").send({ token, person: passes.personRef(channel.id, token) });
  });
  app.options("/chat/:bot/*", async (request, reply) => {
    visits.admit(request, reply);
    return reply
      .code(204)
      .headers({
        "access-control-allow-methods": "GET, POST",
        "access-control-allow-headers": "authorization, content-type",
        "access-control-max-age": "600",
      })
      .send();
  });
}

/** `GET /chat/:bot/live?after=<cursor>`, a WebSocket. Refusals are answers to the handshake. */
function liveRoute(
  app: FastifyInstance,
  { store, visits, live }: { store: WebRoutesSources["store"]; visits: WebVisits; live: WebLive },
): void {
  const visiting = new WeakMap<object, { readonly visit: Visit; readonly place: Place }>();

  app.get(
    "/chat/:bot/live",
    {
      websocket: true,
      preValidation: async (request, reply) => {
        const { after } = z.object({ after: z.string().max(8_192).optional() }).parse(request.query);
        const visit = visits.visitBySocket(request, reply);
        const id = visit.conversationId;
        if (!live.hasRoom(id))
          throw new TooManyError("There are too many connections: close another page of this chat.");
        const place = after === undefined ? (await newestPage(store, id, 1)).place : placeOf(after);
        visiting.set(request, { visit, place });
      },
    },
    (socket, request) => {
      const admitted = visiting.get(request);
      // Others may have come in meanwhile.
      if (admitted === undefined || !live.hasRoom(admitted.visit.conversationId)) socket.close(1013, "try again");
      else live.open(socket, admitted.visit, admitted.place);
    },
  );
}
