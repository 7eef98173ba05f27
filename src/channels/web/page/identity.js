import { storage } from "./dom.js";

/** In another site's frame there are no cookies: there the page is known by a token, as wherever cookies are refused. */
const usesToken = document.body.dataset.frame === "embedded" || !navigator.cookieEnabled;
/** The site whose widget opened us. It keeps the token where the browser does not let us keep one. */
const keeper = new URLSearchParams(location.search).get("embed");
const hasKeeper = usesToken && URL.canParse(keeper);
let finding;

/** For the widget, if one opened us; nobody else can read it. */
export const tellWidget = (message) => hasKeeper && parent.postMessage(message, keeper);

/** Our token, from where it is kept or a new one; null where a cookie does it. However many ask, we are one person. */
export async function findToken(startSession) {
  if (!usesToken) return null;
  finding ??= find(startSession).catch((error) => {
    finding = undefined;
    throw error;
  });
  return finding;
}

/** The server does not know this token. */
export async function forgetToken(token) {
  if (!finding || (await finding) !== token) return;
  finding = undefined;
  keep(null);
}

async function find(startSession) {
  const kept = (hasKeeper && (await askWidget())) || storage.read("token");
  if (kept) return kept;
  const token = await startSession();
  keep(token);
  return token;
}

function keep(token) {
  storage.write("token", token ?? undefined);
  tellWidget({ parley: "token", token });
}

/** One that does not answer soon knows no better than we do. */
function askWidget() {
  return new Promise((resolve) => {
    setTimeout(resolve, 2_000);
    addEventListener("message", ({ source, origin, data }) => {
      if (source === parent && origin === keeper && data?.parley === "token") resolve(data.token);
    });
    tellWidget({ parley: "ready" });
  });
}
