import { Readable } from "node:stream";
import { z } from "zod";
import type { ContentHash } from "../core/ids.ts";
import { limits } from "../core/limits.ts";
import { type ApiRoute, defineRoute } from "./api-route.ts";
import type { HttpParts } from "./http-parts.ts";
import { fileHash } from "./sent-message.ts";

/** Enough of a file to tell its type by. */
const headBytes = 4_100;
const mimePattern = /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/;

/** Files for messages, and of messages. */
export function fileRoutes({ files }: HttpParts): readonly ApiRoute[] {
  return [
    defineRoute({
      method: "PUT",
      path: "/api/v1/files",
      name: "uploadFile",
      summary: "Stores a file, the raw body, to be named by its hash in a message.",
      access: "key",
      query: z.strictObject({ name: z.string().min(1).max(limits.labelMax).optional() }),
      body: "file",
      answers: {
        200: z
          .object({ hash: z.string(), bytes: z.int(), mimeType: z.string(), name: z.string().nullable() })
          .meta({ id: "StoredFile" }),
      },
      async handle({ query, body, request }) {
        const head: Uint8Array[] = [];
        const { hash, bytes } = await files.save(noted(body, head), limits.fileBytesMax).finally(() => {
          // Of a file that was refused, the rest is read and forgotten: its sender looks for an answer only after it.
          body.resume();
        });
        const mimeType = await mimeTypeOf(Buffer.concat(head), request.headers["content-type"]);
        return { status: 200, body: { hash, bytes, mimeType, name: query.name ?? null } };
      },
    }),
    defineRoute({
      method: "GET",
      path: "/api/v1/files/:hash",
      name: "downloadFile",
      summary: "The content of a file.",
      access: "key",
      params: z.strictObject({ hash: fileHash }),
      answers: { 200: "application/octet-stream" },
      async handle({ params }) {
        // Never shown by a browser: whoever sent the file may have meant it to be run here.
        const headers = { "content-disposition": `attachment; filename="${params.hash}"` };
        return { status: 200, body: await opened(files.read(params.hash as ContentHash)), headers };
      },
    }),
  ];
}

/** The body as it is, its beginning kept in `head`. Leaves the connection alone when the reader stops early. */
async function* noted(body: Readable, head: Uint8Array[]): AsyncGenerator<Uint8Array> {
  let missing = headBytes;
  const chunks: AsyncIterable<Uint8Array> = body.iterator({ destroyOnReturn: false });
  for await (const chunk of chunks) {
    if (missing > 0) head.push(chunk.subarray(0, missing));
    missing -= chunk.byteLength;
    yield chunk;
  }
}

/** What the content is, or else what it was said to be. */
async function mimeTypeOf(head: Uint8Array, declared: string | undefined): Promise<string> {
  // Loaded when it is needed: a server without uploads starts faster.
  const { fileTypeFromBuffer } = await import("file-type");
  const found = await fileTypeFromBuffer(head);
  if (found !== undefined) return found.mime;
  const [said = ""] = (declared ?? "").split(";");
  return mimePattern.test(said.trim()) ? said.trim().toLowerCase() : "application/octet-stream";
}

/** The content as a stream, once its first piece is there: a file that is missing is found out before we answer. */
async function opened(content: AsyncIterable<Uint8Array>): Promise<Readable> {
  const iterator = content[Symbol.asyncIterator]();
  const first = await iterator.next();
  const stream = Readable.from(rest(first, iterator), { objectMode: false });
  // A generator that never began would leave the file open.
  return stream.once("close", () => void iterator.return?.());
}

async function* rest(
  first: IteratorResult<Uint8Array>,
  iterator: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
}
