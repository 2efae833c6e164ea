// Keeps an open page live and serves the keyboard. Every page works without it. Reading order: keys, copying, older, live.

const $ = (id) => document.getElementById(id);
const language = document.documentElement.lang;
const timeZone = document.documentElement.dataset.zone; // of the desk, wherever the browser thinks it is
const calendar = language === "fa" ? "fa-IR-u-ca-persian" : "en-GB";

// --- keys: by their place on the keyboard, for a Persian layout types other signs there ---

const REGIONS = { Digit1: "q", Digit2: "name", Digit3: "matters-title", Digit4: "score-title numbers-title", Digit5: "timeline-title" };
Object.assign(REGIONS, { Digit6: "outcome", KeyN: "request-title", KeyW: "outcome" });
const reached = (code) => REGIONS[code]?.split(" ").map($).find(Boolean);

const typing = (element) => element.matches?.("input, textarea, select, [contenteditable]");

function focusOn(element) {
  if (!element) return;
  if (element.tabIndex < 0) element.tabIndex = -1;
  element.focus();
}

function step(by) {
  const entries = [...document.querySelectorAll(".entry summary")];
  const at = entries.indexOf(document.activeElement.closest?.(".entry")?.querySelector("summary"));
  focusOn(entries[at < 0 ? 0 : Math.min(Math.max(at + by, 0), entries.length - 1)]);
}

function along(list, by) {
  const links = [...list.querySelectorAll("a")];
  const at = links.indexOf(document.activeElement);
  (at + by < 0 ? $("q") : links[Math.min(at + by, links.length - 1)]).focus();
}

/** One key each: what carries data-key is pressed by it, and written into when it is a field. */
function pressed(event) {
  const letter = /^Key([A-Z])$/.exec(event.code);
  const keyed = letter && !event.shiftKey && document.querySelector(`[data-key="${letter[1].toLowerCase()}"]`);
  if (!keyed) return false;
  event.preventDefault(); // the letter is not to be written into the field that it leads to
  const wanted = keyed.dataset.wants && keyed.form.elements[keyed.dataset.wants]; // who has not written it yet is led to where it is written
  if (keyed.matches("input, textarea, select")) keyed.focus();
  else if (wanted && !wanted.value.trim()) wanted.focus();
  else keyed.click();
  return true;
}

document.addEventListener("click", (event) => {
  const menu = document.querySelector(".menu[open]");
  if (menu && !menu.contains(event.target)) menu.open = false;
});

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey) return;
  const found = document.querySelector(".found");
  const entered = event.code === "Enter" && event.target.form?.querySelector(`[formaction$="/${event.target.dataset.enter}"]`);
  if (entered) {
    event.preventDefault(); // it would be the form's first button
    entered.click();
  } else if (event.altKey) {
    if (event.code === "KeyX" && $("not-him")) {
      event.preventDefault();
      $("not-him").click();
    } else if (reached(event.code)) {
      event.preventDefault();
      focusOn(reached(event.code));
    }
  } else if (found && (event.code === "ArrowDown" || event.code === "ArrowUp")) {
    const outside = event.target === $("q") || event.target === document.body;
    if (outside ? event.code === "ArrowDown" : found.contains(event.target)) {
      event.preventDefault();
      along(found, event.code === "ArrowDown" ? 1 : -1);
    }
  } else if (event.code === "Escape" && typing(event.target)) {
    if (event.target === $("q")) event.target.value = "";
    event.target.blur(); // what is typed in the dock stays there, and in its draft
  } else if (event.code === "Escape" && document.querySelector(".menu[open]")) {
    document.querySelector(".menu[open]").open = false;
  } else if (!typing(event.target)) {
    if (pressed(event)) return;
    if (event.code === "Slash" && !event.shiftKey) {
      event.preventDefault();
      $("q").select();
      $("q").focus();
    } else if (event.code === "KeyJ" || event.code === "KeyK") {
      step(event.code === "KeyJ" ? 1 : -1);
    }
  }
});

