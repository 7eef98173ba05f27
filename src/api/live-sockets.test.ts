import assert from "node:assert/strict";
import { once } from "node:events";
import { type TestContext, test } from "node:test";
import { WebSocket } from "ws";
import { type ApiWorld, createApiWorld, until } from "../../test/api/api-world.ts";
import { StorageError } from "../core/errors.ts";
import { apiLimits } from "./api-limits.ts";
import type { LiveEvent } from "./live-feed.ts";

interface Listener {
  readonly socket: WebSocket;
  readonly events: LiveEvent[];
}

type LiveWorld = ApiWorld & { listen(query?: string): Promise<Listener>; readonly address: string };

async function listening(t: TestContext): Promise<LiveWorld> {
  const world = await createApiWorld();
  const base = await world.app.listen({ host: "127.0.0.1", port: 0 });
  t.after(() => world.app.close());
  const address = `${base.replace("http", "ws")}/api/v1/live`;
  const headers = { authorization: `Bearer ${world.key}` };
  return {
    ...world,
    address,
    async listen(query = "") {
      const socket = new WebSocket(`${address}${query}`, { headers });
      const events: LiveEvent[] = [];
      socket.on("message", (data) => events.push(JSON.parse(String(data))));
      await once(socket, "open");
      return { socket, events };
    },
  };
}

const say = (world: ApiWorld, person: string, bot = "demo") =>
  world.call("POST", `/api/v1/bots/${bot}/messages`, { person, text: "hello" });

test("what happens to a message is told in order, with where it happens", async (t) => {
  const world = await listening(t);
  const { events } = await world.listen();
  await until(() => world.watching() === 1);
  const { body } = await say(world, "anna");
  await world.rest();
  await until(() => events.length === 5);
  assert.ok(events.every(({ bot, conversation }) => bot === "demo" && conversation === body.conversation));
  const told = events.map((event) => {
    if (event.type === "message") return `${event.type} ${event.message.from} ${event.message.state}`;
    return event.type === "state" ? `${event.type} ${event.state}` : `${event.type} ${event.outcome}`;
  });
  assert.deepEqual(told.slice(0, 1), ["message person received"]);
  assert.deepEqual(told.toSorted(), [
    "delivery delivered",
    "message bot queued",
    "message person received",
    "state answered",
    "state delivered",
  ]);
});

test("a filter lets through only what it names", async (t) => {
  const world = await listening(t);
  const { body } = await say(world, "anna");
  const [all, other, annas] = await Promise.all([
    world.listen(),
    world.listen("?bot=other"),
    world.listen(`?conversation=${body.conversation}`),
  ]);
  await until(() => world.watching() === 1);
  await say(world, "ben");
  await say(world, "anna", "other");
  await world.rest();
  await until(() => all.events.length >= 14);
  await until(() => other.events.length === 5 && annas.events.length === 4);
  assert.ok(other.events.every(({ bot }) => bot === "other"));
  assert.ok(annas.events.every(({ conversation }) => conversation === body.conversation));
});

test("only who has a key may listen; a browser gives it as a protocol", async (t) => {
  const world = await listening(t);
  const refused = async (socket: WebSocket): Promise<number | undefined> => {
    const [, response] = await once(socket, "unexpected-response");
    socket.on("error", () => undefined);
    socket.terminate();
    return response.statusCode;
  };
  assert.equal(await refused(new WebSocket(world.address)), 401);
  assert.equal(await refused(new WebSocket(`${world.address}?key=${world.key}`)), 401);
  assert.equal(await refused(new WebSocket(world.address, ["parley", "bearer.wrong"])), 401);
  const socket = new WebSocket(world.address, ["parley", `bearer.${world.key}`]);
  await once(socket, "open");
  assert.equal(socket.protocol, "parley", "the key is not sent back");
});

test("a filter that is none is refused", async (t) => {
  const { listen } = await listening(t);
  const { socket } = await listen("?everything=yes");
  const [code] = await once(socket, "close");
  assert.equal(code, 1008);
});

test("more sockets than the limit are sent away, and a place is free once one left", async (t) => {
  const { listen, watching } = await listening(t);
  const sockets = await Promise.all(Array.from({ length: apiLimits.liveSocketsMax }, () => listen()));
  const { socket } = await listen();
  assert.equal((await once(socket, "close"))[0], 1013);
  for (const { socket: held } of sockets) held.close();
  await Promise.all(sockets.map(({ socket: held }) => once(held, "close")));
  await until(() => watching() === 0);
  const again = await listen();
  assert.equal(again.socket.readyState, WebSocket.OPEN);
});

test("a reader that is too slow is sent away rather than kept in memory", async (t) => {
  const world = await listening(t);
  const { socket } = await world.listen();
  await until(() => world.watching() === 1);
  socket.pause();
  const [server] = world.app.websocketServer.clients;
  assert.ok(server !== undefined);
  Object.defineProperty(server, "bufferedAmount", { value: apiLimits.liveUnsentBytesMax + 1 });
  await say(world, "anna");
  await until(() => world.watching() === 0);
  socket.resume();
  assert.equal((await once(socket, "close"))[0], 1013);
});

test("a listener is told when something had to be left out", async (t) => {
  const world = await listening(t);
  await say(world, "anna");
  const { socket } = await world.listen();
  await until(() => world.watching() === 1);
  world.storage.findConversation = () => Promise.reject(new StorageError("the disk is gone"));
  await world.rest();
  assert.equal((await once(socket, "close"))[0], 1013);
});

test("a socket that does not answer a ping is ended; one that does stays", async (t) => {
  const world = await listening(t);
  const alive = await world.listen();
  const silent = await world.listen();
  await until(() => world.watching() === 1);
  silent.socket.pause();
  const ping = once(alive.socket, "ping");
  world.host.advance(apiLimits.livePingMs);
  await ping;
  await until(() => world.app.websocketServer.clients.size === 2);
  await once([...world.app.websocketServer.clients][0] as WebSocket, "pong");
  world.host.advance(apiLimits.livePingMs);
  await until(() => world.app.websocketServer.clients.size === 1);
  assert.equal(alive.socket.readyState, WebSocket.OPEN);
  silent.socket.terminate();
});

test("a server that stops lets its listeners go, and ends who does not leave", async (t) => {
  const world = await listening(t);
  const polite = await world.listen();
  const stubborn = await world.listen();
  stubborn.socket.pause();
  const left = once(polite.socket, "close");
  const closed = world.app.close();
  await left;
  await until(() => world.host.timerCount > 0);
  world.host.advance(apiLimits.socketCloseMs);
  await closed;
  stubborn.socket.terminate();
  await until(() => world.watching() === 0);
});
