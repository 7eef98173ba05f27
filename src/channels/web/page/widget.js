// <script src="https://chat.example.com/widget.js" data-bot="demo"></script>: a button that opens the chat in a frame.
(() => {
  const script = document.currentScript;
  const { bot, title = "Chat" } = script.dataset;
  const page = new URL(`chat/${encodeURIComponent(bot)}?embed=${encodeURIComponent(location.origin)}`, script.src);
  const keptAs = `parley:${page.host}:${bot}`;
  const style = `
    :host { all: initial; }
    button { position: fixed; inset: auto 20px 20px auto; z-index: 2147483000; width: 60px; height: 60px; padding: 0;
      border: 0; border-radius: 50%; background: #3457d5; color: #fff; cursor: pointer; box-shadow: 0 6px 20px #0004; }
    button:focus-visible { outline: 3px solid #fff; outline-offset: -6px; }
    svg { width: 28px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    iframe { position: fixed; inset: auto 20px 92px auto; z-index: 2147483000; width: 400px; height: min(640px, 100vh - 120px);
      border: 0; border-radius: 16px; box-shadow: 0 12px 48px #0005; background: Canvas; }
    [hidden] { display: none; }
    @media (max-width: 480px) { iframe { inset: 0; width: 100%; height: 100%; border-radius: 0; } }`;

  const make = (name, attributes) => Object.assign(document.createElement(name), attributes);
  const host = make("div");
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  shadow.adoptedStyleSheets = [sheet];
  const button = make("button", { type: "button", ariaLabel: title, ariaExpanded: "false" });
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  svg.setAttribute("viewBox", "0 0 24 24");
  path.setAttribute("d", "M4 5h16v11H9l-5 4V5Z");
  svg.append(path);
  button.append(svg);
  shadow.append(button);
  let frame;

  const open = () => {
    if (!frame) {
      frame = make("iframe", { src: page.href, title });
      shadow.append(frame);
    }
    frame.hidden = false;
    button.ariaExpanded = "true";
    frame.focus();
  };
  const close = () => {
    if (!frame || frame.hidden) return;
    frame.hidden = true;
    button.ariaExpanded = "false";
    button.focus();
  };
  button.onclick = () => (frame && !frame.hidden ? close() : open());
  addEventListener("keydown", (event) => event.key === "Escape" && close());
  // Browsers let a frame of another site keep nothing, so this site keeps who its visitor is, if it may.
  const keep = (token) => {
    try {
      if (token === undefined) return localStorage.getItem(keptAs);
      if (token === null) localStorage.removeItem(keptAs);
      else localStorage.setItem(keptAs, token);
    } catch {
      // The visitor is then somebody new with every page.
    }
    return null;
  };
  addEventListener("message", ({ source, origin, data }) => {
    if (!frame || source !== frame.contentWindow || origin !== page.origin) return;
    if (data?.parley === "close") close();
    if (data?.parley === "token") keep(data.token);
    if (data?.parley === "ready") source.postMessage({ parley: "token", token: keep() }, origin);
  });
  const add = () => document.body.append(host);
  if (document.body) add();
  else addEventListener("DOMContentLoaded", add);
})();
