import type { IncomingMessage, ServerResponse } from "node:http";
import { type Accepted, type Channel, isWebhookChannel, type Update, type WebhookChannel } from "../core/channel.ts";
import type { ChannelId } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import type { Log } from "../core/log.ts";
import type { Directory } from "../journey/journey-parts.ts";

const prefix = "/webhooks/";
/**
 * A body over `limits.bodyBytesMax` is read, and forgotten, up to here, as a sender looks for an answer only once it sent
 * all. Past this it is cut off.
 */
const readBytesMax = 8 * limits.bodyBytesMax;

export interface WebhookParts {
  readonly directory: Pick<Directory, "findChannel">;
  readonly log: Log;
  /** Stage 1 for an update of this channel. */
  accept(channel: Channel, update: Update): Promise<Accepted>;
}

export function isWebhookUrl(url: string | undefined): boolean {
  return url?.startsWith(prefix) === true;
}

/**
 * `POST /webhooks/<channel-id>`, straight on Node's server: thousands a second come in here, and a router, hooks and
 * parsers would cost more than the work itself.
 */
export function createWebhookHandler({ directory, log, accept }: WebhookParts) {
  const handle = async (
    channel: WebhookChannel,
    request: IncomingMessage,
    body: Uint8Array,
    response: ServerResponse,
  ) => {
    try {
      const { headers } = request;
      const answered = await channel.handleWebhook({ headers, body }, (update) => accept(channel, update));
      answer(response, answered.status, answered.body);
    } catch (error) {
      log.error(
        { channel: channel.id, err: error },
        "a webhook was not stored; its platform is asked to send it again",
      );
      answer(response, 503, "not stored, send again");
    }
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    if (request.method !== "POST") {
      response.setHeader("allow", "POST");
      answer(response, 405, "only POST");
      return;
    }
    const channel = directory.findChannel(channelIdOf(request.url));
    if (channel === undefined || !isWebhookChannel(channel)) {
      answer(response, 404, "no such webhook");
      return;
    }
    readBody(
      request,
      (body) => void handle(channel, request, body, response),
      () => answer(response, 413, `the body has more than ${limits.bodyBytesMax} bytes`),
    );
  };
}

function channelIdOf(url = ""): ChannelId {
  const end = url.indexOf("?", prefix.length);
  return url.slice(prefix.length, end === -1 ? undefined : end) as ChannelId;
}

function readBody(request: IncomingMessage, whole: (body: Uint8Array) => void, tooLarge: () => void): void {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  request.on("data", (chunk: Uint8Array) => {
    bytes += chunk.byteLength;
    if (bytes <= limits.bodyBytesMax) chunks.push(chunk);
    else if (bytes <= readBytesMax) chunks.length = 0;
    else request.destroy();
  });
  request.on("end", () => {
    const [first] = chunks;
    if (bytes > limits.bodyBytesMax) tooLarge();
    else whole(first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, bytes));
  });
  // Who hangs up half-way gets no answer and nothing was taken.
  request.on("error", () => undefined);
}

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, {
    "content-length": Buffer.byteLength(body),
    "content-type": "text/plain; charset=utf-8",
  });
  response.end(body);
}
