/** Ids are opaque strings that the compiler keeps apart: a `BotId` is never taken for a `MessageId`. */
type Id<Name extends string> = string & { readonly __id: Name };

/** A bot, as named in the configuration. */
export type BotId = Id<"bot">;
/** One configured account on a platform: `<bot>-<name>`. */
export type ChannelId = Id<"channel">;
/** One thread of messages; made from its channel and the platform's own address, so the same thread has always the same id. */
export type ConversationId = Id<"conversation">;
/** Someone who writes from a platform; made from the channel and the platform's own id of the person. */
export type PersonId = Id<"person">;
export type MessageId = Id<"message">;
export type TurnId = Id<"turn">;
/** SHA-256 of a message's parts or of a file, in hexadecimal. */
export type ContentHash = Id<"hash">;
