import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { cleanParts } from "../../core/content.ts";
import type { FilePart } from "../../core/part.ts";
import { callbackQueryId, mapUpdate, updateIdOf, wantedUpdates } from "./update-mapping.ts";

type Raw = Readonly<Record<string, unknown>>;

const ann = { id: 7, is_bot: false, first_name: "Ann", last_name: "Lee", language_code: "de" };
const privateChat = { id: 7, type: "private", first_name: "Ann" };
const group = { id: -1005, type: "supergroup", title: "Friends" };
const inChat = (content: Raw, chat: Raw = privateChat): Raw => ({
  update_id: 5,
  message: { message_id: 9, from: ann, chat, date: 1, ...content },
});
const mapped = (raw: Raw) => {
  const update = mapUpdate(raw, updateIdOf(raw) ?? -1, "123456789");
  assert.ok(update !== null);
  return update;
};

test("a text tells who said it, where, and by what id it is known again", () => {
  assert.deepEqual(mapped(inChat({ text: "hello", reply_to_message: { message_id: 3 } })), {
    key: "5",
    conversation: { ref: "7", isGroup: false, movedFrom: null },
    person: { ref: "7", name: "Ann Lee", language: "de" },
    parts: [{ kind: "text", text: "hello" }],
    notice: null,
    platformRef: "9",
    replyTo: "3",
  });
});

test("every kind of media is a file that is still to be fetched", () => {
  const of = (content: Raw) => mapped(inChat(content)).parts[0] as FilePart;
  const sizes = [
    { file_id: "small", file_size: 1 },
    { file_id: "large", file_size: 2 },
  ];
  const photo = of({ photo: sizes, caption: "look" });
  assert.deepEqual(photo, {
    kind: "file",
    media: "image",
    mimeType: "image/jpeg",
    name: null,
    bytes: 2,
    caption: "look",
    hash: null,
    ref: "large",
    missing: null,
  });
  const animation = { file_id: "a", mime_type: "video/mp4" };
  const kinds = [
    of({ animation, document: { file_id: "d" } }),
    of({ video: { file_id: "v", mime_type: "video/webm", file_name: "v.webm" } }),
    of({ video_note: { file_id: "n" } }),
    of({ audio: { file_id: "m" } }),
    of({ voice: { file_id: "o" } }),
    of({ document: { file_id: "d" } }),
    of({ sticker: { file_id: "s", is_animated: true } }),
    of({ sticker: { file_id: "s", is_video: true } }),
    of({ sticker: { file_id: "s" } }),
  ].map(({ ref, media, mimeType }) => `${ref} ${media} ${mimeType}`);
  assert.deepEqual(kinds, [
    "a video video/mp4",
    "v video video/webm",
    "n video video/mp4",
    "m audio audio/mpeg",
    "o voice audio/ogg",
    "d document application/octet-stream",
    "s sticker application/x-tgsticker",
    "s sticker video/webm",
    "s sticker image/webp",
  ]);
});

test("a place, a venue and a contact", () => {
  const location = { latitude: 1, longitude: 2 };
  const parts = (content: Raw) => mapped(inChat(content)).parts;
  assert.deepEqual(parts({ location }), [{ kind: "location", latitude: 1, longitude: 2, name: null }]);
  assert.deepEqual(parts({ location, venue: { location, title: "Cafe", address: "Main St" } }), [
    { kind: "location", latitude: 1, longitude: 2, name: "Cafe, Main St" },
  ]);
  assert.deepEqual(parts({ contact: { first_name: "Bob", phone_number: "+1" } }), [
    { kind: "contact", name: "Bob", phone: "+1" },
  ]);
});

test("what a person says and Parley has no part for is unsupported, with its caption, and no notice", () => {
  for (const type of ["dice", "poll", "story", "game", "paid_media", "checklist", "invoice", "rich_message"]) {
    const update = mapped(inChat({ [type]: {} }));
    assert.deepEqual([update.parts, update.notice], [[{ kind: "unsupported", type }], null]);
  }
  const paid = mapped(inChat({ paid_media: {}, caption: "buy" }));
  assert.deepEqual(paid.parts, [
    { kind: "unsupported", type: "paid_media" },
    { kind: "text", text: "buy" },
  ]);
});

test("what only happened is a notice", () => {
  for (const type of [
    "new_chat_members",
    "pinned_message",
    "left_chat_member",
    "forum_topic_created",
    "video_chat_started",
  ]) {
    const update = mapped(inChat({ [type]: [] }, group));
    assert.deepEqual([update.parts, update.notice], [[{ kind: "unsupported", type }], type]);
  }
});

