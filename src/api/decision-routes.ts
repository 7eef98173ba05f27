import { z } from "zod";
import type { MessageId } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import { decide, type OperatorDecision } from "../journey/decide.ts";
import { type ApiRoute, defineRoute } from "./api-route.ts";
import type { HttpParts } from "./http-parts.ts";
import { messageShape, messageView, stateShape } from "./message-view.ts";
import { pageQuery, pageRequest, pageShape, pageView } from "./pages.ts";

const id = z.strictObject({ id: z.string() });
const decided = z.object({ message: z.string(), state: stateShape }).meta({ id: "Decided" });
const answers = { 200: decided } as const;

/** Messages that want an operator's decision, and the decisions. */
export function decisionRoutes({ store, host }: HttpParts): readonly ApiRoute[] {
  const carryOut = async (message: string, decision: OperatorDecision, by: string) => {
    const state = await decide(message as MessageId, decision, by, { store, host });
    return { status: 200, body: { message, state } } as const;
  };
  return [
    defineRoute({
      method: "GET",
      path: "/api/v1/held",
      name: "listHeld",
      summary: "Messages that wait to be released or rejected, oldest first.",
      access: "key",
      query: z.strictObject(pageQuery),
      answers: { 200: pageShape(messageShape) },
      async handle({ query }) {
        return { status: 200, body: pageView(await store.undecided("held", pageRequest(query)), messageView) };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/dead",
      name: "listDead",
      summary: "Messages that were given up, or of which nobody knows whether they arrived, oldest first.",
      access: "key",
      query: z.strictObject({ ...pageQuery, state: z.enum(["dead", "unknown"]).default("dead") }),
      answers: { 200: pageShape(messageShape) },
      async handle({ query }) {
        return { status: 200, body: pageView(await store.undecided(query.state, pageRequest(query)), messageView) };
      },
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/held/:id/release",
      name: "releaseHeld",
      summary: "Sends a held message on its way, exactly as it is.",
      access: "key",
      params: id,
      answers,
      handle: ({ params, by }) => carryOut(params.id, { kind: "release" }, by),
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/held/:id/reject",
      name: "rejectHeld",
      summary: "Ends a held message here.",
      access: "key",
      params: id,
      body: z.strictObject({ reason: z.string().min(1).max(limits.labelMax) }),
      answers,
      handle: ({ params, body, by }) => carryOut(params.id, { kind: "reject", reason: body.reason }, by),
    }),
    defineRoute({
      method: "POST",
      path: "/api/v1/dead/:id/resubmit",
      name: "resubmitDead",
      summary: "Tries a dead or unknown message again.",
      access: "key",
      params: id,
      answers,
      handle: ({ params, by }) => carryOut(params.id, { kind: "resubmit" }, by),
    }),
  ];
}
