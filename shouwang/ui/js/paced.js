// Parts that htmx fetches again when the live stream says so, at a pace that all who listen can keep together: data-paced names
// the topics. Alone, a desk renews 0.7 s after an item; fifty renew every 15 s or so, no two of them at the same moment.

import htmx from "htmx.org";

const EACH_MS = 300;
const LEAST_MS = 700;
const MOST_MS = 15_000;
const AT_ONCE_MS = 200;
const EVERY_MS = 30_000;
const renewedAt = new WeakMap();
const waiting = new WeakMap();
let pace = LEAST_MS;

document.addEventListener("shouwang:beat", ({ detail: { listeners } }) => {
  pace = Math.max(LEAST_MS, Math.min(MOST_MS, EACH_MS * (listeners ?? 1)));
});

for (const part of document.querySelectorAll("[data-paced]")) {
  for (const topic of part.dataset.paced.split(" ")) document.addEventListener(`shouwang:${topic}`, () => renew(part));
  renewedAt.set(part, performance.now());
  setInterval(() => performance.now() - renewedAt.get(part) > EVERY_MS - LEAST_MS && renew(part), EVERY_MS);
}

/** Fetch a part again as soon as its pace allows. */
export function renew(part) {
  if (waiting.has(part)) return;
  const since = performance.now() - (renewedAt.get(part) ?? 0);
  fetchIn(part, since > 2 * pace ? Math.random() * pace : Math.max(0, pace - since) + (Math.random() * pace) / 4);
}

/** Fetch a part again without regard to its pace: for what the page cannot paint by itself. */
export function renewAtOnce(part) {
  clearTimeout(waiting.get(part));
  fetchIn(part, Math.random() * AT_ONCE_MS);
}

function fetchIn(part, ms) {
  waiting.set(part, setTimeout(() => {
    waiting.delete(part);
    renewedAt.set(part, performance.now());
    htmx.trigger(part, "renew");
  }, ms));
}
