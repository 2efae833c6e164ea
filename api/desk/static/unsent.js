// What was sent and not taken stands in its form again: the session was over, or nobody answered. Reading order: sent, answered, restore.

const KEPT = "yekta:sent"; // of this tab alone
const read = () => JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
const write = (sent) => sessionStorage.setItem(KEPT, JSON.stringify(sent));
const forget = () => sessionStorage.removeItem(KEPT);
const forms = () => [...document.querySelectorAll("main form")];
const here = () => document.querySelector('form[action="/language"] [name="back"]').value; // what can be asked for again
const person = () => document.querySelector(".tools .me")?.textContent;

// What the dock sends goes on being sent by itself, and who signs in writes nothing that is kept.
document.addEventListener("submit", (event) => {
  const form = event.target;
  const action = form.getAttribute("action");
  if (form.method !== "post" || form.closest("main, #dock")?.id !== "main" || action === "/sign-in") return;
  if (![...form.elements].some((field) => field.name && field.type !== "hidden")) return;
  write({ at: here(), by: person(), action, index: forms().indexOf(form), fields: [...new FormData(form)] });
});

function restore({ action, index, fields, said }) {
  const form = forms().find((one) => one.getAttribute("action") === action) ?? forms()[index];
  if (!form) return;
  const { whole } = form.dataset;
  if (whole && fields.some(([name]) => !form.elements[name])) return grow(whole, fields);
  for (const field of form.elements) {
    const mine = fields.find(([name]) => name === field.name);
    if (["checkbox", "radio"].includes(field.type)) field.checked = fields.some(([name, value]) => name === field.name && value === field.value);
    else if (mine) field.value = mine[1];
  }
  (form.elements.text ?? form).dispatchEvent(new Event("input", { bubbles: true }));
  if (said) {
    const notice = document.createElement("p");
    notice.className = "notice";
    notice.setAttribute("role", "status");
    notice.textContent = said;
    form.prepend(notice);
  }
}

/** A form that had grown is made by the server, which knows how. */
function grow(address, fields) {
  const form = document.createElement("form");
  Object.assign(form, { method: "post", action: address, hidden: true });
  for (const [name, value] of fields) form.append(Object.assign(document.createElement("textarea"), { name, value }));
  document.body.append(form);
  form.submit();
}

function answered(wentBack) {
  const sent = read();
  if (!sent) return;
  const untaken = document.querySelector("[data-untaken]");
  const again = sent.said || wentBack;
  if (document.querySelector("[data-erased]")) return forget();
  if (untaken) {
    write({ ...sent, said: untaken.dataset.untaken });
    for (const back of document.querySelectorAll('[name="back"]')) back.value = sent.at;
    for (const way of document.querySelectorAll("[data-way]")) way.href = `${way.dataset.way}${encodeURIComponent(sent.at)}`;
  } else if (again && sent.at === here() && sent.by === person()) {
    forget();
    restore(sent);
  } else if (!sent.said) forget();
}

answered(performance.getEntriesByType("navigation")[0]?.type === "back_forward");
document.addEventListener("htmx:after:swap", () => answered(false));
