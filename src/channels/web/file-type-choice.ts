const mimePattern = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,126}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,126}$/;

/** What a browser shows and never runs. */
export const inlineTypes: ReadonlySet<string> = new Set([
  "image/png",
  "image/jpeg",
  "image/gif",
  "image/webp",
  "image/avif",
  "image/bmp",
  "audio/mpeg",
  "audio/mp4",
  "audio/x-m4a",
  "audio/aac",
  "audio/ogg",
  "audio/wav",
  "audio/webm",
  "audio/flac",
  "video/mp4",
  "video/webm",
  "video/ogg",
  "video/quicktime",
]);

/** Formats that others are made of: the bytes show the wrapping, only the sender knows what is in it. */
const wrappings: ReadonlySet<string> = new Set(["application/zip", "application/x-cfb", "application/xml"]);

/**
 * The type of a file: what its bytes show. What the sender says counts only where the bytes show nothing, or something
 * that goes with it.
 *
 * @param declared The Content-Type as it was sent.
 * @param head At least the first 4,100 bytes, or all.
 */
export async function chooseType(declared: string | undefined, head: Uint8Array): Promise<string> {
  const [claim = ""] = (declared ?? "").toLowerCase().split(";", 1);
  const claimed = mimePattern.test(claim.trim()) ? claim.trim() : "application/octet-stream";
  const { fileTypeFromBuffer } = await import("file-type");
  const [sniffed] = (await fileTypeFromBuffer(head))?.mime.split(";", 1) ?? [];

  const isMediaClaim = /^(image|audio|video)\//.test(claimed) && claimed !== "image/svg+xml";
  if (sniffed === undefined) return isMediaClaim ? "application/octet-stream" : claimed;
  if (wrappings.has(sniffed)) return isMediaClaim || claimed === "application/octet-stream" ? sniffed : claimed;
  // A recorded voice looks like a film without pictures.
  const isSameFormat = claimed.split("/")[1] === sniffed.split("/")[1];
  return isSameFormat && isMediaClaim ? claimed : sniffed;
}
