// Shows a source's own events as they land, and copies lines. The page works without it. Reading order: the tail, copying.

const $ = (id) => document.getElementById(id);
const tail = $("tail");
const MOST = 50;

function code(text) {
  const element = document.createElement("bdi");
  element.className = "code";
  element.dir = "ltr";
  element.textContent = text;
  return element;
}

function landed(word, mark, ...parts) {
  const line = document.createElement("li");
  const state = document.createElement("span");
  state.className = mark ? "tag mark" : "tag";
  state.textContent = word;
  line.append(state);
  for (const part of parts) line.append(" ", part);
  tail.prepend(line);
  while (tail.children.length > MOST) tail.lastElementChild.remove();
  $("tail-waiting").hidden = true;
}

if (tail) {
  const state = $("tail-state");
  const source = new EventSource(tail.dataset.from);
  source.addEventListener("ready", () => (state.textContent = state.dataset.live));
  source.addEventListener("error", () => (state.textContent = state.dataset.lost));
  source.addEventListener("accepted", (event) => {
    const told = JSON.parse(event.data);
    landed(tail.dataset.accepted, false, code(told.type), code(told.id), code(told.identifiers.join(", ")));
  });
  source.addEventListener("refused", (event) => {
    const told = JSON.parse(event.data);
    const link = document.createElement("a");
    link.href = "/dead-letters/" + told.dead_letter;
    link.append(code(told.reason + " " + told.pointer));
    landed(tail.dataset.refused, true, link, code(told.detail));
  });
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest?.("[data-copies]");
  if (!button) return;
  const lines = $(button.dataset.copies);
  try {
    await navigator.clipboard.writeText(lines.textContent);
  } catch {
    getSelection().selectAllChildren(lines); // without a secure origin the browser gives no clipboard
    document.execCommand("copy");
  }
  const before = button.textContent;
  button.textContent = button.dataset.copied;
  setTimeout(() => (button.textContent = before), 1500);
});
