import { sourceOf } from "./connection.js";
import { icon, linked, make, sizeText } from "./dom.js";

/** A piece of a message as it is shown; choices stand below it. */
export function partElement(part) {
  switch (part.kind) {
    case "text":
      return make("p", { class: "text", dir: "auto" }, ...linked(part.text));
    case "file":
      return fileElement(part);
    case "choice":
      return make("p", { class: "text", dir: "auto" }, part.label ?? part.value);
    case "location": {
      const { latitude, longitude, name } = part;
      const href = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=15/${latitude}/${longitude}`;
      const words = name || `${latitude.toFixed(4)}, ${longitude.toFixed(4)}`;
      return make("a", { class: "file", href, target: "_blank", rel: "noopener noreferrer" }, icon("place"), words);
    }
    case "contact":
      return make("p", { class: "text", dir: "auto" }, [part.name, part.phone].filter(Boolean).join("\n"));
    case "reaction":
      return make("p", { class: "text" }, part.emoji);
    default:
      return make("p", { class: "text" }, "This cannot be shown here.");
  }
}

function fileElement(part) {
  const figure = make("figure");
  const show = (element) => figure.prepend(element);
  const viewers = {
    image: imageElement,
    audio: playerElement,
    voice: playerElement,
    video: playerElement,
    sticker: imageElement,
  };
  const viewer = part.url && viewers[part.media];
  show(viewer ? viewer(part, () => show(linkElement(part))) : linkElement(part));
  if (part.caption) figure.append(make("figcaption", { class: "text", dir: "auto" }, ...linked(part.caption)));
  return figure;
}

function imageElement(part, orElse) {
  const image = make("img", { alt: part.name ?? "Picture", loading: "lazy" });
  const link = make("a", { target: "_blank", rel: "noopener" }, image);
  load(part, link, image, orElse).then((source) => link.setAttribute("href", source));
  return link;
}

function playerElement(part, orElse) {
  const player = make(part.media === "video" ? "video" : "audio", { controls: true, preload: "metadata" });
  player.setAttribute("aria-label", part.name ?? part.media);
  load(part, player, player, orElse);
  return player;
}

/** What the browser cannot show gives way to a link. */
async function load(part, element, viewer, orElse) {
  const giveWay = () => {
    element.remove();
    orElse();
  };
  viewer.onerror = giveWay;
  const source = await sourceOf(part.url).catch(giveWay);
  if (source) viewer.src = source;
  return source;
}

function linkElement(part) {
  const words = [
    part.name ?? "File",
    part.url ? part.bytes && sizeText(part.bytes) : (part.missing ?? "not available"),
  ];
  const link = make(
    "a",
    { class: "file", download: part.name ?? "file" },
    icon("file"),
    words.filter(Boolean).join(" · "),
  );
  if (!part.url) return link;
  link.href = "#";
  // Fetched only when it is wanted: where the page has no cookie, a link by itself would be refused.
  link.onclick = async (event) => {
    if (link.dataset.ready) return;
    event.preventDefault();
    link.href = await sourceOf(part.url);
    link.dataset.ready = "yes";
    link.click();
  };
  return link;
}

/** Buttons for what the bot offers. */
export function choicesElement({ choices }, onChoose) {
  const buttons = choices.map((choice) => {
    const button = make("button", { type: "button", value: choice.value, dir: "auto" }, choice.label);
    button.onclick = () => onChoose(choice);
    return button;
  });
  return make("div", { class: "choices", role: "group", "aria-label": "Choices" }, ...buttons);
}
