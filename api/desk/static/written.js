// Says while a rule is written what it says, or what is wrong with it. The page works without it: saving says the same.

const PAUSE = 250; // milliseconds after the last key
const form = document.querySelector("[data-check]");
const judged = document.getElementById("judged");
let waiting, asked = 0;

async function check() {
  const mine = ++asked;
  try {
    const answer = await fetch(form.dataset.check, { method: "POST", body: new URLSearchParams({ text: form.elements.text.value }) });
    if (answer.ok && mine === asked) judged.innerHTML = await answer.text(); // our own page's, escaped there
  } catch {
    // no answer: what stands there stays
  }
}

form?.elements.text.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(check, PAUSE);
});
