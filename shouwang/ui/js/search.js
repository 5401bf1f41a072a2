// The search that Ctrl+K opens: what is typed is posted (never part of an address), the lines that come back are links.
// Arrows walk the lines, Enter opens the one in focus or, while typing, the first; Esc closes. Without JavaScript the
// link in the masthead leads to the same search as a page.

import { make, t } from "./page.js";

const DELAY_MS = 150;
const opener = document.querySelector("a[data-search-open]");

let dialog = null;
let asking = null;
let timer = 0;
let shown = "";
let opensFirst = false;

/** Open the search, or bring its field back into focus; tell whether the page has one. */
export function openSearch() {
  if (!opener) return false;
  dialog ??= build();
  if (!dialog.open) dialog.showModal();
  field().focus();
  field().select();
  return true;
}

function field() {
  return dialog.querySelector("input");
}

function build() {
  const words = t("编号、地名、拼音首字母、设备号", "Number, place, initials, device");
  const input = make("input", { type: "text", name: "q", maxlength: "40", autocomplete: "off", spellcheck: "false", enterkeyhint: "search", "aria-label": t("搜索", "Search"), placeholder: words });
  const hint = make("p", { class: "small secondary" }, t("↑ ↓ 选择，Enter 打开，Esc 关闭", "↑ ↓ to choose, Enter to open, Esc to close"));
  const made = make(
    "dialog", { class: "dialog search-dialog", "aria-label": t("搜索", "Search"), "data-search-dialog": "", "data-light-close": "" },
    make("div", { class: "search-field" }, input, make("button", { class: "button quiet", type: "button", "data-close": "" }, t("关闭", "Close"))),
    make("p", { class: "unseen", role: "status" }), make("div", { class: "search-found" }), hint,
  );
  input.addEventListener("input", () => {
    opensFirst = false;
    clearTimeout(timer);
    timer = setTimeout(ask, DELAY_MS);
  });
  made.addEventListener("keydown", walk);
  made.addEventListener("close", () => asking?.abort());
  document.body.append(made);
  return made;
}

/** Post what is typed now and show what comes back; an answer to something older is dropped. */
async function ask() {
  clearTimeout(timer);
  asking?.abort();
  asking = new AbortController();
  const text = field().value.trim();
  const body = new URLSearchParams({ q: text });
  const headers = { "X-CSRFToken": document.querySelector('meta[name="csrf-token"]').content };
  try {
    const answer = await fetch(opener.href, { method: "POST", body, headers, redirect: "error", signal: asking.signal });
    if (!answer.ok) throw new Error(`${answer.status}`);
    show(text, new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("[data-found]"));
  } catch (error) {
    if (error.name === "AbortError") return;
    say(t("没有取到结果，请再试一次。", "No results could be loaded; please try again."), "message error");
  }
}

function show(text, found) {
  shown = text;
  dialog.querySelector(".search-found").replaceChildren(found);
  const number = Number(found.dataset.found);
  dialog.querySelector("[role=status]").textContent = text ? t(`${number} 条结果`, `${number} found`) : "";
  if (opensFirst) lines()[0]?.click();
  opensFirst = false;
}

function say(words, kind) {
  shown = "";
  dialog.querySelector(".search-found").replaceChildren(make("p", { class: kind, role: "alert" }, words));
}

function lines() {
  return [...dialog.querySelectorAll(".search-found a[href]")];
}

function walk(event) {
  const here = lines().indexOf(document.activeElement);
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const next = here + (event.key === "ArrowDown" ? 1 : -1);
    const to = next < 0 ? field() : lines()[Math.min(next, lines().length - 1)];
    to?.focus();
    to?.scrollIntoView({ block: "nearest" });
  } else if (event.key === "Enter" && event.target === field() && !event.isComposing) {
    event.preventDefault();
    opensFirst = field().value.trim() !== "";
    if (opensFirst && shown === field().value.trim()) lines()[0]?.click();
    else if (opensFirst) ask();
  } else if (here >= 0 && event.key.length === 1 && !event.ctrlKey && !event.metaKey && !event.altKey) {
    field().focus(); // the letter itself goes on into the field
  }
}

opener?.addEventListener("click", (event) => {
  if (event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  openSearch();
});
