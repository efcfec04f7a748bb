// A worker: one event stream for all windows of a session. Browsers allow six connections to one server; if each
// window kept one of them, the seventh would wait for ever.

const SILENCE_MS = 15_000; // the server sends a heartbeat every 5 s

const pages = new Set();
let events = null;
let heard = 0; // when it said something last, or was begun

function tell(kind, data) {
  for (const page of pages) page.postMessage({ kind, data });
}

function connect() {
  events?.close();
  events = new EventSource("/api/v1/alarms/stream");
  heard = Date.now();
  for (const kind of ["open", "heartbeat", "alarm"]) {
    events.addEventListener(kind, (event) => {
      heard = Date.now();
      tell(kind, event.data);
    });
  }
  events.addEventListener("error", () => tell(events.readyState === EventSource.CLOSED ? "closed" : "error"));
}

function join(page) {
  pages.add(page);
  const useless = !events || events.readyState === EventSource.CLOSED || Date.now() - heard >= SILENCE_MS;
  if (useless) connect();
  else if (events.readyState === EventSource.OPEN) page.postMessage({ kind: "open" });
}

function leave(page) {
  pages.delete(page);
  if (pages.size) return;
  events?.close();
  events = null;
}

onconnect = ({ ports: [page] }) => {
  page.onmessage = ({ data }) => (data === "join" ? join : leave)(page);
};
