const mebibyte = 1024 * 1024;

/** The bounds of the page and its protocol. Times in milliseconds, texts in UTF-16 units. */
export const webLimits = {
  clientIdPattern: /^[\w.-]{1,100}$/,
  /** Parts of one message that a person sends. */
  partsMax: 10,
  fileBytesMax: 20 * mebibyte,
  fileNameMax: 255,

  /** Messages of one page of the history. */
  pageMax: 100,
  pageDefault: 50,
  /** Pages of `limits.pageMax` that are read to find a place far back in a history. */
  walkMax: 500,
  /** Messages that a cursor remembers because their state may still change; the newest. */
  openMax: 32,

  socketsPerPersonMax: 8,
  socketsMax: 10_000,
  /** A page has nothing to say on its socket; this bounds what is read to find that out. */
  frameBytesMax: 64 * 1024,
  /** How often a socket is asked whether it is alive; one that did not answer by the next time is ended. */
  pingMs: 25_000,
  /** How soon a socket looks for what it was not told of (by another process), at first and at the longest. */
  pollFirstMs: 1_000,
  pollLongestMs: 15_000,

  /** How long a browser remembers who its person is. */
  cookieSeconds: 365 * 24 * 60 * 60,
} as const;
