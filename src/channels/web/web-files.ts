import { Readable } from "node:stream";
import type { FastifyInstance, FastifyReply } from "fastify";
import { z } from "zod";
import { mediaOf } from "../../core/channel.ts";
import { cleanText } from "../../core/content.ts";
import { FileTooLargeError, InputError } from "../../core/errors.ts";
import type { Files } from "../../core/files.ts";
import type { ContentHash } from "../../core/ids.ts";
import type { FilePart } from "../../core/part.ts";
import { chooseType, inlineTypes } from "./file-type-choice.ts";
import type { PersonPasses } from "./person-passes.ts";
import { webLimits } from "./web-limits.ts";
import type { Visit, WebVisits } from "./web-visits.ts";

/** What is known of a file, in the form that travels through the browser and is sealed against changes. */
const fileFacts = z.strictObject({
  hash: z.string().regex(/^[0-9a-f]{64}$/),
  mimeType: z.string(),
  name: z.string().nullable(),
  bytes: z.number().nullable(),
});

type FileFacts = z.infer<typeof fileFacts>;

export interface WebFiles {
  /** Where this person gets the content of a part; null when it cannot be had. */
  urlOf(part: FilePart, visit: Visit): string | null;
  /** What an upload answered as `file`. Throws `InputError` when it was not for this person. */
  open(file: string, visit: Visit): FileFacts & Pick<FilePart, "media">;
}

/**
 * A person gets a file by a sealed link that was made for them when they were shown the message, or when they uploaded
 * it. So nothing has to be looked up to know that it is theirs, however long the conversation is.
 */
export function createWebFiles(passes: PersonPasses): WebFiles {
  return {
    urlOf({ hash, mimeType, name, bytes }, visit) {
      if (hash === null) return null;
      return `files/${hash}?file=${sealFile({ hash, mimeType, name, bytes }, visit, passes)}`;
    },
    open(file, visit) {
      const [facts = "", seal = "", ...more] = file.split(".");
      if (more.length > 0 || !passes.isSealed(seal, visit.channel.id, visit.personRef, ["file", facts])) {
        throw new InputError("not_found", "There is no such file, or it is not yours.");
      }
      const known = fileFacts.parse(JSON.parse(Buffer.from(facts, "base64url").toString()));
      return { ...known, media: known.mimeType === "image/svg+xml" ? "document" : mediaOf(known.mimeType) };
    },
  };
}

function sealFile(facts: FileFacts, { channel, personRef }: Visit, passes: PersonPasses): string {
  const text = Buffer.from(JSON.stringify(facts)).toString("base64url");
  return `${text}.${passes.seal(channel.id, personRef, ["file", text])}`;
}

export interface WebFilesSources {
  readonly visits: WebVisits;
  readonly passes: PersonPasses;
  readonly webFiles: WebFiles;
  readonly files: Files;
}

/** `POST /chat/:bot/files` and `GET /chat/:bot/files/:hash`. */
export function fileRoutes(app: FastifyInstance, sources: WebFilesSources): void {
  app.register(async (uploads) => uploadRoute(uploads, sources));

  app.get("/chat/:bot/files/:hash", async (request, reply) => {
    const { file } = z.object({ file: z.string().max(4_096).default("") }).parse(request.query);
    const { hash } = request.params as { readonly hash: string };
    const facts = sources.webFiles.open(file, sources.visits.visit(request, reply));
    if (facts.hash !== hash) throw new InputError("not_found", "There is no such file, or it is not yours.");
    return sendFile(facts, sources.files, reply);
  });
}

function uploadRoute(app: FastifyInstance, { visits, passes, files }: WebFilesSources): void {
  // The body is the file, whatever its type says: it is streamed to disk, never parsed.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("*", (_request, payload, done) => done(null, payload));
  app.post("/chat/:bot/files", async (request, reply) => {
    const visit = visits.visit(request, reply);
    const { name } = z.object({ name: z.string().optional() }).parse(request.query);
    const { length, head, content } = watchHead(request.raw);
    if (Number(request.headers["content-length"] ?? 0) > webLimits.fileBytesMax) {
      throw new FileTooLargeError(`A file may have ${webLimits.fileBytesMax} bytes.`);
    }
    const { hash, bytes } = await files.save(content, webLimits.fileBytesMax);
    if (length() === 0) throw new InputError("invalid_input", "The file is empty.");
    const mimeType = await chooseType(request.headers["content-type"], head());
    const facts = { hash, mimeType, name: cleanName(name), bytes };
    const file = sealFile(facts, visit, passes);
    return reply.code(201).send({ ...facts, file, url: `files/${hash}?file=${file}` });
  });
}

/** Enough of a file's beginning to tell its type, noted while it passes. */
function watchHead(source: Readable): { content: AsyncIterable<Uint8Array>; head(): Uint8Array; length(): number } {
  const headMax = 4_100;
  const chunks: Uint8Array[] = [];
  let length = 0;
  const pass = async function* () {
    try {
      // Not destroyed when it is too large: the answer that says so goes over the same line.
      for await (const chunk of source.iterator({ destroyOnReturn: false })) {
        if (length < headMax) chunks.push(chunk);
        length += chunk.byteLength;
        yield chunk as Uint8Array;
      }
    } catch (error) {
      throw new InputError("invalid_input", "The upload broke off: send it again.", { cause: error });
    }
  };
  return { content: pass(), head: () => Buffer.concat(chunks), length: () => length };
}

/** The last part of a path, without what would confuse whoever reads it. */
function cleanName(name: string | undefined): string | null {
  const last = name?.split(/[/\\]/).at(-1) ?? "";
  const clean = cleanText(last, webLimits.fileNameMax)
    .replaceAll(/[\p{Cc}\p{Cf}]/gu, "")
    .trim();
  return clean === "" ? null : clean;
}

/** Shown in the page only where a browser cannot take it for a program; everything else is for saving. */
async function sendFile({ hash, mimeType, name }: FileFacts, files: Files, reply: FastifyReply): Promise<FastifyReply> {
  const chunks = files.read(hash as ContentHash)[Symbol.asyncIterator]();
  const first = await chunks.next();
  const content = async function* () {
    if (!first.done) yield first.value;
    yield* { [Symbol.asyncIterator]: () => chunks };
  };
  const isInline = inlineTypes.has(mimeType);
  const fileName = encodeURIComponent(name ?? "file").replaceAll("'", "%27");
  return reply
    .type(isInline ? mimeType : "application/octet-stream")
    .headers({
      "content-disposition": `${isInline ? "inline" : "attachment"}; filename*=UTF-8''${fileName}`,
      "content-security-policy": "default-src 'none'; sandbox",
      "cross-origin-resource-policy": "same-origin",
      "cache-control": "private, max-age=31536000, immutable",
    })
    .send(Readable.from(content(), { objectMode: false }));
}
