import type { ContentHash } from "./ids.ts";

export interface StoredFile {
  readonly hash: ContentHash;
  readonly bytes: number;
}

/** Files by the hash of their content: the same content is one file. */
export interface Files {
  /** Durable when it resolves. Throws `FileTooLargeError` over `bytesMax`, and leaves nothing behind. */
  save(content: AsyncIterable<Uint8Array>, bytesMax: number): Promise<StoredFile>;
  /** Throws `FileMissingError` at the first read when it is not there. */
  read(hash: ContentHash): AsyncIterable<Uint8Array>;
}
