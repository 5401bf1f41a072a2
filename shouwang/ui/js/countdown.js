// Keeps `<time data-due>` and `<time data-since>` true by the page's clock, once a second.

import { language, pageNow } from "./page.js";
import { timeAgo, timeLeft } from "./spans.js";

const SOON_MS = 600_000;

/** Bring every ticking time under `root` up to date. */
export function tick(root = document) {
  const now = pageNow();
  for (const element of root.querySelectorAll("time[data-due]")) {
    const left = Date.parse(element.dataset.due) - now;
    say(element, timeLeft(left, language));
    element.classList.toggle("late", left <= 0);
    element.classList.toggle("soon", left > 0 && left <= SOON_MS);
  }
  for (const element of root.querySelectorAll("time[data-since]")) {
    say(element, timeAgo(now - Date.parse(element.dataset.since), language));
  }
}

function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

if (!("still" in document.documentElement.dataset)) {
  tick();
  setInterval(() => document.hidden || tick(), 1000);
  document.addEventListener("visibilitychange", () => document.hidden || tick());
}
