import { Readable } from "node:stream";
import type { Fields } from "./json-fields.ts";

/** A file on its way to Telegram. */
export interface Upload {
  /** The parameter that carries it: `photo`. */
  readonly field: string;
  readonly fileName: string;
  readonly mimeType: string;
  readonly content: AsyncIterable<Uint8Array>;
}

/** Parameters and a file as multipart/form-data, read while it is sent. `boundary` must not occur in the content. */
export function multipartBody(params: Fields, upload: Upload, boundary: string): Readable {
  return Readable.from(multipartChunks(params, upload, boundary), { objectMode: false });
}

async function* multipartChunks(params: Fields, upload: Upload, boundary: string): AsyncGenerator<Uint8Array> {
  let head = "";
  for (const [name, value] of Object.entries(params)) {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    head += `--${boundary}\r\ncontent-disposition: form-data; name="${name}"\r\n\r\n${text}\r\n`;
  }
  head += `--${boundary}\r\ncontent-disposition: form-data; name="${upload.field}"; filename="${quoted(upload.fileName)}"\r\n`;
  head += `content-type: ${headerValue(upload.mimeType)}\r\n\r\n`;
  yield Buffer.from(head);
  yield* upload.content;
  yield Buffer.from(`\r\n--${boundary}--\r\n`);
}

/** As browsers write a name into a header (HTML standard, multipart/form-data encoding). */
function quoted(name: string): string {
  return name.replaceAll("\r", "%0D").replaceAll("\n", "%0A").replaceAll('"', "%22");
}

function headerValue(mimeType: string): string {
  return /^[\w.+-]+\/[\w.+-]+$/.test(mimeType) ? mimeType : "application/octet-stream";
}
