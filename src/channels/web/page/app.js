import { createComposer } from "./composer.js";
import { getJson, stayConnected } from "./connection.js";
import { backoffMs, find, icon } from "./dom.js";
import { tellWidget } from "./identity.js";
import { createLog } from "./log.js";
import { createOutbox } from "./outbox.js";

const { title, frame } = document.body.dataset;
const scroll = find("scroll");
const words = { connected: "Online", connecting: "Connecting…", offline: "Offline – what you write is sent later" };
let older = null;
let typing;
/** Whether the reader stands at the end and wants to stay there. */
let isFollowing = true;

const log = createLog(title, {
  choose: ({ label, value }, messageRef) =>
    outbox.add([{ kind: "choice", value, messageRef }], [{ kind: "choice", value, label, messageRef }]),
  retry: (clientId) => outbox.retry(clientId),
  discard(clientId) {
    outbox.drop(clientId);
    log.discard(clientId);
    find("empty").hidden = !log.isEmpty();
  },
});

const outbox = createOutbox((item, change) => {
  keepEnd(() => log.showOutgoing(item, change), change.state === "sending");
});

const toEnd = () => {
  scroll.scrollTop = scroll.scrollHeight;
};

/** Makes a change, and says that there is something new where the reader is not at the end to see it. */
function keepEnd(change, isWanted) {
  isFollowing ||= isWanted === true;
  const isNew = change();
  find("empty").hidden = !log.isEmpty();
  if (isFollowing) toEnd();
  else if (isNew) find("down").hidden = false;
}

function setState(state) {
  const status = find("status");
  status.dataset.state = state;
  if (status.textContent !== words[state]) status.textContent = words[state];
  if (state === "connected") outbox.send();
}

function setTyping(isTyping) {
  clearTimeout(typing);
  keepEnd(() => {
    find("typing").hidden = !isTyping;
  });
  if (isTyping) typing = setTimeout(() => setTyping(false), 8_000);
}

function receive(event) {
  if (event.type === "typing") setTyping(true);
  if (event.type === "state") log.setState(event.id, event.state);
  if (event.type !== "message") return;
  if (event.message.from !== "person") setTyping(false);
  keepEnd(() => take(event.message));
}

function take(message) {
  if (message.clientId) outbox.drop(message.clientId);
  return log.show({ ...message, at: Date.parse(message.at) });
}

/** The newest messages, and as many before them as it takes to reach what is shown. Returns the cursor to go on from. */
async function catchUp() {
  const wasEmpty = log.isEmpty();
  const page = await getJson("messages");
  const { live } = page;
  let { items, next } = page;
  const missed = [items];
  while (!wasEmpty && next && !items.some(({ id }) => log.has(id))) {
    ({ items, next } = await getJson(`messages?cursor=${encodeURIComponent(next)}`));
    missed.unshift(items);
  }
  if (wasEmpty) setOlder(next);
  keepEnd(() => missed.flat().forEach(take), wasEmpty);
  return live;
}

function setOlder(next) {
  older = next;
  find("older").hidden = next === null;
}

find("older").onclick = async () => {
  find("older").disabled = true;
  try {
    const { items, next } = await getJson(`messages?cursor=${encodeURIComponent(older)}`);
    const fromEnd = scroll.scrollHeight - scroll.scrollTop;
    items.forEach(take);
    setOlder(next);
    scroll.scrollTop = scroll.scrollHeight - fromEnd;
  } catch {
    // The button is still there to be pressed again; the header says that we are offline.
  }
  find("older").disabled = false;
};

find("down").onclick = toEnd;
scroll.onscroll = () => {
  isFollowing = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 80;
  if (isFollowing) find("down").hidden = true;
};
// Pictures that arrive late, and a keyboard that opens, must not push the end out of sight.
const observer = new ResizeObserver(() => isFollowing && toEnd());
observer.observe(scroll);
observer.observe(find("log"));

if (frame === "embedded") {
  const close = () => tellWidget({ parley: "close" });
  find("close").hidden = false;
  find("close").append(icon("close"));
  find("close").onclick = close;
  addEventListener("keydown", (event) => event.key === "Escape" && close());
}
for (const avatar of document.querySelectorAll(".avatar")) avatar.textContent = [...title][0].toUpperCase();

async function start(failures = 0) {
  try {
    const cursor = await catchUp();
    find("log").setAttribute("aria-live", "polite");
    stayConnected({ cursor, catchUp, onEvent: receive, onState: setState });
  } catch {
    setState("offline");
    setTimeout(() => start(failures + 1), backoffMs(failures));
  }
}

createComposer((parts, shown) => outbox.add(parts, shown));
outbox.resume();
start();
