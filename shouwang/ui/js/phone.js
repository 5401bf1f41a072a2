// The phone page. Forms with data-offline are sent at once; where the network fails they are kept in this phone
// and sent later with the same idempotency key, so that a repeat changes nothing. Without JavaScript the same
// forms are plain POSTs. The server says "done" by a redirect, also to a repeat; a page without one asks for
// corrections; the sign-in page means that nothing was done.

import "./navigation.js";
import "./countdown.js";
import "./dialog.js";
import "./stream.js";
import "./live.js";
import "./place.js";
import { make, pageNow, t } from "./page.js";

const LIMIT = 50;
const TIMEOUT_MS = 20_000;
const RETRY_MS = 60_000;
const KEY = "idempotency_key";
const EDGE_PX = 1600;
const NO_ANSWER = new Set([408, 425, 429, 502, 503, 504]);

/** Run `work` on the store of unsent forms and resolve to its result. */
function store(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open("shouwang-phone", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("unsent", { keyPath: "key" });
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const change = opening.result.transaction("unsent", mode);
      const asked = work(change.objectStore("unsent"));
      change.oncomplete = () => {
        opening.result.close();
        resolve(asked.result);
      };
      change.onabort = change.onerror = () => reject(change.error);
    };
  });
}

const all = () => store("readonly", (kept) => kept.getAll()).then((rows) => rows.sort((a, b) => a.at - b.at));
const put = (row) => store("readwrite", (kept) => kept.put(row));
const drop = (key) => store("readwrite", (kept) => kept.delete(key));

/** Return a version 4 UUID, also on pages without https. */
function uuid() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})(.{12})/, "$1-$2-$3-$4-$5");
}

/** Post the entries; resolves to the answer, or null where the network or the server gave none. */
async function post(url, entries) {
  const body = new FormData();
  const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
  for (const [name, value] of entries) body.append(name, name === "csrfmiddlewaretoken" && token ? token : value);
  try {
    const answer = await fetch(url, { method: "POST", body, signal: AbortSignal.timeout(TIMEOUT_MS) });
    return NO_ANSWER.has(answer.status) ? null : answer;
  } catch {
    return null;
  }
}

function wantsSignIn(answer) {
  return answer.redirected && new URL(answer.url).pathname.startsWith(document.body.dataset.signIn ?? "/sign-in/");
}

function isDone(answer) {
  return (answer.redirected && answer.ok && !wantsSignIn(answer)) || answer.status === 201 || answer.status === 204;
}

async function submitted(event) {
  const form = event.target;
  if (!form.matches("form[data-offline]") || event.defaultPrevented) return;
  event.preventDefault();
  const data = new FormData(form, event.submitter);
  if (!data.get(KEY)) data.set(KEY, uuid());
  // A page that was kept tells its own moment: the phone's clock is the better one, unless a demo's runs fast.
  if (data.has("tapped_at")) data.set("tapped_at", new Date(Number(document.documentElement.dataset.speed) > 1 ? pageNow() : Date.now()).toISOString());
  busy(form, true);
  const row = { key: data.get(KEY), url: new URL(form.getAttribute("action") || location.href, location.href).href, entries: await lightened(data), at: Date.now(), title: form.dataset.offline || document.title };
  const answer = await post(row.url, row.entries);
  if (answer && !wantsSignIn(answer)) return shown(answer, form);
  busy(form, false);
  await keep(row, form, answer ? t("请重新登录，已存在手机里，登录后自动发送。", "Please sign in again: kept on this phone and sent after that.") : t("没有网络，已存在手机里，联网后自动发送。", "No network: kept on this phone and sent later."));
}

/** Resolve to the entries of a form, photos made small enough to keep and to send over a weak network, empty files left out. */
async function lightened(data) {
  const entries = [...data].filter(([, value]) => !(value instanceof File) || value.size);
  return Promise.all(entries.map(async ([name, value]) => [name, value instanceof File ? await smaller(value) : value]));
}

