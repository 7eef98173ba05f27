import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { z } from "zod";
import { InputError } from "../../core/errors.ts";
import type { WebChannel } from "./web-channel.ts";
import type { WebVisits } from "./web-visits.ts";

const assetNames = [
  "app.js",
  "connection.js",
  "identity.js",
  "outbox.js",
  "log.js",
  "parts.js",
  "composer.js",
  "dom.js",
  "style.css",
  "icon.svg",
] as const;

const assetTypes: Readonly<Record<string, string>> = {
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
  html: "text/html; charset=utf-8",
};

interface Asset {
  readonly content: Buffer;
  readonly compressed: Buffer;
  readonly type: string;
  readonly etag: string;
}

/** `GET /chat/:bot`, what it is made of, and `GET /widget.js`. All addresses are relative, so that a proxy may move it. */
export function pageRoutes(app: FastifyInstance, visits: WebVisits): void {
  const assets = new Map(assetNames.map((name) => [name as string, readAsset(name)]));
  const widget = readAsset("widget.js");
  const template = readAsset("page.html").content.toString();

  app.get("/chat/:bot", async (request, reply) => {
    const channel = visits.channel(request);
    const { embed } = z.object({ embed: z.string().optional() }).parse(request.query);
    const isEmbedded = embed !== undefined;
    // In another site's frame browsers keep no cookie; there the page holds a token instead.
    if (!isEmbedded) visits.welcome(request, reply, channel);
    return reply
      .type("text/html; charset=utf-8")
      .headers({
        "content-security-policy": policyOf(channel),
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
      })
      .send(fill(template, channel, isEmbedded ? "embedded" : "none"));
  });
  app.get("/chat/:bot/", async (request, reply) =>
    reply.redirect(`../${encodeURIComponent(visits.channel(request).botId)}`),
  );

  app.get("/chat/:bot/page/:name", async (request, reply) => {
    const asset = assets.get((request.params as { readonly name: string }).name);
    if (asset === undefined) throw new InputError("not_found", "The page has no such file.");
    return sendAsset(asset, request, reply);
  });
  app.get("/widget.js", async (request, reply) => {
    // Other sites load it: that is what it is for.
    reply.header("cross-origin-resource-policy", "cross-origin");
    return sendAsset(widget, request, reply);
  });
}

function readAsset(name: string): Asset {
  const content = readFileSync(new URL(`page/${name}`, import.meta.url));
  const type = assetTypes[name.split(".").at(-1) ?? ""] ?? "application/octet-stream";
  return {
    content,
    compressed: gzipSync(content),
    type,
    etag: `"${createHash("sha256").update(content).digest("base64url").slice(0, 22)}"`,
  };
}

function sendAsset(asset: Asset, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.headers({ etag: asset.etag, "cache-control": "no-cache", vary: "accept-encoding" });
  if (request.headers["if-none-match"] === asset.etag) return reply.code(304).send();
  reply.type(asset.type);
  if (!/\bgzip\b/.test(request.headers["accept-encoding"] ?? "")) return reply.send(asset.content);
  return reply.header("content-encoding", "gzip").send(asset.compressed);
}

/** Nothing runs or loads but our own files, and only `allowedOrigins` may put the page in a frame. */
function policyOf(channel: WebChannel): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "img-src 'self' blob:",
    "media-src 'self' blob:",
    "base-uri 'none'",
    "form-action 'none'",
    `frame-ancestors ${["'self'", ...channel.options.allowedOrigins].join(" ")}`,
  ].join("; ");
}

function fill(template: string, { botId, options }: WebChannel, frame: "embedded" | "none"): string {
  const values: Readonly<Record<string, string>> = {
    title: options.title ?? botId,
    bot: botId,
    assets: `${encodeURIComponent(botId)}/page`,
    frame,
  };
  return template.replaceAll(/\{\{(\w+)\}\}/g, (_, name: string) => escapeHtml(values[name] ?? ""));
}

function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
