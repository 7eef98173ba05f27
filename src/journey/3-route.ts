import type { Bot } from "../core/bot.ts";
import type { ChannelId } from "../core/ids.ts";
import type { ReviewedMessage } from "../core/reviewed.ts";
import { pickRoute, type Route } from "../core/route.ts";

export type RouteDecision =
  | { readonly kind: "engine"; readonly route: Route }
  /** No turn is taken; the reason is kept with the message. */
  | { readonly kind: "ignore"; readonly reason: string };

/** Stage 3: which engine answers, or why none does. */
export function route(message: ReviewedMessage<"inbound">, channelId: ChannelId, bot: Bot): RouteDecision {
  if (message.notice !== null) return { kind: "ignore", reason: `asks nothing: ${message.notice}` };
  const isEmpty = message.parts.every(
    (part) => part.kind === "unsupported" || (part.kind === "text" && part.text.trim() === ""),
  );
  if (isEmpty) return { kind: "ignore", reason: "nothing in it that the bot could answer" };
  const chosen = pickRoute(bot.routes, channelId, message);
  if (chosen === undefined) return { kind: "ignore", reason: "no route matches" };
  return { kind: "engine", route: chosen };
}
