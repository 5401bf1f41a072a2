// The live stream: one EventSource for all tabs of a browser, dispatched as DOM events "shouwang:<topic>".
//
// The server sends `id: <seq>-<push_seq>` and `data: {"topic": "...", ...}` as plain messages, and every 15 s a message
// {"topic": "beat", "now": <ms>}. Where the connection was lost for good the stream is opened again with
// ?last_event_id=<seq>-<push_seq>, since a new EventSource cannot set the Last-Event-ID header itself.

import { setPageNow, t } from "./page.js";
import { span } from "./spans.js";

const STALE_MS = 40_000;
const RETRY_MS = [1000, 2000, 5000, 10_000, 30_000];
const address = document.body?.dataset.stream;
const channel = address && "BroadcastChannel" in window ? new BroadcastChannel("shouwang-stream") : null;

let lastId = "";
let heardAt = 0;
let state = "waiting";
let tries = 0;
let leads = false;

/** Hand one message to the page, as `shouwang:<topic>` and, where it is about one thing, `shouwang:<topic>-<id>` on document. */
export function dispatch({ id, data }) {
  heardAt = performance.now();
  state = "live";
  tries = 0;
  if (id) lastId = id;
  if (data.topic === "beat") setPageNow(data.now);
  document.dispatchEvent(new CustomEvent(`shouwang:${data.topic}`, { detail: data }));
  if (data.id) document.dispatchEvent(new CustomEvent(`shouwang:${data.topic}-${data.id}`, { detail: data }));
  show();
}

function received(event) {
  let data;
  try {
    data = JSON.parse(event.data);
  } catch {
    return console.warn("shouwang: a message of the stream is not JSON", event.lastEventId);
  }
  const message = { id: event.lastEventId, data };
  dispatch(message);
  channel?.postMessage(message);
}

/** Listen as the one tab that holds the connection; resolves never while the connection is wanted. */
function listen() {
  leads = true;
  const url = new URL(address, location.origin);
  if (lastId) url.searchParams.set("last_event_id", lastId);
  const events = new EventSource(url);
  events.onopen = () => {
    state = "live";
    heardAt = performance.now();
    show();
    channel?.postMessage({ state });
  };
  events.onmessage = received;
  events.onerror = () => {
    state = "down";
    show();
    channel?.postMessage({ state });
    if (events.readyState !== EventSource.CLOSED) return;
    setTimeout(listen, RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  };
}

function show() {
  const place = document.querySelector("[data-connection]");
  if (!place) return;
  const age = performance.now() - heardAt;
  const seen = state === "live" && age > STALE_MS ? "stale" : state;
  const words = {
    waiting: t("正在连接", "Connecting"),
    live: t("实时", "Live"),
    stale: t("数据延迟", "Data delayed"),
    down: t("连接中断，正在重连", "Connection lost, reconnecting"),
  }[seen];
  place.dataset.state = seen;
  const text = place.querySelector("[data-connection-text]");
  if (text.textContent !== words) text.textContent = words;
  const old = heardAt && seen !== "live" ? t(`最近数据 ${span(Math.floor(age / 1000), "zh")}前`, `last data ${span(Math.floor(age / 1000), "en")} ago`) : "";
  place.querySelector("[data-connection-age]").textContent = old;
}

if (address) {
  channel?.addEventListener("message", ({ data }) => {
    if (data.hello) return leads && channel.postMessage({ state });
    if (!data.state) return dispatch(data);
    state = data.state;
    if (state === "live") heardAt = performance.now();
    show();
  });
  channel?.postMessage({ hello: true });
  // Where locks are missing (plain http on another host), each tab listens for itself.
  if (channel && navigator.locks) navigator.locks.request("shouwang-stream", () => new Promise(listen));
  else listen();
  // A connection that is cut without a word looks alive for long: the browser knows sooner that there is no network.
  addEventListener("offline", () => {
    state = "down";
    show();
  });
  setInterval(show, 5000);
}