document.addEventListener("click", (event) => {
  const closes = event.target.closest("[data-closes]");
  if (closes) $(closes.dataset.closes)?.replaceChildren();
});

// --- copying: a phone number is read in the reader's digits and copied as machines take it ---

document.addEventListener("copy", (event) => {
  const selection = getSelection();
  const { anchorNode } = selection;
  const marked = (anchorNode?.closest ? anchorNode : anchorNode?.parentElement)?.closest("[data-copy]");
  if (marked && marked.contains(selection.focusNode) && selection.toString().trim() === marked.textContent.trim()) {
    event.clipboardData.setData("text/plain", marked.dataset.copy);
    event.preventDefault();
  }
});

// --- the timeline: days newest first, in each the entries newest first ---

const POWERED = ' data-htmx-powered="true"'; // as htmx marks what it met
const parse = (html) => new DOMParser().parseFromString(html, "text/html").body;

function placed(list, element, before) {
  list.insertBefore(element, [...list.children].find(before) ?? null);
}

/** Put an entry where it belongs; what lies beyond the oldest entry shown comes with "older". */
function addEntry(entry) {
  const timeline = $("timeline");
  if ($(entry.id)) return null;
  const oldest = [...timeline.querySelectorAll(".entry")].at(-1);
  if (oldest && timeline.querySelector(".older") && Date.parse(entry.at) < Date.parse(oldest.dataset.at)) return null;
  timeline.querySelector(".nothing")?.remove();
  const day = parse(entry.html).querySelector(".day");
  const item = day.querySelector(".entry");
  const known = timeline.querySelector(`.day[data-day="${entry.day}"]`);
  if (known) {
    placed(known.querySelector("ol"), item, (other) => Date.parse(other.dataset.at) <= Date.parse(entry.at));
  } else {
    placed(timeline, day, (other) => !other.matches(".day") || other.dataset.day < entry.day);
  }
  item.classList.add("fresh");
  return item;
}

let owed = 0; // browsers scroll by whole pixels: what is left over is given with the next change, so that many do not add up

const READ = ".entry, tr[data-at], [data-still]";

/** Change the page without moving what is being read: the focused entry or row, or the first one in sight of a scrolled page. */
function holdingStill(change) {
  const focused = document.activeElement.closest?.(READ);
  const seen = scrollY > 0 ? [...document.querySelectorAll(READ)].find((entry) => entry.getBoundingClientRect().bottom > 120) : null;
  const anchor = focused ?? seen;
  const before = anchor?.getBoundingClientRect().top;
  change();
  if (!anchor?.isConnected) return;
  const from = scrollY;
  owed += anchor.getBoundingClientRect().top - before;
  scrollBy({ top: owed, behavior: "instant" });
  owed -= scrollY - from;
  if (Math.abs(owed) >= 1) owed = 0; // the page ends there
}

const MOST = 300; // rows that stay for who has scrolled to them

/** New rows take their places, the newest above; others change where they stand. Answers the new ones, the newest last. */
function refill(list, html) {
  const body = list.querySelector("tbody");
  const rows = [...parse(html).querySelectorAll("tbody tr")].reverse();
  const added = rows.filter((row) => {
    const known = $(row.id);
    if (!known) return placed(body, row, (other) => Date.parse(other.dataset.at) <= Date.parse(row.dataset.at)), true;
    for (const [place, cell] of [...known.cells].entries()) {
      const now = row.cells[place];
      if (cell.innerHTML.replaceAll(POWERED, "") !== now.innerHTML && !cell.contains(document.activeElement)) cell.replaceChildren(...now.childNodes);
    }
    return false;
  });
  const listed = new Set(rows.map((row) => row.id));
  for (const row of [...body.rows].reverse()) {
    const stays = listed.has(row.id) || row.contains(document.activeElement) || (scrollY > 0 && body.rows.length <= MOST);
    if (!stays) row.remove();
  }
  list.querySelector(".nothing").hidden = body.rows.length > 0;
  list.querySelector(".scroller").hidden = body.rows.length === 0;
  for (const row of added) row.classList.add("fresh");
  return added;
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-older]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  link.setAttribute("aria-busy", "true");
  const answer = await fetch(link.href).catch(() => null);
  if (!answer?.ok) return location.assign(link.href);
  const older = parse(await answer.text()).querySelector("#timeline");
  const timeline = $("timeline");
  const first = older.querySelector(".entry");
  link.parentElement.remove();
  for (const piece of [...older.children]) {
    const known = piece.matches(".day") && timeline.querySelector(`.day[data-day="${piece.dataset.day}"]`);
    if (known) known.querySelector("ol").append(...piece.querySelectorAll(".entry"));
    else timeline.append(piece);
  }
  first?.querySelector("summary").focus({ preventScroll: true });
});

