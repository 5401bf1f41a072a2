// The service worker of the list of homes to care for: asks the network first and keeps what it answers, so that
// the list opens without a network too. A list is kept as long as a session lasts, and forgotten with the session.

const KEPT = "shouwang-care";
const KEPT_AT = "X-Kept-At";
const LONGEST_MS = 12 * 3_600_000;
const NO_ANSWER = new Set([502, 503, 504]);

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET" || new URL(request.url).origin !== location.origin) return;
  if (request.mode === "navigate") event.respondWith(list(request));
  else if (new URL(request.url).pathname.startsWith("/static/")) event.respondWith(part(request));
});

// The page's first load came without this worker: it names what was loaded then, to be fetched once more and kept.
self.addEventListener("message", (event) => {
  const { page, parts } = event.data;
  event.waitUntil(Promise.all([list(new Request(page)), ...parts.map((each) => part(new Request(each)))]));
});

async function list(request) {
  const answer = await whole(request);
  if (answer && !NO_ANSWER.has(answer.status)) {
    if (answer.ok) await keep(request, answer);
    else if (answer.status < 500) await caches.delete(KEPT);
    return answer;
  }
  const known = await found(request);
  return known && Date.now() - Number(known.headers.get(KEPT_AT)) < LONGEST_MS ? known : (answer ?? Response.error());
}

async function part(request) {
  const answer = await whole(request);
  if (answer?.ok) await keep(request, answer);
  return answer ?? (await found(request)) ?? Response.error();
}

/** Resolve to the answer once all of it has come, or to null: a network may also fail in the middle. Whoever is led away gets that as it is. */
async function whole(request) {
  try {
    const answer = await fetch(request);
    if (answer.redirected) return new Response(null, { status: 403 });
    if (!answer.ok) return answer;
    return new Response(await answer.blob(), { status: answer.status, headers: answer.headers });
  } catch {
    return null;
  }
}

async function keep(request, answer) {
  const headers = new Headers(answer.headers);
  headers.set(KEPT_AT, String(Date.now()));
  const copy = new Response(await answer.clone().blob(), { status: answer.status, headers });
  await (await caches.open(KEPT)).put(request.url, copy);
}

async function found(request) {
  return (await caches.open(KEPT)).match(request.url, { ignoreVary: true });
}
