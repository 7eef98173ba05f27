import { find, icon, make } from "./dom.js";
import { choicesElement, partElement } from "./parts.js";

const time = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const day = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });

const marks = {
  sending: ["clock", "Sending"],
  received: ["sent", "Sent"],
  held: ["sent", "Sent"],
  answered: ["answered", "Answered"],
  ignored: ["answered", "Read"],
  rejected: ["alert", "Not accepted"],
  dead: ["alert", "Could not be answered"],
  failed: ["alert", "Not sent"],
};

/**
 * The messages as they stand on the page, in the order of their times. One that the server has yet to confirm has none,
 * and stands last.
 *
 * @param actions `choose(choice, messageId)`, `retry(clientId)`, `discard(clientId)`: what the buttons do.
 */
export function createLog(title, actions) {
  const list = find("log");
  const entries = [];
  const byId = new Map();
  const byClientId = new Map();

  const add = (message) => {
    const entry = { ...message, element: make("div") };
    fill(entry, title, actions);
    return entry;
  };

  const place = (entry) => {
    const old = entries.indexOf(entry);
    if (old !== -1) entries.splice(old, 1);
    const index = entries.findLastIndex((other) => isBefore(other, entry)) + 1;
    entries.splice(index, 0, entry);
    // Moved only when it must be: a player that is moved stops.
    if (old !== index) list.insertBefore(entry.element, entries[index + 1]?.element ?? null);
    for (const near of [index, index + 1]) group(entries[near], entries[near - 1]);
    refresh(entry, actions);
    refreshChoices(entries);
  };

  return {
    /** Shows a message, or what has become of one that is shown. Returns whether it is new. */
    show(message) {
      const known = byId.get(message.id) ?? byClientId.get(message.clientId);
      const entry = known ?? add(message);
      Object.assign(entry, { id: message.id, at: message.at, state: message.state });
      byId.set(message.id, entry);
      place(entry);
      return known === undefined;
    },
    setState(id, state) {
      const entry = byId.get(id);
      if (!entry) return;
      entry.state = state;
      refresh(entry, actions);
    },
    /** Shows what is on its way out. */
    showOutgoing({ clientId, shown, at }, { state, id, reason }) {
      const writing = { clientId, from: "person", parts: shown, at: Number.POSITIVE_INFINITY, writtenAt: at };
      const entry = byClientId.get(clientId) ?? add(writing);
      byClientId.set(clientId, entry);
      // The socket may have brought it before the sending was answered.
      if (entry.id) return;
      Object.assign(entry, { state: state === "sent" ? "received" : state, id, reason });
      if (id) byId.set(id, entry);
      place(entry);
    },
    discard(clientId) {
      const entry = byClientId.get(clientId);
      entry.element.remove();
      entries.splice(entries.indexOf(entry), 1);
      byClientId.delete(clientId);
      refreshChoices(entries);
    },
    has: (id) => byId.has(id),
    isEmpty: () => entries.length === 0,
  };
}

function fill(entry, title, actions) {
  const { element, from, parts } = entry;
  const isOwn = from === "person";
  element.className = `message ${isOwn ? "own" : "theirs"}`;
  entry.day = make("p", { class: "day" });
  entry.foot = make("p", { class: "foot" });
  const offers = parts.filter((part) => part.kind === "choices");
  const said = parts.filter((part) => part.kind !== "choices").map(partElement);
  const speaker = make("span", { class: "hidden" }, `${isOwn ? "You" : title}:`);
  element.append(entry.day, make("div", { class: "bubble" }, speaker, ...said, entry.foot));
  element.append(...offers.map((part) => choicesElement(part, (choice) => actions.choose(choice, entry.id))));
}

/** Ids sort by the time they were made, also within a millisecond. */
function isBefore(one, other) {
  if (one.at !== other.at) return one.at < other.at;
  return one.at === Number.POSITIVE_INFINITY || one.id < other.id;
}

const timeOf = ({ at, writtenAt }) => (Number.isFinite(at) ? at : writtenAt);

/** Its time and state. */
function refresh(entry, actions) {
  const at = timeOf(entry);
  entry.foot.replaceChildren(make("time", { datetime: new Date(at).toISOString() }, time.format(at)));
  const [name, words] = (entry.from === "person" && marks[entry.state]) || [];
  if (name)
    entry.foot.append(make("span", { class: "mark", role: "img", "aria-label": words, title: words }, icon(name)));
  entry.element.dataset.state = entry.state;
  entry.element.querySelector(".failure")?.remove();
  if (entry.state === "failed") entry.element.append(failure(entry, actions));
}

function failure({ clientId, reason }, actions) {
  const again = make("button", { type: "button", class: "quiet" }, "Try again");
  const discard = make("button", { type: "button", class: "quiet" }, "Discard");
  again.onclick = () => actions.retry(clientId);
  discard.onclick = () => actions.discard(clientId);
  return make("p", { class: "failure", role: "alert" }, `Not sent. ${reason} `, again, " ", discard);
}

/** Choices are open until one is taken, or the person said something else. */
function refreshChoices(entries) {
  const taken = new Map();
  let lastSaid = 0;
  for (const { from, at, parts } of entries) {
    if (from === "person") lastSaid = Math.max(lastSaid, at);
    for (const part of parts) if (part.kind === "choice") taken.set(part.messageRef, part.value);
  }
  for (const { id, at, element } of entries) {
    for (const button of element.querySelectorAll(".choices button")) {
      button.disabled = taken.has(id) || lastSaid > at;
      button.toggleAttribute("data-taken", taken.get(id) === button.value);
    }
  }
}

/** A day's first message names the day; what one says in a row stands close together. */
function group(entry, previous) {
  if (!entry) return;
  const dayOf = (message) => day.format(timeOf(message));
  const isNewDay = !previous || dayOf(previous) !== dayOf(entry);
  entry.day.textContent = isNewDay ? dayOf(entry) : "";
  entry.element.toggleAttribute("data-follows", !isNewDay && previous.from === entry.from);
}
