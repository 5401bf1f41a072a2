// What the page says of itself: language, clock, stillness. Shared by every module.

const root = document.documentElement;
let now = Number(root.dataset.now) || Date.now();
let heardAt = performance.now();
const speed = Number(root.dataset.speed) || 1;

/** Return "zh" or "en". */
export const language = root.lang.startsWith("en") ? "en" : "zh";

/** Return the sentence in the reader's language. */
export function t(zh, en) {
  return language === "en" ? en : zh;
}

/** Return the page's moment in ms since 1970: the server's clock, which a demo may run fast. */
export function pageNow() {
  return now + (performance.now() - heardAt) * speed;
}

/** Set the page's clock to what the server just said, in ms since 1970. */
export function setPageNow(ms) {
  if (!Number.isFinite(ms)) return;
  now = ms;
  heardAt = performance.now();
}

/** Tell whether nothing may move: asked by the reader's system or by `data-still`. */
export function isStill() {
  return "still" in root.dataset || matchMedia("(prefers-reduced-motion: reduce)").matches;
}

/** Return the value of a design token, such as "--ink". */
export function token(name) {
  return getComputedStyle(root).getPropertyValue(name).trim();
}

/** Return the size of one rem in px: what is drawn on a canvas grows with the chosen text size too. */
export function rem() {
  return parseFloat(getComputedStyle(root).fontSize);
}

/** Return the parsed `json_script` element that `holder` names in data-source, or null. */
export function source(holder) {
  const script = document.getElementById(holder.dataset.source ?? "");
  return script ? JSON.parse(script.textContent) : null;
}

/** Call `draw` again whenever the colours change. */
export function onRecolour(draw) {
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

/** Return an element made of a name, attributes and children; text is never parsed as HTML. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}
