import type { Readable } from "node:stream";
import type { WebSocket } from "@fastify/websocket";
import type { FastifyRequest } from "fastify";
import type { z } from "zod";

/** A value nobody changes, all the way down. */
export type Frozen<Value> = Value extends readonly (infer Item)[]
  ? readonly Frozen<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: Frozen<Value[Name]> }
    : Value;

/** What a route may answer, by status: a schema for JSON, or the media type of anything else. */
export type Answers = Readonly<Record<number, z.ZodType | string>>;

/** One of `Answers`, filled in. */
export type AnswerOf<All extends Answers> = {
  readonly [Status in keyof All]: {
    readonly status: Status;
    readonly body: All[Status] extends z.ZodType ? Frozen<z.input<All[Status]>> : string | Readable | null;
    readonly headers?: Readonly<Record<string, string>>;
  };
}[keyof All];

export interface Call<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  /** The name of the caller's key; empty on a route that asks for none. */
  readonly by: string;
  /** Aborts when the caller hung up. */
  readonly signal: AbortSignal;
  readonly request: FastifyRequest;
}

interface RouteBasics {
  readonly method: "GET" | "POST" | "PUT";
  /** As Fastify writes it: `/api/v1/bots/:bot/messages`. */
  readonly path: string;
  /** For the OpenAPI document: `sendMessage`. */
  readonly name: string;
  /** A sentence. */
  readonly summary: string;
  /** Who may call: who has a key, anyone, or anyone on this machine and else who has a key. */
  readonly access: "key" | "open" | "local";
}

/** A call of the API: registered and documented from this one description, so that the two cannot differ. */
export interface ApiRoute extends RouteBasics {
  readonly params: z.ZodObject | undefined;
  readonly query: z.ZodObject | undefined;
  /** `file`: the raw body, not parsed, as a stream. */
  readonly body: z.ZodType | "file" | undefined;
  readonly answers: Answers;
  handle(call: Call<unknown, unknown, unknown>): Promise<AnswerOf<Answers>>;
  /** For a call that asks for a WebSocket; `query` is what the caller sent, not checked. */
  readonly openSocket?: (socket: WebSocket, query: unknown) => void;
}

type Nothing = z.ZodObject<Record<never, never>>;

/** Describes a route. What `handle` gets and may answer follows from the schemas. */
export function defineRoute<
  const All extends Answers,
  Params extends z.ZodObject = Nothing,
  Query extends z.ZodObject = Nothing,
  Body extends z.ZodType | "file" = z.ZodUndefined,
>(
  route: RouteBasics & {
    readonly params?: Params;
    readonly query?: Query;
    readonly body?: Body;
    readonly answers: All;
    readonly openSocket?: ApiRoute["openSocket"];
    handle(
      call: Call<z.output<Params>, z.output<Query>, Body extends z.ZodType ? z.output<Body> : Readable>,
    ): Promise<AnswerOf<All>>;
  },
): ApiRoute {
  const { params, query, body } = route;
  // The server parses with these very schemas before it calls.
  return { ...route, params, query, body, handle: route.handle as ApiRoute["handle"] } as ApiRoute;
}
