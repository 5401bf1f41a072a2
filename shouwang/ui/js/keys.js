// Keys: Ctrl+K and / search; j, k walk the rows; Enter opens (the row's link holds the focus); ? shows help.
// Single keys can be switched off in the help (WCAG 2.1.4), and never act while something is typed.

import { openSearch } from "./search.js";

const KEPT = "shouwang-single-keys";
const help = document.getElementById("keys");
const box = help?.querySelector("[data-keys-switch]");

function singleKeys() {
  return localStorage.getItem(KEPT) !== "off";
}

function step(by) {
  const links = [...document.querySelectorAll("[data-rows] > *")].map((row) => row.querySelector("a[href]")).filter((link) => link?.checkVisibility?.() ?? link);
  if (!links.length) return;
  const here = links.findIndex((link) => link.parentElement.closest("[data-rows] > *")?.contains(document.activeElement));
  const next = links[Math.max(0, Math.min(links.length - 1, here + by))];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
}

/** Open the search of the whole site; where there is none, go to the search of the page. */
function search(event) {
  const own = document.querySelector("[data-search]");
  if (document.querySelector("dialog[open]:not([data-search-dialog])")) return;
  if (openSearch()) return event.preventDefault();
  if (!own) return;
  event.preventDefault();
  own.focus();
  own.select();
}

document.addEventListener("keydown", (event) => {
  if (event.defaultPrevented) return;
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") return search(event);
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog[open]");
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !singleKeys()) return;
  if (event.key === "j") step(1);
  else if (event.key === "k") step(-1);
  else if (event.key === "/") search(event);
  else if (event.key === "?") help?.showModal();
});

if (box) {
  box.checked = singleKeys();
  box.addEventListener("change", () => localStorage.setItem(KEPT, box.checked ? "on" : "off"));
}