/** Resolve to a photo of at most EDGE_PX a side, without position; to the file itself where that cannot be made. */
async function smaller(file) {
  try {
    const picture = await createImageBitmap(file);
    const scale = Math.min(1, EDGE_PX / Math.max(picture.width, picture.height));
    const canvas = make("canvas", { width: Math.round(picture.width * scale), height: Math.round(picture.height * scale) });
    canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
    const blob = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
    return blob && blob.size < file.size ? new File([blob], "photo.jpg", { type: "image/jpeg" }) : file;
  } catch {
    return file;
  }
}

async function keep(row, form, words) {
  try {
    if ((await all()).length >= LIMIT) throw new Error("full");
    await put(row);
    say("warning", words);
    form.reset();
    if ("anew" in form.dataset) form.elements[KEY].value = uuid();
  } catch {
    say("error", t("没有发送，也没能存下。请不要关闭页面，稍后再点一次。", "Not sent and not kept. Leave the page open and try again."));
  }
  await show();
}

/** Show the server's answer: go where it leads, or show the page with the corrections in place. */
async function shown(answer, form) {
  if (isDone(answer)) return location.assign(answer.redirected ? answer.url : location.href);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("main");
  busy(form, false);
  if (!fresh) return say("error", t(`没有办成（${answer.status}）。`, `Not done (${answer.status}).`));
  document.querySelector("main").replaceWith(document.adoptNode(fresh));
  document.getElementById("messages").replaceChildren(...(page.getElementById("messages")?.childNodes ?? []));
  (document.querySelector("[data-error-summary]") ?? document.querySelector("main")).focus();
  scrollTo(0, 0);
}

function busy(form, on) {
  form.toggleAttribute("aria-busy", on);
  for (const button of form.querySelectorAll("button")) button.disabled = on;
}

function say(kind, words) {
  document.getElementById("messages").replaceChildren(make("p", { class: `message ${kind}` }, words));
}

let flushing = false;

/** Send what is kept, oldest first; stop at the first that finds no network. */
async function flush() {
  if (flushing) return;
  flushing = true;
  try {
    for (const row of await all()) {
      if (row.refused) continue;
      const answer = await post(row.url, row.entries);
      if (!answer || wantsSignIn(answer)) break;
      if (isDone(answer)) await drop(row.key);
      else await put({ ...row, refused: answer.status });
      await show();
    }
  } finally {
    flushing = false;
  }
}

async function show() {
  const place = document.querySelector("[data-unsent]");
  if (!place) return;
  const rows = await all();
  const waiting = rows.filter((row) => !row.refused).length;
  place.hidden = rows.length === 0;
  place.querySelector("[data-unsent-count]").textContent = waiting ? t(`${waiting} 条未发送`, `${waiting} unsent`) : t("没有未发送的", "Nothing unsent");
  place.querySelector("[data-unsent-send]").hidden = waiting === 0;
  place.querySelector("[data-unsent-refused]").replaceChildren(...rows.filter((row) => row.refused).map(refused));
}

function refused(row) {
  const forget = make("button", { class: "button", type: "button" }, t("知道了", "Dismiss"));
  forget.addEventListener("click", () => drop(row.key).then(show));
  return make("li", {}, t(`“${row.title}”被退回（${row.refused}），请打开任务查看。`, `“${row.title}” was refused (${row.refused}); open the task.`), " ", forget);
}

/** Forget the pages that are kept for use without a network: they are of whoever signs out. */
function forgets(event) {
  if (globalThis.caches && event.target.getAttribute("action") === "/sign-out/") caches.keys().then((names) => names.forEach((name) => caches.delete(name)));
}

document.addEventListener("submit", submitted);
document.addEventListener("submit", forgets);
document.querySelector("[data-unsent-send]")?.addEventListener("click", flush);
addEventListener("online", flush);
document.addEventListener("visibilitychange", () => document.hidden || flush());
setInterval(flush, RETRY_MS);
show().then(flush).catch(() => {});
