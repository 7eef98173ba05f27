import { backoffMs } from "./dom.js";
import { findToken, forgetToken } from "./identity.js";

const base = location.pathname.replace(/\/$/, "");

/** What the server refused, in its words. */
export class Refusal extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
    /** The same again would be refused again. */
    this.isFinal = status >= 400 && status < 500 && ![401, 408, 429].includes(status);
  }
}

async function startSession() {
  const response = await fetch(`${base}/session`, { method: "POST" });
  if (!response.ok) throw new Refusal(response.status, "There is no session to be had.");
  return (await response.json()).token;
}

async function ask(path, { headers, ...init } = {}) {
  const token = await findToken(startSession);
  const response = await fetch(`${base}/${path}`, { ...init, headers: { ...headers, ...bearer(token) } });
  if (response.ok) return response;
  if (response.status === 401) await forgetToken(token);
  const { detail } = await response.json().catch(() => ({}));
  throw new Refusal(response.status, detail ?? `The server answered ${response.status}.`);
}

const bearer = (token) => (token ? { authorization: `Bearer ${token}` } : {});

export const getJson = async (path) => (await ask(path)).json();

export const postJson = async (path, body) =>
  (
    await ask(path, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })
  ).json();

/** Sends a file, telling how much of it has gone (0 to 1). */
export async function upload(file, onProgress, signal) {
  const request = new XMLHttpRequest();
  request.open("POST", `${base}/files?name=${encodeURIComponent(file.name)}`);
  request.setRequestHeader("content-type", file.type || "application/octet-stream");
  const token = await findToken(startSession);
  for (const [name, value] of Object.entries(bearer(token))) request.setRequestHeader(name, value);
  return new Promise((resolve, reject) => {
    request.responseType = "json";
    request.upload.onprogress = ({ loaded, total }) => onProgress(loaded / total);
    request.onload = () => {
      if (request.status === 401) forgetToken(token);
      if (request.status === 201) resolve(request.response);
      else reject(new Refusal(request.status, request.response?.detail ?? "The file was refused."));
    };
    request.onerror = () => reject(new Error("The file did not get through."));
    signal.addEventListener("abort", () => request.abort());
    request.send(file);
  });
}

/** An address that a picture, a player or a link can use. */
export async function sourceOf(url) {
  if ((await findToken(startSession)) === null) return `${base}/${url}`;
  return URL.createObjectURL(await (await ask(url)).blob());
}

/**
 * Keeps a socket open for as long as the page is. `catchUp` is asked for a new cursor when the server refused the old
 * one or did not let us in.
 */
export function stayConnected({ cursor, catchUp, onEvent, onState }) {
  let place = cursor;
  let failures = 0;
  /** Undefined while there is none, null while one is about to be opened. */
  let socket;
  let timer;
  let silence;

  const lost = () => {
    clearTimeout(silence);
    clearTimeout(timer);
    socket = undefined;
    onState(navigator.onLine && failures < 2 ? "connecting" : "offline");
    timer = setTimeout(open, backoffMs(failures++));
  };
  const hear = () => {
    clearTimeout(silence);
    // The server says something every 25 seconds. A line that is silent for longer is dead.
    silence = setTimeout(drop, 60_000);
  };
  const open = async () => {
    if (socket !== undefined) return;
    socket = null;
    clearTimeout(timer);
    const token = await findToken(startSession).catch(() => undefined);
    if (socket !== null) return;
    if (token === undefined) return lost();
    const url = new URL(`${base}/live`, location.href);
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("after", place);
    const opening = new WebSocket(url, token ? ["parley", token] : []);
    let settled;
    socket = opening;
    opening.onopen = () => {
      onState("connected");
      hear();
      settled = setTimeout(() => {
        failures = 0;
      }, 3_000);
    };
    opening.onmessage = ({ data }) => {
      if (opening !== socket) return;
      hear();
      const event = JSON.parse(data);
      onEvent(event);
      place = event.cursor ?? place;
    };
    opening.onclose = async ({ code }) => {
      clearTimeout(settled);
      if (opening !== socket) return;
      const wasRefused = settled === undefined || code === 4400;
      if (wasRefused) place = await catchUp().catch(() => place);
      if (opening === socket) lost();
    };
  };
  const openNow = () => {
    if (socket !== undefined) return;
    failures = 0;
    open();
  };
  const drop = () => {
    const dropped = socket;
    lost();
    dropped?.close();
  };
  addEventListener("online", openNow);
  addEventListener("offline", drop);
  document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && openNow());
  open();
}