// --- drafts: what is typed survives a reload, a call that comes in between, and a server that is away ---

// With a draft goes the version that it changes: whoever was overtaken meanwhile is told so.
const fieldsOf = (form) => [...form.elements].filter((field) => field.name && (field.type !== "hidden" || ["draft", "version"].includes(field.name)));
const keyOf = (form) => `yekta:${form.dataset.draft}`;

function keep(form) {
  const values = Object.fromEntries(fieldsOf(form).map((field) => [field.name, field.value]));
  localStorage.setItem(keyOf(form), JSON.stringify(values));
}

function restore(form) {
  const kept = JSON.parse(localStorage.getItem(keyOf(form)) ?? "null");
  if (kept) for (const field of fieldsOf(form)) if (field.name in kept) field.value = kept[field.name];
}

/** Sends until somebody answers: the draft's id makes many sendings one. */
async function send(form) {
  const say = (text, wrong = false) => {
    $("dock-said").textContent = text;
    $("dock-said").classList.toggle("wrong", wrong);
  };
  const dock = $("dock").dataset;
  const button = form.querySelector("button");
  let wrong = null;
  for (const field of form.elements) amend(field);
  const body = new URLSearchParams(new FormData(form));
  keep(form);
  const pressed = document.activeElement === button;
  button.disabled = true; // which takes the focus from it
  say(dock.sending);
  for (;;) {
    const answer = await fetch(form.action, { method: "POST", body, headers: { accept: "application/json" } }).catch(() => null);
    if (answer?.ok) {
      const { said } = await answer.json();
      localStorage.removeItem(keyOf(form));
      form.reset();
      form.elements.draft.value = crypto.randomUUID();
      say(said ?? dock.saved);
      break;
    }
    if (answer && answer.status < 500) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const told = page.querySelector("main .wrong") ?? page.querySelector("main p, main h1");
      say(told?.textContent ?? String(answer.status), true);
      wrong = form.elements[page.querySelector("[data-field]")?.dataset.field];
      break;
    }
    await new Promise((again) => setTimeout(again, 700));
  }
  button.disabled = false;
  wrong?.setAttribute("aria-invalid", "true");
  wrong?.setAttribute("aria-describedby", "dock-said");
  const here = form.contains(document.activeElement) || (pressed && document.activeElement === document.body); // and not gone elsewhere
  if (wrong && here) amiss(wrong);
  else if (pressed && document.activeElement === document.body) button.focus();
}

/** Who wrote what is wrong is led to it, and writes over it. */
function amiss(field) {
  field.focus();
  field.select?.();
}

/** What was wrong is written anew. */
function amend(field) {
  field.removeAttribute("aria-invalid");
  field.removeAttribute("aria-describedby");
}

