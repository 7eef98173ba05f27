import type { WebSocket } from "@fastify/websocket";
import type { Cancel, Clock } from "../core/host.ts";
import { apiLimits } from "./api-limits.ts";
import type { LiveEvent, LiveFeed } from "./live-feed.ts";

/** What a socket wants to hear of: all that is given must match. */
export interface LiveFilter {
  readonly bot?: string | undefined;
  readonly conversation?: string | undefined;
}

/** The sockets of `/api/v1/live`. A slow reader is sent away rather than kept in memory. */
export class LiveSockets {
  readonly #feed: LiveFeed;
  readonly #clock: Clock;
  readonly #sockets = new Map<WebSocket, { readonly filter: LiveFilter; isAlive: boolean }>();
  #stopListening: (() => void) | undefined;
  #cancelPing: Cancel | undefined;

  constructor(feed: LiveFeed, clock: Clock) {
    this.#feed = feed;
    this.#clock = clock;
  }

  get isFull(): boolean {
    return this.#sockets.size >= apiLimits.liveSocketsMax;
  }

  add(socket: WebSocket, filter: LiveFilter): void {
    const entry = { filter, isAlive: true };
    this.#sockets.set(socket, entry);
    socket.on("pong", () => {
      entry.isAlive = true;
    });
    socket.on("close", () => this.#remove(socket));
    this.#stopListening ??= this.#feed.listen({ tell: (event) => this.#tell(event), lost: () => this.#closeAll() });
    this.#cancelPing ??= this.#clock.after(apiLimits.livePingMs, () => this.#ping());
  }

  #tell(event: LiveEvent): void {
    const text = JSON.stringify(event);
    for (const [socket, { filter }] of this.#sockets) {
      if (filter.bot !== undefined && filter.bot !== event.bot) continue;
      if (filter.conversation !== undefined && filter.conversation !== event.conversation) continue;
      if (socket.bufferedAmount > apiLimits.liveUnsentBytesMax) this.#sendAway(socket, "too slow");
      else socket.send(text);
    }
  }

  #closeAll(): void {
    for (const socket of this.#sockets.keys()) this.#sendAway(socket, "some events were left out");
  }

  /** 1013: try again later. */
  #sendAway(socket: WebSocket, why: string): void {
    this.#remove(socket);
    socket.close(1013, why);
  }

  #ping(): void {
    this.#cancelPing = this.#clock.after(apiLimits.livePingMs, () => this.#ping());
    for (const [socket, entry] of this.#sockets) {
      if (!entry.isAlive) {
        socket.terminate();
      } else {
        entry.isAlive = false;
        socket.ping();
      }
    }
  }

  #remove(socket: WebSocket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0) return;
    this.#stopListening?.();
    this.#stopListening = undefined;
    this.#cancelPing?.();
    this.#cancelPing = undefined;
  }
}
