import assert from "node:assert/strict";
import { test } from "node:test";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { outbound, text } from "../../../test/platforms/telegram/telegram-scene.ts";
import { DeliveryError } from "../../core/delivery.ts";
import type { ContentHash } from "../../core/ids.ts";
import type { FilePart, Part } from "../../core/part.ts";
import { piecesOf } from "./pieces.ts";

const host = new TestHost();
const pieces = (parts: readonly Part[], replyTo: string | null = null) =>
  piecesOf(outbound(host, parts, replyTo), host);
const buttonsOf = (params: Readonly<Record<string, unknown>> | undefined) =>
  (params?.reply_markup as { inline_keyboard: { text: string; callback_data: string }[][] } | undefined)
    ?.inline_keyboard;

function file(fields: Partial<FilePart>): FilePart {
  return {
    kind: "file",
    media: "image",
    mimeType: "image/png",
    name: "a.png",
    bytes: 10,
    caption: null,
    hash: "ab" as ContentHash,
    ref: null,
    missing: null,
    ...fields,
  };
}

test("a text goes out as it is, without any markup to escape", () => {
  assert.deepEqual(pieces([text("<b>*_1 < 2_*")]), [
    { method: "sendMessage", params: { text: "<b>*_1 < 2_*" }, file: null },
  ]);
});

test("a long text is several pieces, the choices under the last, two in a row", () => {
  const choices = ["A", "B", "C"].map((label) => ({ label, value: label.toLowerCase() }));
  const all = pieces([text("x".repeat(5_000)), { kind: "choices", choices }]);
  assert.deepEqual(
    all.map(({ params }) => String(params.text).length),
    [4_096, 904],
  );
  assert.equal(buttonsOf(all[0]?.params), undefined);
  assert.deepEqual(buttonsOf(all[1]?.params), [
    [
      { text: "A", callback_data: "a" },
      { text: "B", callback_data: "b" },
    ],
    [{ text: "C", callback_data: "c" }],
  ]);
});

test("choices alone stand under a sign, choices with a file under the file", () => {
  const offer: Part = { kind: "choices", choices: [{ label: "A", value: "a" }] };
  assert.equal(pieces([offer])[0]?.params.text, "…");
  const withFile = pieces([file({}), offer]);
  assert.equal(withFile.length, 1);
  assert.notEqual(buttonsOf(withFile[0]?.params), undefined);
});

test("a value goes as it is up to 64 bytes; longer, empty, or like a token, by token", () => {
  const values = ["é".repeat(32), "é".repeat(33), "", "#mine"];
  const choices = values.map((value, at) => ({ label: `L${at}`, value }));
  const data =
    buttonsOf(pieces([text("?"), { kind: "choices", choices }])[0]?.params)
      ?.flat()
      .map((button) => button.callback_data) ?? [];
  assert.equal(data[0], values[0]);
  for (const token of data.slice(1)) assert.match(token, /^#[0-9a-f]{40}$/);
  assert.equal(new Set(data).size, 4);
});

test("a long label is shortened with a sign, an empty one is the value", () => {
  const choices = [
    { label: "x".repeat(300), value: "a" },
    { label: " ", value: "b" },
  ];
  const [long, empty] = buttonsOf(pieces([text("?"), { kind: "choices", choices }])[0]?.params)?.flat() ?? [];
  assert.equal(long?.text.length, 128);
  assert.ok(long?.text.endsWith("…"));
  assert.equal(empty?.text, "b");
});

test("files go by the method for their kind", () => {
  const methods = [
    file({}),
    file({ mimeType: "image/gif" }),
    file({ mimeType: "image/svg+xml" }),
    file({ bytes: 10_000_001 }),
    file({ media: "video" }),
    file({ media: "audio" }),
    file({ media: "voice" }),
    file({ media: "sticker" }),
    file({ media: "document" }),
  ].map((part) => pieces([part])[0]?.method);
  const photoFirst = ["sendPhoto", "sendAnimation", "sendDocument", "sendDocument"];
  assert.deepEqual(methods, [...photoFirst, "sendVideo", "sendAudio", "sendVoice", "sendSticker", "sendDocument"]);
});

test("a caption over 1024, and a sticker's, follow as a text", () => {
  assert.deepEqual(
    pieces([file({ caption: "short" })]).map(({ params }) => params),
    [{ caption: "short" }],
  );
  const long = "x".repeat(1_025);
  assert.deepEqual(
    pieces([file({ caption: long })]).map(({ params }) => params),
    [{}, { text: long }],
  );
  assert.equal(pieces([file({ media: "sticker", caption: "hi" })]).length, 2);
});

test("only the first piece replies, and it is sent even when the other is gone", () => {
  const [first, second] = pieces([text("a"), text("b")], "55");
  assert.deepEqual(first?.params.reply_parameters, { message_id: 55, allow_sending_without_reply: true });
  assert.equal(second?.params.reply_parameters, undefined);
});

test("a place and a contact", () => {
  const all = pieces([
    { kind: "location", latitude: 1.5, longitude: 2.5, name: null },
    { kind: "contact", name: "Ann", phone: "+1" },
  ]);
  assert.deepEqual(
    all.map(({ method, params }) => [method, params]),
    [
      ["sendLocation", { latitude: 1.5, longitude: 2.5 }],
      ["sendContact", { phone_number: "+1", first_name: "Ann" }],
    ],
  );
});

test("what Telegram cannot be sent is refused as a whole", () => {
  const wrong: readonly (readonly Part[])[] = [
    [],
    [text(" \n ")],
    [text("fine"), { kind: "unsupported", type: "poll" }],
    [text("fine"), { kind: "reaction", emoji: "👍", messageRef: "5" }],
    [text("fine"), file({ hash: null })],
    [text("fine"), file({ bytes: 50_000_001 })],
    [text("fine"), { kind: "contact", name: "Ann", phone: null }],
  ];
  for (const parts of wrong) {
    assert.throws(
      () => pieces(parts),
      (error) => error instanceof DeliveryError && error.failure.kind === "refused",
    );
  }
});
