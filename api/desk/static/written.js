// Says while a rule is written what it says, or what is wrong with it. The page works without it: saving says the same.

const PAUSE = 250; // milliseconds after the last key
const form = document.querySelector("[data-check]");
const judged = document.getElementById("judged");
let waiting, asked = 0, followed = 0;

async function check() {
  const mine = ++asked;
  try {
    const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams({ text: form.elements.text.value }) });
    if (!answer.ok || mine !== asked) return;
    judged.innerHTML = await answer.text(); // our own page's, escaped there
    if (judged.querySelector(".wrong")) form.elements.text.setAttribute("aria-invalid", "true");
    else form.elements.text.removeAttribute("aria-invalid");
    mark();
  } catch {
    // no answer: what stands there stays
  }
}

// The form beside the text: who writes in one sees the other follow.
const beside = document.getElementById("rule-form");

async function follow(address, take) {
  const mine = ++followed;
  try {
    const answer = await fetch(address, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (answer.ok && mine === followed) take(await answer.text());
  } catch {
    // no answer: what stands there stays
  }
}

/** What is wrong is marked in the form, too, where that shows it. */
function mark() {
  const wrong = new Set([...judged.querySelectorAll("[data-field]")].map((said) => said.dataset.field));
  for (const field of beside?.querySelectorAll("[name]") ?? []) {
    field.toggleAttribute("aria-invalid", false);
    if (!wrong.has(field.name)) continue;
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", "judged");
  }
}

function show() {
  const chosen = ["kind", "act"].map((name) => form.elements[`f_${name}`]?.value);
  for (const line of beside.querySelectorAll("[data-of]")) line.hidden = !line.dataset.of.split(" ").some((of) => chosen.includes(of));
}

form?.elements.text.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(() => {
    check();
    if (beside) follow("/rules/form", (html) => ((beside.innerHTML = html), mark())); // our own page's, escaped there
  }, PAUSE);
});

beside?.addEventListener("input", () => {
  show();
  clearTimeout(waiting);
  waiting = setTimeout(() => follow("/rules/text?part=1", (text) => ((form.elements.text.value = text), check())), PAUSE);
});

if (judged) mark();