const drafted = (event) => event.target.closest?.("form[data-draft]");
const restoreAll = () => document.querySelectorAll("form[data-draft]").forEach(restore);
restoreAll();
document.addEventListener("input", (event) => {
  if (event.target.closest("#dock")) amend(event.target);
  if (drafted(event)) keep(drafted(event));
});
document.addEventListener("submit", (event) => {
  const form = drafted(event);
  if (!form) return;
  if (!form.closest("#dock")) return localStorage.removeItem(keyOf(form));
  event.preventDefault();
  send(form);
});

// What an answer brought in place of the page's middle: its drafts, and whoever reads by keyboard begins there.
document.addEventListener("htmx:after:swap", () => {
  restoreAll();
  const wrong = document.querySelector("main [aria-invalid]"); // why stands beside it, and is to be seen
  if (wrong) amiss(wrong);
  else if (document.activeElement === document.body) ($("script")?.querySelector("a") ?? $("main")).focus({ preventScroll: true });
});

/** What is wrong in a field is typed over: a browser that goes there before the page is drawn leaves the caret before it. */
const over = (field) => field?.matches("main input[aria-invalid][autofocus]") && field.select();
over(document.activeElement);
document.addEventListener("focusin", ({ target }) => over(target), { once: true });

// --- the call: its timer, and the ring that fills the desk ---

const strip = $("call");
let stage = strip?.dataset.stage;
let since = strip ? Date.parse(strip.dataset.since) : 0;

function tick() {
  if (!strip || !["ringing", "answered"].includes(stage)) return;
  const seconds = Math.max(0, Math.floor((Date.now() - since) / 1000));
  const digits = new Intl.NumberFormat(language, { minimumIntegerDigits: 2 });
  $("call-timer").textContent = `${digits.format(Math.floor(seconds / 60))}:${digits.format(seconds % 60)}`;
}
setInterval(tick, 1000);
tick();
// The page that a ring fills says so itself: what the page before it began to say was cut off.
if (stage === "ringing") setTimeout(() => ($("ring").textContent = [$("call-said"), document.querySelector("h1")].map((one) => one.textContent).join(" · ")), 100);

/** A ring fills the desk by itself, once; other stages change what is shown of the call. */
function called({ id, stage: now, said, at, pop }) {
  if (strip && strip.dataset.call === id) {
    stage = now;
    since = Date.parse(at);
    strip.dataset.stage = now;
    $("call-said").textContent = said;
    return tick();
  }
  const popped = `yekta:popped:${id}`;
  if (now !== "ringing" || sessionStorage.getItem(popped)) return;
  sessionStorage.setItem(popped, "1");
  $("ring").textContent = said;
  for (const form of document.querySelectorAll("form[data-draft]")) if (localStorage.getItem(keyOf(form))) keep(form);
  location.assign(pop);
}

const slider = $("as-of");
const days = new Intl.DateTimeFormat(calendar, { dateStyle: "long", timeZone });
slider?.addEventListener("input", () => ($("as-of-days").textContent = days.format(Date.now() - slider.value * 86_400_000)));

// --- live ---

const SILENCE = 4500;
const AGAIN = 2500; // milliseconds, and as much again by chance: two hundred desks do not come back at once

