import { createServer } from "node:http";
import websocket from "@fastify/websocket";
import { type FastifyBaseLogger, type FastifyInstance, type FastifyReply, fastify, LogController } from "fastify";
import type { Cancel } from "../core/host.ts";
import { limits } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import { AnswerWaits } from "./answer-waits.ts";
import { KeyRing } from "./api-keys.ts";
import { apiLimits } from "./api-limits.ts";
import type { ApiRoute } from "./api-route.ts";
import { conversationRoutes } from "./conversation-routes.ts";
import { decisionRoutes } from "./decision-routes.ts";
import { documentRoutes } from "./document-routes.ts";
import { fileRoutes } from "./file-routes.ts";
import type { HttpParts } from "./http-parts.ts";
import { LiveFeed } from "./live-feed.ts";
import { liveRoute } from "./live-route.ts";
import { LiveSockets } from "./live-sockets.ts";
import { messageRoutes } from "./message-routes.ts";
import { type Problem, problem, problemOf } from "./problems.ts";
import { registerRoutes } from "./register-routes.ts";
import { systemRoutes } from "./system-routes.ts";
import { createWebhookHandler, isWebhookUrl } from "./webhooks.ts";

/**
 * Everything that Parley answers over HTTP: webhooks, the API (docs/api.md), and what `registerExtra` adds. Does not
 * listen yet. Closing it ends what waits and what is live.
 */
export function createHttpServer(parts: HttpParts): FastifyInstance {
  const { store, host, log } = parts;
  const waits = new AnswerWaits(store, host.clock);
  const sockets = new LiveSockets(new LiveFeed(store, host), host.clock);
  const described = [
    ...messageRoutes(parts, waits),
    ...conversationRoutes(parts),
    ...decisionRoutes(parts),
    ...fileRoutes(parts),
    ...systemRoutes(parts),
    liveRoute(sockets),
  ];
  const routes = [...described, ...documentRoutes(described)];

  const app = createApp(parts);
  takeJson(app);
  secure(app);
  answerFailures(app, routes, log);
  app.register(websocket, { options: { maxPayload: apiLimits.frameBytesMax } });
  app.register(async (scope) => registerRoutes(scope, routes, new KeyRing(store, host)));
  app.register(async (scope) => parts.registerExtra(scope));

  let cancel: Cancel = () => undefined;
  app.addHook("preClose", async () => {
    waits.close();
    cancel = host.clock.after(apiLimits.socketCloseMs, () => {
      for (const socket of app.websocketServer.clients) socket.terminate();
      // A browser opens connections on which it never says anything; they would keep the server for good.
      app.server.closeAllConnections();
    });
  });
  app.addHook("onClose", async () => cancel());
  return app;
}

function createApp(parts: HttpParts): FastifyInstance {
  const webhook = createWebhookHandler(parts);
  return fastify({
    bodyLimit: limits.bodyBytesMax,
    genReqId: () => parts.host.newId("req"),
    loggerInstance: failureLog(parts.log),
    logController: new LogController({ disableRequestLogging: true }),
    frameworkErrors: (error, _request, reply) => send(problemOf(error), reply),
    serverFactory(handler) {
      const { headersMs, requestMs, keepAliveMs, connectionsMax } = apiLimits;
      const server = createServer(
        { headersTimeout: headersMs, requestTimeout: requestMs, keepAliveTimeout: keepAliveMs },
        (request, response) => (isWebhookUrl(request.url) ? webhook(request, response) : handler(request, response)),
      );
      server.maxConnections = connectionsMax;
      return server;
    },
  });
}

/** JSON is the only body, but where a route says otherwise. */
function takeJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser("error", "error");
  app.removeContentTypeParser("text/plain");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (request, body, done) => {
    // Many clients name the type of a body that is not there.
    if (body === "") done(null, undefined);
    else parse(request, String(body), done);
  });
}

const safeHeaders = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
} as const;

/** Headers that make a browser careful, unless a route knows better, and an id to ask about a request by. */
function secure(app: FastifyInstance): void {
  app.addHook("onSend", (request, reply, _payload, done) => {
    reply.header("x-request-id", request.id);
    for (const [name, value] of Object.entries(safeHeaders)) {
      if (!reply.hasHeader(name)) reply.header(name, value);
    }
    if (request.url.startsWith("/api/")) reply.header("cache-control", "no-store");
    done();
  });
}

function answerFailures(app: FastifyInstance, routes: readonly ApiRoute[], log: Log): void {
  app.setErrorHandler((error, request, reply) => {
    const found = problemOf(error);
    // Who hung up in the middle is not answered, and nothing failed here.
    const isGone = request.raw.destroyed && !request.raw.complete;
    if (found.status >= 500 && !isGone) {
      log.error({ request: request.id, route: request.routeOptions.url, err: error }, "a call of the API failed");
    }
    return send(found, reply);
  });
  app.setNotFoundHandler((request, reply) => {
    const allowed = allowedMethods(routes, request.url);
    if (allowed.length === 0) return send(problem("not_found", "There is nothing at this address."), reply);
    reply.header("allow", allowed.join(", "));
    if (request.method === "OPTIONS") return reply.code(204).send();
    return send(problem("method_not_allowed", `This address takes only ${allowed.join(", ")}.`), reply);
  });
}

function allowedMethods(routes: readonly ApiRoute[], url: string): readonly string[] {
  const [path = ""] = url.split("?");
  const segments = path.split("/");
  const matching = routes.filter((route) => {
    const expected = route.path.split("/");
    return (
      expected.length === segments.length &&
      expected.every((segment, index) => segment.startsWith(":") || segment === segments[index])
    );
  });
  return matching.flatMap(({ method }) => (method === "GET" ? ["GET", "HEAD"] : [method]));
}

function send(found: Problem, reply: FastifyReply): FastifyReply {
  if (found.status === 401) reply.header("www-authenticate", 'Bearer realm="parley"');
  if (found.status === 429 || found.status === 503) reply.header("retry-after", "1");
  return reply.code(found.status).type("application/problem+json").send(found);
}

/** What Fastify and its plugins have to tell: failures, without the request, whose address may carry a secret. */
function failureLog(log: Log, requestId?: string): FastifyBaseLogger {
  const failed = (first: unknown, message = "an error while answering"): void => {
    const err =
      first instanceof Error || typeof first !== "object" || first === null ? first : Reflect.get(first, "err");
    log.error({ request: requestId, err }, message);
  };
  const ignore = (): void => undefined;
  return {
    level: "error",
    fatal: failed,
    error: failed,
    warn: ignore,
    info: ignore,
    debug: ignore,
    trace: ignore,
    silent: ignore,
    child: (bindings) => failureLog(log, String(bindings.reqId)),
  };
}
