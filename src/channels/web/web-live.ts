import type { Change } from "../../core/change.ts";
import { InputError } from "../../core/errors.ts";
import type { Cancel, Host } from "../../core/host.ts";
import type { ConversationId, MessageId } from "../../core/ids.ts";
import { type Message, messageMoves } from "../../core/message.ts";
import type { Store } from "../../core/store.ts";
import { createReader, cursorOf, type HistoryStore, type Place } from "./web-history.ts";
import { webLimits } from "./web-limits.ts";
import type { WebMessage } from "./web-message.ts";
import type { Visit } from "./web-visits.ts";

/** What a page is sent on its socket. */
type LiveEvent =
  | { readonly type: "message"; readonly message: WebMessage; readonly cursor: string }
  | { readonly type: "state"; readonly id: MessageId; readonly state: string; readonly cursor: string }
  | { readonly type: "typing" }
  /** Nothing happened; a page that hears nothing for long knows by its absence that the line is dead. */
  | { readonly type: "ping" };

/** What is needed of a WebSocket of `ws`. */
interface LiveSocket {
  readonly bufferedAmount: number;
  send(data: string, sent: (error?: Error) => void): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
  on(event: "close" | "pong", listener: () => void): unknown;
}

export interface WebLive {
  /** Whether this person may open one more socket. */
  hasRoom(conversationId: ConversationId): boolean;
  /** Sends everything since `place`, then what happens, until the socket closes. */
  open(socket: LiveSocket, visit: Visit, place: Place): void;
  /** Stops listening to the storage. */
  close(): void;
}

export interface WebLiveSources {
  readonly store: HistoryStore & Pick<Store, "watch">;
  readonly host: Pick<Host, "clock">;
  /** A message as this visitor reads it. */
  readonly show: (message: Message, visit: Visit) => WebMessage;
}

/**
 * The sockets of this process. A socket is told nothing: it is woken, and reads on from where it stands. So what was missed
 * while it was away and what happens now come by the same way, and there is no seam between them where something could
 * fall through or come twice.
 */
export function createWebLive(sources: WebLiveSources): WebLive {
  const { store } = sources;
  const wakes = new Map<ConversationId, Set<() => void>>();
  /** Conversations of messages that may still change, as a change of state names only the message. */
  const owners = new Map<MessageId, ConversationId>();
  let sockets = 0;

  const notice = (change: Change): ConversationId | undefined => {
    if (change.kind === "message" && wakes.has(change.message.conversationId)) {
      owners.set(change.message.id, change.message.conversationId);
      return change.message.conversationId;
    }
    if (change.kind !== "state") return undefined;
    const owner = owners.get(change.messageId);
    if (messageMoves[change.to].length === 0) owners.delete(change.messageId);
    return owner;
  };

  const unwatch = store.watch((changes) => {
    const woken = new Set(changes.map(notice));
    for (const id of woken) {
      for (const wake of (id && wakes.get(id)) ?? []) wake();
    }
  });

  const leave = (id: ConversationId, wake: () => void) => {
    sockets -= 1;
    const others = wakes.get(id);
    others?.delete(wake);
    if (others === undefined || others.size > 0) return;
    wakes.delete(id);
    for (const [messageId, owner] of owners) if (owner === id) owners.delete(messageId);
  };

  return {
    hasRoom: (id) => (wakes.get(id)?.size ?? 0) < webLimits.socketsPerPersonMax && sockets < webLimits.socketsMax,

    open(socket, visit, place) {
      const id = visit.conversationId;
      const session = runSession(socket, visit, place, sources, (open) => {
        for (const messageId of open.keys()) owners.set(messageId, id);
      });
      sockets += 1;
      wakes.set(id, (wakes.get(id) ?? new Set()).add(session.wake));
      socket.on("close", () => {
        session.end();
        leave(id, session.wake);
      });
      session.wake();
    },

    close: unwatch,
  };
}

function runSession(
  socket: LiveSocket,
  visit: Visit,
  place: Place,
  { store, host, show }: WebLiveSources,
  noteOpen: (open: Place["open"]) => void,
): { wake(): void; end(): void } {
  const reader = createReader(store, visit.conversationId, place);
  let hasEnded = false;
  let isReading = false;
  let isWoken = false;
  let pollMs = 0;
  let cancelPoll: Cancel = () => undefined;

  /** A slow reader slows only its own reading: no more than one message is ever kept for it. */
  const send = (event: LiveEvent) =>
    new Promise<void>((resolve, reject) => {
      socket.send(JSON.stringify(event), (error) => (error ? reject(error) : resolve()));
    });

  const read = async () => {
    while (isWoken && !hasEnded) {
      isWoken = false;
      for await (const { kind, message } of reader.read()) {
        if (hasEnded) return;
        const cursor = cursorOf(reader.place());
        if (kind === "message") await send({ type: "message", message: show(message, visit), cursor });
        else await send({ type: "state", id: message.id, state: message.state, cursor });
      }
    }
    if (hasEnded) return;
    const { open } = reader.place();
    noteOpen(open);
    pollMs = isUnderWay(open) ? webLimits.pollFirstMs : Math.min(pollMs * 2, webLimits.pollLongestMs);
    cancelPoll = host.clock.after(pollMs, look);
  };

  const look = () => {
    isWoken = true;
    if (isReading) return;
    isReading = true;
    cancelPoll();
    read().then(
      () => {
        isReading = false;
      },
      (error) => {
        // The page comes back with its cursor, or without it when that is what is wrong.
        if (error instanceof InputError) socket.close(4400, error.code);
        else socket.close(1013, "try again");
      },
    );
  };

  const stopTyping = visit.channel.watchTyping(visit.conversationId, () => hint(socket, { type: "typing" }));
  const stopPinging = keepAlive(socket, host);
  return {
    wake() {
      pollMs = webLimits.pollFirstMs / 2;
      look();
    },
    end() {
      hasEnded = true;
      cancelPoll();
      stopTyping();
      stopPinging();
    },
  };
}

/** Whether something is being worked on, so that there will soon be news. */
function isUnderWay(open: Place["open"]): boolean {
  const states = [...open.values()];
  return states.includes("received") || states.includes("queued");
}

/** For what may be lost: not sent to a socket that is behind. */
function hint(socket: LiveSocket, event: LiveEvent): void {
  if (socket.bufferedAmount === 0) socket.send(JSON.stringify(event), () => undefined);
}

function keepAlive(socket: LiveSocket, { clock }: Pick<Host, "clock">): Cancel {
  let isAlive = true;
  let cancel: Cancel;
  socket.on("pong", () => {
    isAlive = true;
  });
  const ask = () => {
    if (!isAlive) {
      socket.terminate();
      return;
    }
    isAlive = false;
    socket.ping();
    hint(socket, { type: "ping" });
    cancel = clock.after(webLimits.pingMs, ask);
  };
  cancel = clock.after(webLimits.pingMs, ask);
  return () => cancel();
}
