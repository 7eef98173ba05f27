import { postJson } from "./connection.js";
import { backoffMs, storage } from "./dom.js";

/**
 * What is to be sent. Each message is kept in the browser under a name of its own until the server has it, and is the
 * same message however often, and from however many tabs, it is sent.
 *
 * @param onChange Is told of each item: `state` is `sending`, `failed` or `sent` (with the message's `id`).
 */
export function createOutbox(onChange) {
  const items = new Map();
  let isSending = false;
  let failures = 0;
  let timer;

  const keep = (item) => {
    items.set(item.clientId, item);
    storage.write(`out:${item.clientId}`, item);
  };
  const drop = (clientId) => {
    items.delete(clientId);
    storage.write(`out:${clientId}`, undefined);
  };

  const sendNext = async (item) => {
    try {
      const { message } = await postJson("messages", { clientId: item.clientId, parts: item.parts });
      failures = 0;
      drop(item.clientId);
      onChange(item, { state: "sent", id: message });
    } catch (error) {
      if (!error.isFinal) {
        timer = setTimeout(send, backoffMs(failures++));
        return false;
      }
      item.failed = error.message;
      if (items.has(item.clientId)) keep(item);
      onChange(item, { state: "failed", reason: error.message });
    }
    return true;
  };

  /** One after the other, in the order they were written. */
  const send = async () => {
    clearTimeout(timer);
    if (isSending) return;
    isSending = true;
    for (const item of items.values()) {
      if (!item.failed && !(await sendNext(item))) break;
    }
    isSending = false;
  };

  addEventListener("online", send);
  return {
    /** `shown`: the parts as the log shows them. */
    add(parts, shown) {
      const random = crypto.getRandomValues(new Uint8Array(16));
      const clientId = Array.from(random, (byte) => byte.toString(16).padStart(2, "0")).join("");
      const item = { clientId, parts, shown, at: Date.now() };
      keep(item);
      onChange(item, { state: "sending" });
      send();
    },
    /** What a closed page left. */
    resume() {
      const left = storage.names("out:").map((name) => storage.read(name));
      for (const item of left.filter(Boolean).sort((a, b) => a.at - b.at)) {
        items.set(item.clientId, item);
        onChange(item, item.failed ? { state: "failed", reason: item.failed } : { state: "sending" });
      }
      send();
    },
    retry(clientId) {
      const item = items.get(clientId);
      if (!item) return;
      delete item.failed;
      keep(item);
      onChange(item, { state: "sending" });
      send();
    },
    /** It arrived by another way, or is not to be sent any more. */
    drop,
    send,
  };
}
