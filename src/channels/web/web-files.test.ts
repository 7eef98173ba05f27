import assert from "node:assert/strict";
import { request } from "node:http";
import { describe, test } from "node:test";
import { TestHost } from "../../../test/contracts/test-host.ts";
import { type ChatScene, openChat, type Visitor, visit } from "../../../test/web/chat-scene.ts";
import type { ContentHash } from "../../core/ids.ts";
import type { FilePart } from "../../core/part.ts";
import { chooseType } from "./file-type-choice.ts";
import { webLimits } from "./web-limits.ts";

const png = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==",
  "base64",
);

interface Upload {
  readonly hash: ContentHash;
  readonly bytes: number;
  readonly mimeType: string;
  readonly name: string | null;
  readonly file: string;
  readonly url: string;
}

function put(who: Visitor, body: string | Buffer<ArrayBuffer>, name: string, type: string): Promise<Response> {
  return who.ask(`files?name=${encodeURIComponent(name)}`, { method: "POST", headers: { "content-type": type }, body });
}

const upload = async (...given: Parameters<typeof put>) => (await put(...given)).json() as Promise<Upload>;

describe("files of the web channel", () => {
  test("are sent up, said, and shown to the one who sent them", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const sent = await upload(ann, png, "Ünïcode 'dot'.png", "image/png");
    assert.deepEqual([sent.mimeType, sent.name, sent.bytes], ["image/png", "Ünïcode 'dot'.png", png.byteLength]);
    await ann.post({ clientId: "1", parts: [{ kind: "file", file: sent.file, caption: "a dot" }] });

    const [part] = (await ann.list()).items[0]!.parts as unknown as (FilePart & { url: string })[];
    assert.deepEqual(
      { ...part, url: null },
      {
        kind: "file",
        media: "image",
        mimeType: "image/png",
        name: "Ünïcode 'dot'.png",
        bytes: png.byteLength,
        caption: "a dot",
        hash: sent.hash,
        ref: null,
        missing: null,
        url: null,
      },
    );
    for (const url of [sent.url, part!.url]) {
      const shown = await ann.ask(url);
      assert.equal(shown.headers.get("content-type"), "image/png");
      assert.equal(shown.headers.get("x-content-type-options"), "nosniff");
      assert.match(shown.headers.get("content-security-policy")!, /sandbox/);
      assert.equal(
        shown.headers.get("content-disposition"),
        "inline; filename*=UTF-8''%C3%9Cn%C3%AFcode%20%27dot%27.png",
      );
      assert.deepEqual(Buffer.from(await shown.arrayBuffer()), png);
    }
  });

  test("are nobody else's, whatever part of their address is known", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const [ann, bob] = [await visit(scene), await visit(scene)];
    const hers = await upload(ann, png, "dot.png", "image/png");
    const his = await upload(bob, "his own", "his.txt", "text/plain");
    const refused = async (who: Visitor, path: string) => assert.equal((await who.ask(path)).status, 404, path);
    await refused(bob, hers.url);
    await refused(bob, `files/${hers.hash}`);
    await refused(bob, `files/${hers.hash}?file=${his.file}`);
    await refused(ann, `files/${hers.hash}?file=${hers.file.slice(0, -2)}`);
    const [facts = "", seal] = hers.file.split(".");
    const renamed = JSON.parse(Buffer.from(facts, "base64url").toString());
    const forged = Buffer.from(JSON.stringify({ ...renamed, mimeType: "text/html" })).toString("base64url");
    await refused(ann, `files/${hers.hash}?file=${forged}.${seal}`);
    await assert.rejects(bob.post({ clientId: "1", parts: [{ kind: "file", file: hers.file }] }), /not yours/);
    const elsewhere = await fetch(`${scene.url}/chat/other/${hers.url}`, { headers: { cookie: ann.cookie } });
    assert.equal(elsewhere.status, 404);
  });

  test("of the bot can be had too, unless they are missing", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const { conversation } = await ann.post({ clientId: "1", text: "x" });
    const kept = await saved(scene, "a report");
    const part = {
      kind: "file",
      media: "document",
      mimeType: "text/html",
      name: "r.html",
      caption: null,
      ref: null,
    } as const;
    await scene.say(conversation, [{ ...part, bytes: 8, hash: kept, missing: null }]);
    await scene.say(conversation, [{ ...part, bytes: null, hash: null, missing: "over 20 MB" }]);
    await scene.say(conversation, [{ ...part, bytes: 8, hash: "0".repeat(64) as ContentHash, missing: null }]);
    const [own, missing, gone] = (await ann.list()).items.slice(1).map(({ parts }) => parts[0]!.url);
    assert.equal(missing, null);
    assert.equal((await ann.ask(gone!)).status, 404);
    const report = await ann.ask(own!);
    assert.equal(await report.text(), "a report");
    assert.equal(report.headers.get("content-type"), "application/octet-stream");
    assert.match(report.headers.get("content-disposition")!, /^attachment;/);
  });

  test("that a browser could run are only ever saved, never shown", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>';
    const html = "<!doctype html><script>alert(1)</script>";
    for (const [body, type] of [
      [svg, "image/svg+xml"],
      [`<?xml version="1.0"?>${svg}`, "image/svg+xml"],
      [html, "text/html"],
      [html, "image/png"],
    ] as const) {
      const { url, mimeType } = await upload(ann, body, "x", type);
      const served = await ann.ask(url);
      assert.equal(await served.text(), body);
      assert.equal(served.headers.get("content-type"), "application/octet-stream", mimeType);
      assert.match(served.headers.get("content-disposition")!, /^attachment;/);
    }
  });

  test("are refused when they are too large or empty, and nothing of them is kept", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const tooMuch = Buffer.alloc(webLimits.fileBytesMax + 1);
    assert.equal((await put(ann, tooMuch, "x", "text/plain")).status, 413);
    assert.equal(await streamed(scene, ann, tooMuch), 413);
    assert.equal(await streamed(scene, ann, tooMuch.subarray(1)), 201);
    assert.equal((await put(ann, tooMuch.subarray(1), "x", "text/plain")).status, 201);
    assert.equal((await put(ann, "", "x", "text/plain")).status, 400);
  });

  test("have a name without a path, or anything that would deceive the reader", async (t) => {
    const scene = await openChat(t, { host: new TestHost() });
    const ann = await visit(scene);
    const nameOf = async (name: string) => (await upload(ann, "x", name, "text/plain")).name;
    assert.equal(await nameOf("../../etc/passwd"), "passwd");
    assert.equal(await nameOf("C:\\secret\\a.txt"), "a.txt");
    assert.equal(await nameOf("evil\u202Etxt.exe\r\n"), "eviltxt.exe");
    assert.equal(await nameOf("/"), null);
    assert.equal((await nameOf("x".repeat(300)))?.length, 255);
  });
});

