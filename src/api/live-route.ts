import { z } from "zod";
import { limits } from "../core/limits.ts";
import { type ApiRoute, defineRoute } from "./api-route.ts";
import type { LiveSockets } from "./live-sockets.ts";
import { ProblemError } from "./problems.ts";

const id = z.string().min(1).max(limits.labelMax).optional();
const query = z.strictObject({ bot: id, conversation: id });

/** What happens, as it happens. */
export function liveRoute(sockets: LiveSockets): ApiRoute {
  return defineRoute({
    method: "GET",
    path: "/api/v1/live",
    name: "watchLive",
    summary: "A WebSocket that tells what happens, as it happens.",
    access: "key",
    query,
    answers: { 101: "" },
    async handle() {
      throw new ProblemError(
        "upgrade_required",
        "This address speaks WebSocket only: connect with a WebSocket client.",
      );
    },
    openSocket(socket, sent) {
      const filter = query.safeParse(sent);
      if (!filter.success) socket.close(1008, "the filter may have a bot and a conversation");
      else if (sockets.isFull) socket.close(1013, "too many sockets");
      else sockets.add(socket, filter.data);
    },
  });
}
