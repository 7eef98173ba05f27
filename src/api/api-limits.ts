const kibibyte = 1024;
const second = 1_000;

/** The bounds of the HTTP interface that are nobody else's. Times in milliseconds, texts in UTF-16 units. */
export const apiLimits = {
  personMax: 256,
  clientIdPattern: /^[\w.-]{1,100}$/,
  pageDefault: 50,

  /** A revoked key may work for this much longer. */
  keyCacheMs: 10 * second,
  keyCacheMax: 1_000,
  keyMax: 200,

  /** Calls with `?wait=` that wait at once. */
  waitsMax: 1_000,

  liveSocketsMax: 100,
  /** What a slow reader of `/api/v1/live` may leave unread before its socket is closed. */
  liveUnsentBytesMax: kibibyte * kibibyte,
  /** Changes that may wait to be told on `/api/v1/live`. */
  liveChangesMax: 10_000,
  /** Messages and conversations of which the place is remembered. */
  livePlacesMax: 10_000,
  /** How often a socket is asked whether it is alive; one that did not answer by the next time is ended. */
  livePingMs: 30 * second,

  /** One frame from any client of any socket of this server: they have little to say. */
  frameBytesMax: 64 * kibibyte,
  /** How long a socket has to say goodbye. */
  socketCloseMs: 2 * second,

  connectionsMax: 20_000,
  /** A client that is slower than this is cut off, so that nobody holds connections for nothing. */
  headersMs: 15 * second,
  requestMs: 300 * second,
  keepAliveMs: 72 * second,

  /** A message in a problem document names at most so many mistakes. */
  mistakesMax: 5,
} as const;