function follow(address) {
  let source;
  const live = $("live");
  const timeline = $("timeline");
  const waiting = new Map();
  let heard = Date.now();
  let told = null; // since when the server says that what it has is old

  const ages = new Intl.RelativeTimeFormat(language, { numeric: "always" });
  const age = (since) => {
    const seconds = Math.max(1, Math.round((Date.now() - since) / 1000));
    return seconds < 90 ? ages.format(-seconds, "second") : ages.format(-Math.round(seconds / 60), "minute");
  };

  function judge() {
    if (!live) return; // a page that shows nobody
    const since = told ?? (Date.now() - heard > SILENCE ? heard : null);
    const state = since === null ? "live" : "stale";
    if (live.dataset.state !== state) {
      live.dataset.state = state;
      $("live-word").textContent = live.dataset[state];
      $("stale").hidden = state === "live";
    }
    if (since !== null) $("stale-age").textContent = age(since);
  }

  /** A region is replaced when it changed and nobody is in it; what a reader opened stays open. */
  function settle() {
    for (const [name, html] of waiting) {
      const region = $(name);
      if (region.contains(document.activeElement)) continue;
      const fresh = parse(html);
      const open = [...region.querySelectorAll("details[open]")].map((details) => details.id);
      for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
      if (fresh.innerHTML !== region.innerHTML.replaceAll(POWERED, "")) {
        region.replaceChildren(...fresh.childNodes);
        globalThis.htmx?.process(region); // it meets only what it is shown
      }
      waiting.delete(name);
    }
    if ($("offer")?.matches(".silence")) document.querySelector("#script [data-offer]")?.remove(); // what may not be offered is not said on
  }

  const handlers = new Map();
  const on = (name, handle) =>
    handlers.set(name, (event) => {
      heard = Date.now();
      handle(JSON.parse(event.data));
      judge();
    });
  on("beat", () => (document.documentElement.dataset.listening = "yes"));
  on("fresh", () => (told = null));
  on("stale", ({ since }) => (told = Date.parse(since)));
  on("call", called);
  /** A region that could not be read keeps what it shows, and says since when; one that says so already does not say it twice. */
  function mourn(name, text) {
    const region = $(name);
    if (region.querySelector(":scope > .failed")) return;
    const said = document.createElement("p");
    said.className = "failed failed-now";
    said.setAttribute("role", "status");
    said.textContent = `${text} · ${new Intl.DateTimeFormat(calendar, { timeStyle: "short", timeZone }).format(new Date())} `;
    const again = document.createElement("a");
    again.href = location.href;
    again.textContent = "↻";
    again.setAttribute("aria-label", live.dataset.retry);
    said.append(again);
    region.prepend(said);
  }
  on("changes", ({ gone, erased, entries = [], regions = {}, tables = {}, failed = {} }) => {
    if (erased) document.querySelectorAll("form[data-draft]").forEach((form) => localStorage.removeItem(keyOf(form)));
    if (gone) return location.replace(gone);
    holdingStill(() => {
      const added = entries.filter(addEntry).filter((entry) => entry.said);
      if (added.length) $("news").textContent = timeline.dataset.news.replace("{title}", added.at(-1).title);
      for (const [name, html] of Object.entries(tables)) {
        const { one, many } = $(name).dataset;
        const rows = refill($(name), html);
        const count = new Intl.NumberFormat(language).format(rows.length);
        if (rows.length) $("news").textContent = rows.length > 1 ? many.replace("{number}", count) : one.replace("{rule}", rows[0].dataset.rule);
      }
      for (const [name, html] of Object.entries(regions)) waiting.set(name, html);
      settle();
      for (const [name, text] of Object.entries(failed)) mourn(name, text);
    });
  });
  function open() {
    source = new EventSource(address);
    for (const [name, handle] of handlers) source.addEventListener(name, handle);
    source.addEventListener("open", () => (told = null)); // another server may answer, and knows nothing of what the last one said
    source.addEventListener("error", () => {
      // A stream that was refused does not come back by itself: the server was too busy, the session is over, or the customer is gone.
      if (source.readyState === EventSource.CLOSED) {
        heard = Math.min(heard, Date.now() - SILENCE - 1);
        setTimeout(open, AGAIN * (1 + Math.random()));
      }
      judge();
    });
  }
  open();
  document.addEventListener("focusout", () => setTimeout(() => holdingStill(settle)));
  setInterval(judge, 250); // within five seconds, whenever the last word came
  addEventListener("pagehide", () => source.close());
}

// Of a customer who was erased nothing that was being written stays in this browser either.
const forgotten = document.querySelector("[data-erased]")?.dataset.erased;
if (forgotten) for (const key of Object.keys(localStorage)) if (key.includes(forgotten)) localStorage.removeItem(key);

const stream = document.querySelector("[data-stream]")?.dataset.stream;
if (stream) follow(stream);
