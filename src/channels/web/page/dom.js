/** An element with its attributes and children. Text is always text, never markup. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key in element && typeof value !== "string") element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export const find = (id) => document.getElementById(id);

const paths = {
  attach: "M20 11.5 12.2 19a5 5 0 0 1-7-7.1l8-7.8a3.3 3.3 0 0 1 4.7 4.7l-7.9 7.7a1.6 1.6 0 0 1-2.3-2.3l7-6.8",
  send: "M12 20V5M5.5 11.5 12 5l6.5 6.5",
  close: "m6 6 12 12M18 6 6 18",
  clock: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-14v5l3 2",
  sent: "m5 12.5 4.5 4.5L19 7.5",
  answered: "m2 12.5 4.5 4.5L16 7.5m-4.5 8 1.5 1.5L22.5 7.5",
  alert: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18Zm0-13.5v5m0 3.5v.01",
  file: "M13.5 3H7a1.5 1.5 0 0 0-1.5 1.5v15A1.5 1.5 0 0 0 7 21h10a1.5 1.5 0 0 0 1.5-1.5V8l-5-5Zm0 0v5h5",
  place: "M12 21s7-6.5 7-11.5a7 7 0 0 0-14 0C5 14.5 12 21 12 21Zm0-9a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}

/** Text with its web addresses as links. Only http and https become one. */
export function linked(text) {
  const nodes = [];
  let end = 0;
  for (const match of text.matchAll(/https?:\/\/[^\s<>"']+/gi)) {
    const address = match[0].replace(/[.,;:!?)\]}*_]+$/, "");
    if (!URL.canParse(address)) continue;
    const link = make("a", { href: address, target: "_blank", rel: "noopener noreferrer nofollow" }, address);
    nodes.push(text.slice(end, match.index), link);
    end = match.index + address.length;
  }
  return [...nodes, text.slice(end)];
}

export function sizeText(bytes) {
  if (bytes < 1024) return `${bytes} B`;
  return bytes < 1024 ** 2 ? `${Math.round(bytes / 1024)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}

/** What the browser keeps for this bot; it may refuse to keep anything. */
export const storage = {
  prefix: `parley:${document.body.dataset.bot}:`,
  read(name) {
    try {
      return JSON.parse(localStorage.getItem(this.prefix + name));
    } catch {
      return null;
    }
  },
  write(name, value) {
    try {
      if (value === undefined) localStorage.removeItem(this.prefix + name);
      else localStorage.setItem(this.prefix + name, JSON.stringify(value));
    } catch {
      // A private window, or a full disk: it is then kept for as long as the page is open.
    }
  },
  names(kind) {
    try {
      const start = this.prefix + kind;
      const keys = Object.keys(localStorage).filter((key) => key.startsWith(start));
      return keys.map((key) => key.slice(this.prefix.length));
    } catch {
      return [];
    }
  },
};

/** Longer with each failure, and never for everybody at once. */
export const backoffMs = (failures) => Math.min(15_000, 500 * 2 ** failures) * (0.5 + Math.random() / 2);
