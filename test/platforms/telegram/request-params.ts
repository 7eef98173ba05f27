import type { IncomingMessage } from "node:http";
import { BotApiError, type Params, type UploadedFile } from "./bot-method.ts";

const bodyBytesMax = 52_000_000;

/** A call's parameters as Telegram reads them: from the address, a form or JSON. Files become `UploadedFile`. */
export async function requestParams(request: IncomingMessage, query: URLSearchParams): Promise<Params> {
  const body = await bodyOf(request);
  const fromQuery = Object.fromEntries(query);
  const type = request.headers["content-type"] ?? "";
  if (body.length === 0) return fromQuery;
  if (type.startsWith("application/json")) return { ...fromQuery, ...jsonObject(body) };
  if (type.startsWith("application/x-www-form-urlencoded")) {
    return { ...fromQuery, ...Object.fromEntries(new URLSearchParams(body.toString("utf8"))) };
  }
  if (type.startsWith("multipart/form-data")) return { ...fromQuery, ...(await formParams(body, type)) };
  throw new BotApiError(400, `Bad Request: unsupported content type "${type}"`);
}

export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > bodyBytesMax) throw new BotApiError(413, "Request Entity Too Large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function jsonObject(body: Buffer): Params {
  try {
    const value: unknown = JSON.parse(body.toString("utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Params;
  } catch {
    // Told below.
  }
  throw new BotApiError(400, "Bad Request: can't parse JSON object");
}

async function formParams(body: Buffer, type: string): Promise<Params> {
  const params: Record<string, unknown> = {};
  const form = await new Response(new Uint8Array(body), { headers: { "content-type": type } }).formData();
  for (const [name, value] of form) {
    if (typeof value === "string") params[name] = value;
    else {
      const content = new Uint8Array(await value.arrayBuffer());
      params[name] = { fileName: value.name, mimeType: value.type, content } satisfies UploadedFile;
    }
  }
  return params;
}
