// Tells Yekta what happens on a web page: views, products, forms, and what the page says itself.
//
//   <script async src="https://yekta.example/yekta.js" data-key="yk_..."></script>
//
// Everything waits in localStorage until the server said that it has it, so nothing is lost offline; each message has an id,
// so nothing counts twice. Speaks the Segment dialect. Reading order: allowed, add, send, leave, then what is noticed.
(() => {
  "use strict";
  const w = window, d = document, n = navigator, tag = d.currentScript;
  if (!tag || (w.yekta && w.yekta.track)) return;
  const key = tag.dataset.key, address = tag.dataset.to || new URL("/v1/b", tag.src).href;
  const early = Array.isArray(w.yekta) ? w.yekta : [];
  const memory = {};
  let busy = 0, wait = 0, timer = 0, last = "";

  // What the browser keeps for this site; memory when it keeps nothing.
  const get = (name) => {
    try { return JSON.parse(localStorage.getItem("yekta." + name)); } catch { return memory[name]; }
  };
  const set = (name, value) => {
    memory[name] = value;
    try {
      if (value == null) localStorage.removeItem("yekta." + name);
      else localStorage.setItem("yekta." + name, JSON.stringify(value));
    } catch { /* private windows and full disks */ }
  };
  const id = () => {
    if (crypto.randomUUID) return crypto.randomUUID();
    const b = crypto.getRandomValues(new Uint8Array(16));
    return [...b].map((x, i) => ([4, 6, 8, 10].includes(i) ? "-" : "") + x.toString(16).padStart(2, "0")).join("");
  };

  // A visitor who said yes or no is heard before his browser's setting, and that before the page's.
  const allowed = () => {
    const said = get("consent");
    if (said != null) return said;
    if (n.doNotTrack === "1" || w.doNotTrack === "1" || n.globalPrivacyControl) return false;
    return tag.dataset.consent !== "required";
  };
  const device = () => {
    let own = get("device");
    if (!own) set("device", (own = id()));
    return own;
  };
  const waiting = () => get("queue") || [];

  const context = () => {
    const campaign = {};
    new URLSearchParams(location.search).forEach((value, name) => {
      if (name.startsWith("utm_")) campaign[name === "utm_campaign" ? "name" : name.slice(4)] = value;
    });
    const page = { url: location.href, path: location.pathname, title: d.title, referrer: d.referrer };
    return { library: { name: "yekta.js" }, locale: n.language, userAgent: n.userAgent, page, campaign };
  };

  const add = (type, fields) => {
    if (!allowed()) return;
    const message = { type, messageId: id(), timestamp: new Date().toISOString(), anonymousId: device(), userId: get("user"), context: context() };
    set("queue", waiting().concat(Object.assign(message, fields)).slice(-500));
    later(200);
  };
  const later = (after) => {
    clearTimeout(timer);
    timer = setTimeout(send, after);
  };
  // As many as a browser lets through while a page is closed: 64 kB.
  const body = (queue) => {
    let text = "", count = queue.length;
    do {
      text = JSON.stringify({ writeKey: key, sentAt: new Date().toISOString(), batch: queue.slice(0, count) });
      if (new Blob([text]).size < 6e4) break;
      count = count >> 1;
    } while (count > 0);
    return [text, Math.max(count, 1)];
  };

  const send = async () => {
    const queue = waiting();
    if (busy || !queue.length || n.onLine === false) return;
    busy = 1;
    const [text, count] = body(queue);
    let pause = 0, most = 6e4;
    try {
      const answer = await fetch(address, { method: "POST", body: text, keepalive: text.length < 6e4, headers: { "Content-Type": "text/plain" } });
      const again = answer.status >= 500 || answer.status === 429 || answer.status === 408;
      if (again) pause = 1e3 * answer.headers.get("Retry-After") || 1;
      else forget(queue.slice(0, count));
    } catch {
      // No line: not every browser says when there is one again.
      pause = 1;
      most = 4e3;
    }
    busy = 0;
    wait = pause ? Math.min(Math.max(wait * 2, 1e3), most) : 0;
    if (waiting().length) later(Math.max(pause, wait));
  };
  // Another tab may have added some meanwhile.
  const forget = (sent) => {
    const ids = new Set(sent.map((message) => message.messageId));
    set("queue", waiting().filter((message) => !ids.has(message.messageId)));
  };
  // A beacon is not answered: what it took stays waiting, and is known by its id when it comes again.
  const leave = () => {
    const queue = waiting();
    if (queue.length && n.sendBeacon) n.sendBeacon(address, body(queue)[0]);
  };

  const api = {
    track: (event, properties) => add("track", { event, properties }),
    page(name, properties) {
      const referrer = last || d.referrer;
      last = location.href;
      add("page", { name, properties: Object.assign({ url: location.href, title: d.title, referrer }, properties) });
    },
    product: (properties) => api.track("Product Viewed", Object.assign({ url: location.href }, properties)),
    identify(user, traits) {
      if (typeof user === "object") [user, traits] = [null, user];
      if (!allowed()) return;
      if (user) set("user", String(user));
      add("identify", { traits });
    },
    consent(yes, purpose = "analytics") {
      const mine = purpose === "analytics";
      if (yes && mine) set("consent", true);
      if (!yes && mine) set("queue", null);
      api.track(yes ? "consent.given" : "consent.withdrawn", { purpose });
      if (!mine) return;
      if (yes) return notice();
      // The word itself is still told, and nothing else: neither now nor later.
      set("consent", false);
      api.reset();
    },
    reset() {
      for (const name of ["device", "user"]) set(name, null);
    },
    flush: send,
    push: ([name, ...values]) => api[name](...values),
  };

  // Each address once: the first view, and those that a page without reloading makes.
  const notice = () => {
    if (!allowed() || last === location.href || tag.dataset.auto === "off") return;
    api.page(tag.dataset.page);
    const seen = new Set();
    const shown = (product) => {
      if (product.sku && !seen.has(product.sku)) { seen.add(product.sku); api.product(product); }
    };
    d.querySelectorAll("[data-yekta-sku]").forEach((element) => {
      const said = element.dataset;
      shown({ sku: said.yektaSku, name: said.yektaName, category: said.yektaCategory, price: said.yektaPrice, currency: said.yektaCurrency });
    });
    d.querySelectorAll('script[type="application/ld+json"]').forEach((element) => {
      try {
        for (const one of [].concat(JSON.parse(element.textContent)).flatMap((each) => each["@graph"] || each)) {
          const offer = [].concat(one.offers)[0] || {}, said = [].concat(offer.priceSpecification)[0] || {};
          if ([].concat(one["@type"]).includes("Product"))
            shown({
              sku: one.sku || one.productID, name: one.name, category: one.category,
              price: offer.price ?? offer.lowPrice ?? said.price, currency: offer.priceCurrency ?? said.priceCurrency,
            });
        }
      } catch { /* not ours to mend */ }
    });
  };

  // The names of a form's fields. Values only where the form or the field allows them, and secrets never.
  const submitted = (event) => {
    const form = event.target, fields = {};
    for (const field of form.elements) {
      if (!field.name || /^(submit|button|hidden|image|reset)$/.test(field.type)) continue;
      const open = (form.hasAttribute("data-yekta-values") || field.hasAttribute("data-yekta-values"))
        && !/^(password|file)$/.test(field.type) && !/^cc-|password|one-time/.test(field.autocomplete || "");
      if (/^(radio|checkbox)$/.test(field.type) && !field.checked) fields[field.name] ??= null;
      else fields[field.name] = open ? String(field.value).slice(0, 500) : null;
    }
    const name = form.getAttribute("name") || form.id || new URL(form.getAttribute("action") || "", location).pathname;
    api.track("web.form_submitted", { form: name, fields, url: location.href });
  };

  const moved = () => setTimeout(notice);
  for (const name of ["pushState", "replaceState"]) {
    const own = history[name];
    history[name] = function (...values) {
      const made = own.apply(this, values);
      moved();
      return made;
    };
  }
  w.addEventListener("popstate", moved);
  w.addEventListener("online", () => later(wait = 0));
  w.addEventListener("pagehide", leave);
  d.addEventListener("visibilitychange", () => d.visibilityState === "hidden" && leave());
  d.addEventListener("submit", submitted, true);
  w.yekta = api;
  const begin = () => { notice(); early.forEach(api.push); send(); };
  if (d.readyState === "loading") d.addEventListener("DOMContentLoaded", begin);
  else begin();
})();
