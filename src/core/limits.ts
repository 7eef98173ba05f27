const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Every bound that is not a platform's own, by name. Times in milliseconds, texts in UTF-16 units. */
export const limits = {
  /** A text or a caption. */
  textMax: 65_536,
  /** A button's label or value, a name, a platform's id. */
  labelMax: 1_024,
  partsMax: 32,
  choicesMax: 100,
  /** A file that is taken in or given out. */
  fileBytesMax: 50 * 1024 * 1024,
  /** Body of a webhook or an API call that is not a file. */
  bodyBytesMax: 1024 * 1024,

  /** Messages that one turn takes at once. */
  turnMessagesMax: 50,
  /** Drafts that one turn may say. */
  turnDraftsMax: 100,
  /** Waiting messages of one conversation that one worker delivers in a row. */
  laneDeliveriesMax: 32,
  /** Turns, and deliveries, that one process works on at once. */
  turnsMax: 256,
  deliveriesMax: 256,
  /** Lanes of one claim: work on the first begins while the next are claimed. */
  claimLanesMax: 128,
  /** Longest wait for a burst to end, whatever the bot's quiet time. */
  quietMaxMs: 30 * second,

  leaseMs: 30 * second,
  /** How long the loop waits for a wake-up before it looks again: the delay after one that was lost. */
  idleMs: second,
  reviewMs: 10 * second,
  turnMs: 2 * minute,
  completeMs: 2 * minute,
  deliverMs: 2 * minute,
  /** A person is shown that the bot is typing when a turn takes longer than this. */
  typingAfterMs: 500,
  typingAgainMs: 4 * second,

  /** A turn, or the fetching of a message's content, that keeps failing. */
  turnAttemptsMax: 5,
  /** A turn during which the process ends each time: past this many claims it is the turn that ends it. */
  turnClaimsMax: 20,
  /** A delivery to a platform that cannot be reached: about ten hours with the longest wait below. */
  deliveryAttemptsMax: 70,
  /** A message that its platform would not take for this long is given up, however it was asked to wait. */
  deliveryAgeMaxMs: 3 * day,
  retryFirstMs: second,
  retryLongestMs: 10 * minute,

  /** Jobs with the same key are the same job for this long: longer than any platform redelivers (WhatsApp: 7 days). */
  keyMs: 9 * day,
  /** Messages of a conversation that an engine may ask for. */
  historyMax: 100,
  /** Rows of one page of a list. */
  pageMax: 200,
  /** Longest an API call may wait for answers. */
  waitMaxMs: minute,
  /** How long a stopping process finishes what it began. */
  stopMs: 10 * second,
} as const;
