// Parts of a page that are fetched again when the live stream says so: data-live names the topics, data-live-from
// the address of a page that holds the element with the same id. What has not changed is not touched.

import { tick } from "./countdown.js";

const DELAY_MS = 300;
const TOPICS = new Set([...document.querySelectorAll("[data-live]")].flatMap((part) => part.dataset.live.split(" ")));
const waiting = new Map();

for (const topic of TOPICS) document.addEventListener(`shouwang:${topic}`, () => renew(topic));

/** Fetch the parts that hear `topic`, each once however many items come within a moment. */
function renew(topic) {
  for (const { id } of document.querySelectorAll(`[data-live~="${topic}"]`)) {
    if (!waiting.has(id)) waiting.set(id, setTimeout(() => waiting.delete(id) && replace(id), DELAY_MS));
  }
}

async function replace(id) {
  const fresh = await fetched(id);
  const old = document.getElementById(id);
  if (!fresh || !old || fresh.isEqualNode(old)) return;
  const focused = old.contains(document.activeElement) ? document.activeElement : null;
  old.replaceWith(document.adoptNode(fresh));
  tick(fresh);
  if (focused) twin(focused, fresh)?.focus({ preventScroll: true });
}

/** Return the element `id` as the server has it now, or null when it gives none: the next item asks again. */
async function fetched(id) {
  try {
    const answer = await fetch(document.getElementById(id).dataset.liveFrom, { redirect: "error" });
    if (!answer.ok) throw new Error(`${answer.status}`);
    return new DOMParser().parseFromString(await answer.text(), "text/html").getElementById(id);
  } catch (error) {
    console.warn(`shouwang: ${id} could not be renewed`, error);
    return null;
  }
}

/** Return what stands in the new part where the focus was in the old one. */
function twin(focused, fresh) {
  const href = focused.getAttribute("href");
  return (href && fresh.querySelector(`[href="${CSS.escape(href)}"]`)) ?? fresh.querySelector("a[href], button");
}
