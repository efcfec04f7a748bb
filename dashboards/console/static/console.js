// Keeps the page fresh. Regions with data-source hold server-rendered fragments: fetched anew every data-every
// seconds and, with data-on-alarm, when an alarm event arrives. Without this module every page still works.

const SILENCE_MS = 15_000; // the server sends a heartbeat every 5 s
const RETRY_MS = 3000;

const link = document.getElementById("link");
const banner = document.getElementById("stale");
const updated = document.getElementById("updated");
const announce = document.getElementById("announce");
const zh = document.documentElement.lang.startsWith("zh");
const title = document.title;

const regions = [...document.querySelectorAll("[data-source]")].map((element) => ({ element, busy: false, again: false, failed: false, held: false, fresh: Date.now() }));

// What the page says of itself: live only while the stream is heard, every region could be fetched, and none of them
// is held back by somebody who is filling in a form of it.
let stream = "connecting";

function report() {
  const failed = regions.filter((region) => region.failed);
  const held = regions.filter((region) => region.held);
  const state = stream !== "live" ? stream : failed.length ? "old" : held.length ? "held" : "live";
  const quiet = state === "live" || state === "connecting";
  link.dataset.state = state;
  banner.hidden = quiet;
  document.body.classList.toggle("disconnected", state === "lost");
  const since = quiet ? Date.now() : Math.min(...({ old: failed, held }[state] ?? regions).map((region) => region.fresh), Date.now());
  if (state !== "connecting") {
    updated.textContent = clock(since);
    updated.dataset.day = new Date(since).toLocaleDateString("sv-SE", { timeZone: "Asia/Shanghai" }); // for paper
  }
  if (quiet) return;
  const what = banner.querySelector("[role=alert]");
  if (what.textContent !== banner.dataset[state]) what.textContent = banner.dataset[state];
  banner.querySelector("span:last-child").textContent = banner.dataset.age.replace("{time}", clock(since)).replace("{age}", age(since));
}

const clock = (ms) => new Date(ms).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });

function age(since) {
  const seconds = Math.floor((Date.now() - since) / 1000);
  const [unit, size] = [["d", 86_400], ["h", 3600], ["m", 60]].find(([, size]) => seconds >= 2 * size) ?? ["s", 1];
  return banner.dataset[unit].replace("{n}", Math.floor(seconds / size));
}

setInterval(() => banner.hidden || report(), 1000);

async function refresh(region) {
  if (region.busy) {
    region.again = true;
    return;
  }
  region.busy = true;
  try {
    const answer = await fetch(region.element.dataset.source, {
      headers: { accept: "text/html" },
      signal: AbortSignal.timeout(SILENCE_MS), // no answer is a failure, too
    });
    if (answer.status === 401) {
      document.dispatchEvent(new Event("session-over")); // what is being written is kept for afterwards
      location.reload(); // the session is over: the server answers with the sign-in page
      return;
    }
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    const html = await answer.text();
    region.held = !show(region.element, html) && html !== (region.html ?? html);
    region.failed = false;
    if (!region.held) {
      region.html = html;
      region.fresh = Date.now();
    }
  } catch {
    region.failed = true;
    clearTimeout(region.retry);
    region.retry = setTimeout(() => region.failed && visible() && refresh(region), RETRY_MS);
  } finally {
    region.busy = false;
    region.element.classList.toggle("old", region.failed);
    report();
    if (region.again) {
      region.again = false;
      refresh(region);
    }
  }
}

// What somebody is filling in is theirs: a region with data-keep waits while a form in it is open or was touched.
const touched = new WeakSet();
const inUse = (element) =>
  "keep" in element.dataset &&
  (element.contains(document.activeElement) || element.querySelector("details.act[open]") || touched.has(element));
document.addEventListener("input", (event) => {
  const region = event.target.closest?.("[data-keep]");
  if (region) touched.add(region);
});

function show(element, html) {
  if (inUse(element)) return false;
  const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
  const folds = [...element.querySelectorAll("details[id]")].map((fold) => [fold.id, fold.open]);
  element.innerHTML = html;
  for (const [id, open] of folds) {
    const fold = document.getElementById(id);
    if (fold) fold.open = open;
  }
  if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  if ("title" in element.dataset) {
    const count = element.querySelector("[data-unacknowledged]");
    document.title = count ? `(${count.dataset.unacknowledged}) ${title}` : title;
  }
  return true;
}

