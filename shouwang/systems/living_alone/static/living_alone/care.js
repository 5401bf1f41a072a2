// The list of homes to care for: kept on the phone by a service worker where the browser allows one (https, or this
// very machine), and a word where what is shown is not of now.

const note = document.querySelector("[data-no-network]");

async function keep() {
  const registered = await navigator.serviceWorker.register(document.querySelector("[data-worker]").dataset.worker);
  await navigator.serviceWorker.ready;
  if (navigator.serviceWorker.controller) return;
  const parts = [...document.querySelectorAll("link[rel=stylesheet], link[rel=icon], script[src]")].map((each) => each.href || each.src);
  registered.active.postMessage({ page: location.href, parts: [...new Set(parts)] });
}

async function look() {
  const reached = await fetch(note.dataset.noNetwork, { method: "HEAD", cache: "no-store" }).catch(() => null);
  note.hidden = reached !== null;
}

if ("serviceWorker" in navigator) keep().catch((error) => console.warn(`shouwang: the list is not kept: ${error}`));
addEventListener("offline", () => (note.hidden = false));
addEventListener("online", look);
look();