test("a topic is a conversation of its own, and its root is nobody's reply", () => {
  const inTopic = { text: "x", is_topic_message: true, message_thread_id: 44 };
  assert.equal(mapped(inChat(inTopic, group)).conversation.ref, "-1005/44");
  assert.equal(mapped(inChat({ ...inTopic, reply_to_message: { message_id: 44 } }, group)).replyTo, null);
  assert.equal(mapped(inChat({ ...inTopic, reply_to_message: { message_id: 45 } }, group)).replyTo, "45");
  assert.equal(
    mapped(inChat({ text: "x", message_thread_id: 44 }, group)).conversation.ref,
    "-1005",
    "a thread of replies is no topic",
  );
});

test("direct messages to a channel are apart by person", () => {
  const direct = mapped(inChat({ text: "x", direct_messages_topic: { topic_id: 7 } }, group));
  assert.deepEqual(direct.conversation, { ref: "-1005/d7", isGroup: false, movedFrom: null });
});

test("a chat that speaks itself is the person; a group is a group", () => {
  const anonymous = mapped(inChat({ text: "x", sender_chat: group }, group));
  assert.deepEqual(anonymous.person, { ref: "-1005", name: "Friends", language: null });
  assert.equal(anonymous.conversation.isGroup, true);
});

test("a group that becomes a supergroup keeps its conversation, whichever of the two messages comes", () => {
  const old = { id: -5, type: "group" };
  const moved = { ref: "-1005", isGroup: true, movedFrom: "-5" };
  assert.deepEqual(mapped(inChat({ migrate_to_chat_id: -1005 }, old)).conversation, moved);
  assert.deepEqual(mapped(inChat({ migrate_from_chat_id: -5 }, group)).conversation, moved);
});

test("edits and channel posts are notices", () => {
  const message = { message_id: 9, chat: privateChat, from: ann, date: 1, text: "x" };
  const post = { message_id: 9, chat: { id: -1009, type: "channel" }, date: 1, text: "x" };
  assert.equal(mapped({ update_id: 5, edited_message: message }).notice, "edit");
  assert.equal(mapped({ update_id: 5, channel_post: post }).notice, "channel post");
  const edited = mapped({ update_id: 5, edited_channel_post: post });
  assert.deepEqual([edited.notice, edited.person, edited.conversation.isGroup], ["channel post", null, true]);
});

test("a press is a choice in the chat of the button, with its label; a token is pending", () => {
  const press = (data: string): Raw => ({
    update_id: 6,
    callback_query: {
      id: "q1",
      from: ann,
      data,
      message: {
        message_id: 42,
        chat: group,
        is_topic_message: true,
        message_thread_id: 44,
        reply_markup: { inline_keyboard: [[{ text: "Yes!", callback_data: data }]] },
      },
    },
  });
  const update = mapped(press("yes"));
  assert.equal(update.key, "6");
  assert.equal(update.conversation.ref, "-1005/44");
  assert.equal(update.person?.ref, "7");
  assert.deepEqual(update.parts, [{ kind: "choice", value: "yes", label: "Yes!", messageRef: "42", pending: false }]);
  assert.equal(callbackQueryId(press("yes")), "q1");
  assert.deepEqual(mapped(press("#abc")).parts[0], {
    kind: "choice",
    value: "#abc",
    label: "Yes!",
    messageRef: "42",
    pending: true,
  });
});

test("a press without a message of the bot is told where the person is", () => {
  const update = mapped({ update_id: 6, callback_query: { id: "q", from: ann, inline_message_id: "i", data: "x" } });
  assert.deepEqual([update.conversation.ref, update.notice], ["user:7", "callback_query"]);
});

test("a reaction is a notice; taken back it is empty", () => {
  const reaction = (new_reaction: unknown): Raw => ({
    update_id: 6,
    message_reaction: { chat: group, message_id: 42, user: ann, old_reaction: [], new_reaction },
  });
  const given = mapped(
    reaction([
      { type: "emoji", emoji: "👍" },
      { type: "custom_emoji", custom_emoji_id: "1" },
    ]),
  );
  assert.deepEqual(given.parts, [
    { kind: "reaction", emoji: "👍", messageRef: "42" },
    { kind: "unsupported", type: "reaction" },
  ]);
  assert.equal(given.notice, "reaction");
  assert.deepEqual(mapped(reaction([])).parts, [{ kind: "reaction", emoji: "", messageRef: "42" }]);
});

