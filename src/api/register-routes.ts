import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { z } from "zod";
import { InputError } from "../core/errors.ts";
import type { KeyRing } from "./api-keys.ts";
import { apiLimits } from "./api-limits.ts";
import type { ApiRoute } from "./api-route.ts";
import { authorize } from "./bearer.ts";

/** Registers what the routes describe. A caller is known before a byte of the body is read. */
export async function registerRoutes(app: FastifyInstance, routes: readonly ApiRoute[], keys: KeyRing): Promise<void> {
  app.decorateRequest("by", "");
  for (const route of routes) if (route.body !== "file") register(app, route, keys);
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, body, done) => done(null, body));
    for (const route of routes) if (route.body === "file") register(scope, route, keys);
  });
}

function register(app: FastifyInstance, route: ApiRoute, keys: KeyRing): void {
  const { method, path: url, access, openSocket } = route;
  app.route({
    method,
    url,
    async onRequest(request) {
      request.setDecorator("by", await authorize(request, access, keys));
    },
    handler: (request, reply) => handle(route, request, reply),
    ...(openSocket === undefined ? {} : { wsHandler: (socket, { query }) => openSocket(socket, query) }),
  });
}

async function handle(route: ApiRoute, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { params, query, body } = route;
  const hungUp = new AbortController();
  // Not the request's own signal: that one aborts as soon as the body was read.
  reply.raw.once("close", () => hungUp.abort());
  const {
    status,
    body: answer,
    headers = {},
  } = await route.handle({
    params: checked(request.params, params),
    query: checked(request.query, query),
    body: body === "file" ? (request.body ?? request.raw) : checked(request.body, body),
    by: request.getDecorator<string>("by"),
    signal: hungUp.signal,
    request,
  });
  const type = route.answers[status];
  if (typeof type === "string") reply.type(type);
  return reply.code(status).headers(headers).send(answer);
}

/** What the shape makes of the value. Throws `InputError` that says where and what, never the values: they may be secret. */
function checked(value: unknown, shape: z.ZodType | undefined): unknown {
  const { data, error } = shape?.safeParse(value) ?? {};
  if (error === undefined) return data;
  const mistakes = error.issues
    .slice(0, apiLimits.mistakesMax)
    .map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  throw new InputError("invalid_input", mistakes.join("; "), { cause: error });
}
