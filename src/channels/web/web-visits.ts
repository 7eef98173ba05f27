import type { FastifyReply, FastifyRequest } from "fastify";
import { conversationIdOf } from "../../core/conversation.ts";
import { InputError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import type { BotId, ConversationId } from "../../core/ids.ts";
import type { PersonPasses } from "./person-passes.ts";
import type { WebChannel } from "./web-channel.ts";
import { webLimits } from "./web-limits.ts";

/** Who asks, and for which bot. */
export interface Visit {
  readonly channel: WebChannel;
  readonly personRef: string;
  /** Their one conversation with this bot, whether it has begun or not. */
  readonly conversationId: ConversationId;
}

export interface WebVisits {
  /** The channel that the path names. Throws `InputError` `not_found`. */
  channel(request: FastifyRequest): WebChannel;
  /**
   * As `channel`, refusing other sites' scripts but those of `allowedOrigins`, which may read the answer.
   * Throws `InputError` `forbidden`.
   */
  admit(request: FastifyRequest, reply: FastifyReply): WebChannel;
  /**
   * As `admit`, and who it is. A browser without a pass, or with a forged one, becomes somebody new and is told so by
   * cookie; a bearer that is not ours is an `InputError` `unauthorized`.
   */
  visit(request: FastifyRequest, reply: FastifyReply): Visit;
  /** As `visit`, for a socket: on those nobody can become somebody new. */
  visitBySocket(request: FastifyRequest, reply: FastifyReply): Visit;
  /** Gives a browser the cookie by which it is known, for another year where it has one. */
  welcome(request: FastifyRequest, reply: FastifyReply, channel: WebChannel): void;
}

const cookieName = "parley_person";

export function createWebVisits({
  channels,
  passes,
  host,
}: {
  channels: ReadonlyMap<BotId, WebChannel>;
  passes: PersonPasses;
  host: Pick<Host, "hash">;
}): WebVisits {
  const channel = (request: FastifyRequest): WebChannel => {
    const { bot } = request.params as { readonly bot: string };
    const found = channels.get(bot as BotId);
    if (found === undefined) throw new InputError("not_found", "There is no bot of this name with a web channel.");
    return found;
  };

  const admit = (request: FastifyRequest, reply: FastifyReply): WebChannel => {
    const admitted = channel(request);
    const { origin } = request.headers;
    if (origin === undefined || hostOf(origin) === request.host) return admitted;
    if (!admitted.options.allowedOrigins.includes(origin)) {
      throw new InputError(
        "forbidden",
        "This site may not use the chat: add its origin to allowedOrigins. Behind a proxy, pass the Host header on.",
      );
    }
    reply.header("access-control-allow-origin", origin).header("vary", "origin");
    return admitted;
  };

  /** Undefined for a browser that is not known; throws for a bearer that is not ours. */
  const known = (request: FastifyRequest, at: WebChannel): string | undefined => {
    const bearer = bearerOf(request);
    if (bearer === undefined) return passes.personRef(at.id, request.cookies[cookieName]);
    const personRef = passes.personRef(at.id, bearer);
    if (personRef === undefined) {
      throw new InputError("unauthorized", "The token is not one of ours: get one with POST /chat/<bot>/session.");
    }
    return personRef;
  };

  const setCookie = (reply: FastifyReply, pass: string) =>
    reply.setCookie(cookieName, pass, {
      path: "/",
      httpOnly: true,
      sameSite: "lax",
      // A proxy that ends TLS says so; who makes it up harms only their own cookie.
      secure: [reply.request.protocol, reply.request.headers["x-forwarded-proto"]].includes("https"),
      maxAge: webLimits.cookieSeconds,
    });

  const newcomer = (reply: FastifyReply, at: WebChannel): string | undefined => {
    const pass = passes.issue();
    setCookie(reply, pass);
    return passes.personRef(at.id, pass);
  };

  const visitOf = (at: WebChannel, personRef: string | undefined): Visit => {
    if (personRef === undefined) {
      throw new InputError("unauthorized", "Nobody is known by this cookie: open the chat page or get a token first.");
    }
    return { channel: at, personRef, conversationId: conversationIdOf(at.id, personRef, host) };
  };

  return {
    channel,
    admit,
    visit(request, reply) {
      const at = admit(request, reply);
      return visitOf(at, known(request, at) ?? newcomer(reply, at));
    },
    visitBySocket(request, reply) {
      const at = admit(request, reply);
      return visitOf(at, known(request, at));
    },
    welcome(request, reply, at) {
      const pass = request.cookies[cookieName];
      if (pass !== undefined && passes.personRef(at.id, pass) !== undefined) setCookie(reply, pass);
      else newcomer(reply, at);
    },
  };
}

/** From the header, or, as browsers cannot set one on a socket, from the subprotocols `parley, <token>`. */
function bearerOf(request: FastifyRequest): string | undefined {
  const [scheme, token] = request.headers.authorization?.split(" ") ?? [];
  if (scheme?.toLowerCase() === "bearer") return token ?? "";
  const [protocol, pass] = request.headers["sec-websocket-protocol"]?.split(",") ?? [];
  return protocol?.trim() === "parley" ? pass?.trim() : undefined;
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}