test("every other kind is recorded with its name, in its chat, with its person, or apart", () => {
  const of = (kind: string, body: unknown) => {
    const { conversation, person, notice, parts } = mapped({ update_id: 6, [kind]: body });
    assert.deepEqual([notice, parts], [kind, [{ kind: "unsupported", type: kind }]]);
    return [conversation.ref, person?.ref ?? null];
  };
  assert.deepEqual(of("my_chat_member", { chat: group, from: ann }), ["-1005", "7"]);
  assert.deepEqual(of("chat_member", { chat: group, from: ann }), ["-1005", "7"]);
  assert.deepEqual(of("chat_join_request", { chat: group, from: ann }), ["-1005", "7"]);
  assert.deepEqual(of("chat_boost", { chat: group }), ["-1005", null]);
  assert.deepEqual(of("message_reaction_count", { chat: group, message_id: 1 }), ["-1005", null]);
  assert.deepEqual(of("inline_query", { id: "1", from: ann, query: "x" }), ["user:7", "7"]);
  assert.deepEqual(of("pre_checkout_query", { id: "1", from: ann }), ["user:7", "7"]);
  assert.deepEqual(of("poll_answer", { poll_id: "1", user: ann }), ["user:7", "7"]);
  assert.deepEqual(of("poll", { id: "1" }), ["updates", null]);
  assert.deepEqual(of("business_connection", { id: "1", user: ann }), ["user:7", "7"]);
  assert.deepEqual(of("business_message", { message_id: 1, chat: privateChat, from: ann, text: "x" }), [
    "business:7",
    "7",
  ]);
  assert.deepEqual(of("guest_message", { message_id: 1, chat: privateChat, from: ann, text: "x" }), ["guest:7", "7"]);
  assert.deepEqual(of("something_new", { chat: group }), ["-1005", null]);
});

test("what is not as documented is recorded where it belongs, as far as that can be told", () => {
  const noId = mapped({ update_id: 6, message: { chat: group, text: "x" } });
  assert.deepEqual([noId.conversation.ref, noId.notice], ["-1005", "message"]);
  assert.equal(mapped({ update_id: 6, message: "what?" }).conversation.ref, "updates");
  assert.equal(mapped({ update_id: 6 }).conversation.ref, "updates");
  const wrongText = mapped(inChat({ text: 5 }));
  assert.deepEqual([wrongText.parts, wrongText.notice], [[{ kind: "unsupported", type: "text" }], null]);
});

test("the bot's own message is not taken for a person's; another bot's is", () => {
  const from = (id: number) => inChat({ text: "x", from: { id, is_bot: true } }, group);
  assert.equal(mapUpdate(from(123456789), 5, "123456789"), null);
  assert.notEqual(mapUpdate(from(5), 5, "123456789"), null);
});

test("Telegram is asked for all but what only comes in floods", () => {
  assert.ok(
    ["message", "callback_query", "message_reaction", "my_chat_member"].every((kind) => wantedUpdates.includes(kind)),
  );
  assert.ok(!wantedUpdates.includes("chat_member"));
});

test("nothing that can be sent makes the mapping throw, and all it makes can be stored", () => {
  const names = [
    "message",
    "callback_query",
    "message_reaction",
    "chat",
    "id",
    "from",
    "text",
    "photo",
    "data",
    "message_id",
  ];
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: "medium" },
      fc.jsonValue(),
      fc.integer(),
      fc.array(tie("value"), { maxLength: 3 }),
      tie("object"),
    ),
    object: fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), tie("value"), { maxKeys: 6 }),
  }));
  fc.assert(
    fc.property(json.object, json.value, (object, value) => {
      updateIdOf(value);
      callbackQueryId(object as Raw);
      const update = mapUpdate(object as Raw, 5, null);
      assert.ok(update !== null && update.parts.length > 0 && update.conversation.ref !== "");
      cleanParts(update.parts);
    }),
  );
});

const fixtures = join(import.meta.dirname, "../../../../shared/fixtures/telegram");
const isThere = existsSync(fixtures);
if (!isThere) console.log(`skipped: recorded payloads are not there (${fixtures})`);

test("every recorded update is understood", { skip: isThere ? false : "the recorded payloads are not there" }, () => {
  const updates = readdirSync(fixtures)
    .filter((name) => /^\d+.*\.json$/.test(name))
    .map((name) => ({ name, raw: JSON.parse(readFileSync(join(fixtures, name), "utf8")) as Raw }));
  assert.ok(updates.length > 0);
  for (const { name, raw } of updates) {
    const update = mapped(raw);
    assert.ok(
      update.parts.every(({ kind }) => kind !== "unsupported"),
      name,
    );
    assert.match(update.conversation.ref, /^\d+$/, name);
    assert.ok(update.person?.name?.startsWith("Test"), name);
    assert.equal(update.notice, name.includes("edited") ? "edit" : null, name);
  }
});
