import { createServer, type Server, type Socket } from "node:net";
import { listenOnFreePort } from "./child.ts";

export interface FakeBotApi {
  readonly url: string;
  /** Called with the text of every `sendMessage`, before it is answered. */
  onMessage: (text: string) => void;
  close(): Promise<void>;
}

const me = { id: 1, is_bot: true, first_name: "Bench", username: "bench_bot", can_join_groups: true };

/**
 * A Bot API that says yes at once to whatever it is told. Raw sockets, as it shares two cores with the system that is
 * measured; it reads just enough HTTP for clients that send a `content-length`.
 */
export async function startFakeBotApi(): Promise<FakeBotApi> {
  const sockets = new Set<Socket>();
  let messageId = 1_000_000;
  const answer = (method: string, body: string): string => {
    if (method === "getMe") return ok(JSON.stringify(me));
    if (method === "getWebhookInfo") return ok('{"url":"https://bench.test/","pending_update_count":0}');
    if (method !== "sendMessage") return ok("true");
    const { chat_id, text } = JSON.parse(body) as { chat_id: number | string; text: string };
    api.onMessage(text);
    const date = Math.floor(Date.now() / 1_000);
    const chat = `{"id":${chat_id},"type":"private","first_name":"Test"}`;
    const from = '{"id":1,"is_bot":true,"first_name":"Bench"}';
    const quoted = JSON.stringify(text);
    return ok(`{"message_id":${messageId++},"from":${from},"date":${date},"chat":${chat},"text":${quoted}}`);
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on("close", () => sockets.delete(socket));
    // A system that is ended cuts its connections; what it did not deliver shows in the tally.
    socket.on("error", () => socket.destroy());
    let rest = "";
    socket.on("data", (chunk: Buffer) => {
      rest += chunk.toString("latin1");
      for (let request = cutRequest(rest); request !== undefined; request = cutRequest(rest)) {
        rest = request.rest;
        socket.write(answer(request.method, request.body), "latin1");
      }
    });
  });
  const port = await listenOnFreePort(server);
  const api: FakeBotApi = {
    url: `http://127.0.0.1:${port}`,
    onMessage: () => undefined,
    close: () =>
      new Promise((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
  return api;
}

function ok(result: string): string {
  const body = `{"ok":true,"result":${result}}`;
  return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body, "latin1")}\r\n\r\n${body}`;
}

/** The first whole request of `buffered`, as Latin-1, in which a character is a byte. */
function cutRequest(buffered: string): { method: string; body: string; rest: string } | undefined {
  const headEnd = buffered.indexOf("\r\n\r\n");
  if (headEnd < 0) return undefined;
  const head = buffered.slice(0, headEnd);
  const length = Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
  const bodyStart = headEnd + 4;
  if (buffered.length < bodyStart + length) return undefined;
  const path = head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/"));
  return {
    method: path.slice(path.lastIndexOf("/") + 1),
    body: buffered.slice(bodyStart, bodyStart + length),
    rest: buffered.slice(bodyStart + length),
  };
}
