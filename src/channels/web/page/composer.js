import { upload } from "./connection.js";
import { find, icon, make, sizeText } from "./dom.js";

const bytesMax = 20 * 1024 ** 2;
const filesMax = 9;

/** Where a message is written. `onSend` gets its parts, to be sent and as they are shown. */
export function createComposer(onSend) {
  const text = find("text");
  const send = find("send");
  const list = find("files");
  const picker = find("picker");
  const notice = find("notice");
  const files = new Set();

  const refresh = () => {
    const isUploading = [...files].some((file) => !file.part);
    send.disabled = isUploading || (files.size === 0 && text.value.trim() === "");
    list.hidden = files.size === 0;
    // As high as what is written, up to what the style allows.
    text.style.height = "auto";
    text.style.height = `${text.scrollHeight}px`;
  };

  const say = (words) => {
    notice.textContent = words;
    notice.hidden = words === "";
  };

  const addFile = (file) => {
    say("");
    if (file.size > bytesMax) return say(`${file.name} is larger than ${sizeText(bytesMax)}.`);
    if (files.size >= filesMax) return say(`One message can have ${filesMax} files.`);
    const entry = fileEntry(
      file,
      () => {
        files.delete(entry);
        refresh();
        text.focus();
      },
      refresh,
    );
    files.add(entry);
    list.append(entry.element);
    refresh();
  };
  const addFiles = (chosen) => [...chosen].forEach(addFile);

  const submit = () => {
    refresh();
    if (send.disabled) return;
    const sent = [...files].map(({ part }) => ({ kind: "file", file: part.file }));
    const shown = [...files].map(({ part }) => ({ ...part, kind: "file" }));
    const words = text.value.trim() === "" ? [] : [{ kind: "text", text: text.value.trim() }];
    onSend([...sent, ...words], [...shown, ...words]);
    text.value = "";
    for (const file of files) file.element.remove();
    files.clear();
    say("");
    refresh();
    text.focus();
  };

  send.append(icon("send"));
  find("attach").append(icon("attach"));
  find("attach").onclick = () => picker.click();
  picker.onchange = () => {
    addFiles(picker.files);
    picker.value = "";
  };
  find("composer").onsubmit = (event) => {
    event.preventDefault();
    submit();
  };
  text.oninput = refresh;
  text.onkeydown = (event) => {
    // Enter ends a word that is being composed (Chinese, Japanese…); 229 is what Safari says of it.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    submit();
  };
  text.onpaste = (event) => {
    if (event.clipboardData.files.length === 0) return;
    event.preventDefault();
    addFiles(event.clipboardData.files);
  };
  acceptDrops(addFiles);
  refresh();
}

/** A file on its way up, with what can be done about it. */
function fileEntry(file, onRemove, onChange) {
  const progress = make("progress", { max: "1", value: "0", "aria-label": `Uploading ${file.name}` });
  const preview = file.type.startsWith("image/")
    ? make("img", { alt: "", src: URL.createObjectURL(file) })
    : icon("file");
  const words = make("span", {}, file.name);
  const remove = make("button", { type: "button", class: "icon", "aria-label": `Remove ${file.name}` }, icon("close"));
  const entry = { element: make("li", {}, preview, make("div", {}, words, progress), remove) };
  const stop = new AbortController();

  const start = async () => {
    try {
      const part = await upload(
        file,
        (done) => {
          progress.value = done;
        },
        stop.signal,
      );
      const [media] = part.mimeType.split("/");
      entry.part = { ...part, media: part.mimeType === "image/svg+xml" ? "document" : media };
      progress.replaceWith(make("small", {}, sizeText(file.size)));
    } catch (error) {
      const again = make("button", { type: "button", class: "quiet" }, "Try again");
      const failure = make("small", { role: "alert" }, `${error.message} `, ...(error.isFinal ? [] : [again]));
      again.onclick = () => {
        failure.replaceWith(progress);
        start();
      };
      progress.replaceWith(failure);
    }
    onChange();
  };
  remove.onclick = () => {
    stop.abort();
    entry.element.remove();
    onRemove();
  };
  start();
  return entry;
}

function acceptDrops(addFiles) {
  const mark = (isOver) => document.body.toggleAttribute("data-dropping", isOver);
  addEventListener("dragover", (event) => {
    event.preventDefault();
    mark(event.dataTransfer.types.includes("Files"));
  });
  addEventListener("dragleave", (event) => event.relatedTarget === null && mark(false));
  addEventListener("drop", (event) => {
    event.preventDefault();
    mark(false);
    addFiles(event.dataTransfer.files);
  });
}