test("a file's type is what its bytes show; what is said counts only where it fits", async () => {
  const zip = Buffer.from("PK\u0003\u0004\u0014\u0000\u0000\u0000\u0008\u0000aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
  const webm = Buffer.from("1a45dfa39f4286810142f7810142f2810442f381084282847765626d42878104", "hex");
  const docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
  const text = Buffer.from("hello");
  assert.equal(await chooseType("text/html", png), "image/png");
  assert.equal(await chooseType("image/png", text), "application/octet-stream");
  assert.equal(await chooseType("Text/CSV; charset=utf-8", text), "text/csv");
  assert.equal(await chooseType(undefined, text), "application/octet-stream");
  assert.equal(await chooseType("no type at all", text), "application/octet-stream");
  assert.equal(await chooseType(docx, zip), docx);
  assert.equal(await chooseType("image/png", zip), "application/zip");
  assert.equal(await chooseType(undefined, zip), "application/zip");
  assert.equal(await chooseType("audio/webm", webm), "audio/webm");
  assert.equal(await chooseType("audio/mpeg", webm), "video/webm");
});

async function saved(scene: ChatScene, text: string): Promise<ContentHash> {
  const content = async function* () {
    yield Buffer.from(text);
  };
  return (await scene.files().save(content(), 1_000)).hash;
}

/** Sends a body without saying how long it is. */
function streamed(scene: ChatScene, who: Visitor, body: Buffer): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = { cookie: who.cookie, "transfer-encoding": "chunked", "content-type": "text/plain" };
    const sending = request(`${scene.url}/chat/demo/files`, { method: "POST", headers }, (response) => {
      response.resume();
      resolve(response.statusCode);
    });
    sending.on("error", reject);
    sending.end(body);
  });
}
