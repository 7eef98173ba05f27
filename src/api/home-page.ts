import { createHash } from "node:crypto";
import type { Bot } from "../core/bot.ts";
import type { ApiRoute } from "./api-route.ts";

const style = `body{font:16px/1.5 system-ui,sans-serif;max-width:46rem;margin:3rem auto;padding:0 1rem;color-scheme:light dark}
code{font-size:.9em}dt{margin-top:1rem}dd{margin:0}`;
const styleHash = createHash("sha256").update(style).digest("base64");

/** For the pages below: their own style and nothing else. */
export const pageHeaders = {
  "content-type": "text/html; charset=utf-8",
  "content-security-policy": `default-src 'none'; style-src 'sha256-${styleHash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`,
} as const;

/** Where to go from here. */
export function homePage(bots: readonly Pick<Bot, "id" | "name">[]): string {
  const links = bots.map(
    ({ id, name }) => `<li><a href="/chat/${encodeURIComponent(id)}">Chat with ${escaped(name)}</a></li>`,
  );
  return page({
    title: "Parley",
    content: `<ul>${links.join("")}<li><a href="/api/docs">The HTTP interface</a></li><li><a href="/readyz">Is all well?</a></li></ul>`,
  });
}

/** The calls of the API, to be read. */
export function docsPage(routes: readonly ApiRoute[]): string {
  const calls = routes.map(
    ({ method, path, summary, access }) =>
      `<dt><code>${method} ${escaped(path.replaceAll(/:(\w+)/g, "{$1}"))}</code>${access === "key" ? "" : " (no key)"}</dt><dd>${escaped(summary)}</dd>`,
  );
  return page({
    title: "The HTTP interface of Parley",
    content: `<p>Send <code>Authorization: Bearer &lt;key&gt;</code>; <code>parley key create</code> makes a key. All shapes are in <a href="/api/openapi.json">the OpenAPI document</a>.</p><dl>${calls.join("")}</dl>`,
  });
}

function page({ title, content }: { readonly title: string; readonly content: string }): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${title}</title><style>${style}</style><h1>${title}</h1>${content}</html>`;
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}
