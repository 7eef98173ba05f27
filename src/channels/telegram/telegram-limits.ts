/**
 * What the Bot API takes (core.telegram.org/bots/api, "sendMessage", "Sending files", "getFile"). Telegram counts a text
 * in characters of Unicode; UTF-16 units are never fewer.
 */
export const telegramLimits = {
  textMax: 4_096,
  captionMax: 1_024,
  /** Buttons of one message. */
  choicesMax: 100,
  fileBytesMax: 50_000_000,
  photoBytesMax: 10_000_000,
  /** A file that a bot may fetch. */
  downloadBytesMax: 20_000_000,
} as const;
