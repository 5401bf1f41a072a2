// Buttons that copy what a field or a block of text holds: [data-copy] names it. Hidden until this runs.

import { t } from "./page.js";

const SAID_MS = 2000;

for (const button of document.querySelectorAll("[data-copy]")) button.hidden = false;

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  const held = button && document.querySelector(button.dataset.copy);
  if (!held) return;
  const done = await copied(held);
  const said = button.parentElement.querySelector("[role=status]");
  if (!said) return;
  said.textContent = done ? t("已复制", "Copied") : t("已选中，请按 Ctrl+C 复制", "Selected: press Ctrl+C to copy");
  if (done) setTimeout(() => (said.textContent = ""), SAID_MS);
});

/** Copy what an element holds and tell whether that went; else it is left selected. */
async function copied(held) {
  try {
    await navigator.clipboard.writeText(held.value ?? held.textContent);
    return true;
  } catch {
    // A page that came without TLS has no clipboard; the older way needs a selection.
    select(held);
    return document.execCommand("copy");
  }
}

function select(held) {
  if (held.select) return held.select();
  getSelection().selectAllChildren(held);
}