for (const region of regions) {
  if (region.element.dataset.every) setInterval(() => visible() && refresh(region), 1000 * region.element.dataset.every);
}

const visible = () => document.visibilityState === "visible";
const onAlarm = () => regions.filter((region) => "onAlarm" in region.element.dataset).forEach(refresh);

// The stream comes through a worker that all windows of the session share; where there is none (phones), it is ours.
const session = document.querySelector('form[action="/signout"] input[name=csrf]')?.value ?? "";
const port = window.SharedWorker ? new SharedWorker(document.body.dataset.stream, { name: session }).port : null;
let events = null;
let silence = 0;

function listen() {
  clearTimeout(silence);
  silence = setTimeout(() => {
    lost();
    connect(); // a pulled cable closes nothing: only silence tells
  }, SILENCE_MS);
}

function heard() {
  listen();
  stream = "live";
  report();
}

function lost() {
  stream = "lost";
  report();
}

const on = {
  open() {
    heard();
    regions.forEach(refresh); // whatever happened before the stream was open
  },
  heartbeat: heard,
  alarm(data) {
    heard();
    onAlarm();
    const { event, alarm, enterprise } = JSON.parse(data);
    if (event === "raised") announce.textContent = `${enterprise?.name ?? alarm.plant} ${zh ? alarm.title.zh : alarm.title.en}`;
  },
  error: lost,
  closed() {
    lost();
    clearTimeout(silence);
    silence = setTimeout(connect, RETRY_MS); // refused, not dropped: the browser would not try again by itself
  },
};

function connect() {
  listen();
  if (port) {
    port.postMessage("join");
    return;
  }
  events?.close();
  events = new EventSource("/api/v1/alarms/stream");
  for (const kind of ["open", "heartbeat", "alarm"]) events.addEventListener(kind, (message) => on[kind](message.data));
  events.addEventListener("error", () => (events.readyState === EventSource.CLOSED ? on.closed : on.error)());
}

function disconnect() {
  port?.postMessage("leave");
  events?.close();
}

if (port) port.onmessage = ({ data: { kind, data } }) => visible() && on[kind](data);

// Hidden tabs listen to nothing, and catch up when they are looked at.
document.addEventListener("visibilitychange", () => {
  clearTimeout(silence);
  if (visible()) connect();
  else {
    disconnect();
    stream = "connecting";
    report();
  }
});
window.addEventListener("pagehide", disconnect);
window.addEventListener("pageshow", (event) => event.persisted && connect());
report();
connect();

const dialog = document.getElementById("ack");
document.addEventListener("click", (click) => {
  const button = click.target.closest("[data-ack]");
  if (button && dialog) {
    click.preventDefault();
    const form = dialog.querySelector("form");
    form.action = `/alarms/${button.dataset.ack}/acknowledge`;
    form.querySelector("textarea").value = "";
    form.elements.raises.value = button.dataset.raises;
    document.getElementById("ack-what").textContent = button.dataset.what;
    dialog.showModal();
  }
  if (click.target.closest("[data-close]")) dialog.close();
});

// A link to a form opens it: #dispose, #acknowledge.
function unfold() {
  const target = location.hash && document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView({ block: "start" });
  }
}
window.addEventListener("hashchange", unfold);
unfold();

const menu = document.getElementById("more-nav");
document.addEventListener("click", (click) => {
  if (menu?.open && !menu.contains(click.target)) menu.open = false;
});
document.addEventListener("keydown", (key) => {
  if (key.key !== "Escape" || !menu?.open) return;
  menu.open = false;
  menu.querySelector("summary").focus();
});

// Who sends a form and comes back to the same page stays where they were on it.
const PLACE = "yujing-place";
const here = location.pathname + location.search;
document.addEventListener("submit", ({ target: form }) => {
  if (form.method === "post") sessionStorage.setItem(PLACE, JSON.stringify({ page: here, top: scrollY }));
});
const place = JSON.parse(sessionStorage.getItem(PLACE));
sessionStorage.removeItem(PLACE);
if (place?.page === here && !location.hash) scrollTo(0, place.top);

// One press is enough: what is on its way is not sent again.
document.addEventListener("submit", (submit) => {
  if (submit.target.method !== "post") return;
  if (submit.target.dataset.sent) submit.preventDefault();
  submit.target.dataset.sent = "yes";
});
window.addEventListener("pageshow", () => document.querySelectorAll("form[data-sent]").forEach((form) => delete form.dataset.sent));
