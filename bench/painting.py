"""What a real Chromium has painted of the desk, frame by frame: the pill's number, the map's markers, the words of each line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-background-timer-throttling"]
# Looks before each frame; what it finds was painted at the latest with the frame before the next look, whose moment counts.
LOOKING = """
window.painted = [];
const before = {held: "0", marks: "", lines: new Map()};
let found = [];
function look() {
  const now = Date.now();
  for (const each of found) window.painted.push({...each, at: now});
  found = [];
  const pill = document.querySelector("#queue .pill");
  const held = pill?.checkVisibility() ? (pill.textContent.match(/\\d+/) ?? ["0"])[0] : "0";
  if (held !== before.held) found.push({held: Number(before.held = held)});
  const marks = [...document.querySelectorAll("[data-legend]")].map((place) => place.textContent).join(",");
  if (marks !== before.marks) found.push({marks: (before.marks = marks).split(",").reduce((sum, each) => sum + Number(each), 0)});
  for (const line of document.querySelectorAll("#queue [data-rows] > li")) {
    const words = line.querySelector(".status").textContent;
    if (before.lines.get(line.id) === words) continue;
    before.lines.set(line.id, words);
    found.push({line: Number(line.id.slice(5)), words});
  }
  requestAnimationFrame(look);
}
addEventListener("DOMContentLoaded", () => requestAnimationFrame(look));
"""


@dataclass
class Screen:
    """One page of the desk in Chromium, and what went wrong in it."""

    page: Any
    seen: int = 0
    faults: list[str] = field(default_factory=list)
    offline_shown: bool = False

    def painted(self) -> list[dict[str, Any]]:
        """Return what was painted so far, with the moment in ms since 1970."""
        found: list[dict[str, Any]] = self.page.evaluate("window.painted")
        return found

    def state(self) -> str:
        """Return what the page says of its connection."""
        return str(self.page.locator("[data-connection]").get_attribute("data-state"))


@contextmanager
def screens(addresses: Sequence[str], cookies: Sequence[list[dict[str, str]]]) -> Iterator[list[Screen]]:
    """Yield one page of the desk for each address, each with its own person's cookies, all live."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGUMENTS)
        try:
            yield [_open(browser, address, each) for address, each in zip(addresses, cookies, strict=True)]
        finally:
            browser.close()


def _open(browser: Any, address: str, cookies: list[dict[str, str]]) -> Screen:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1366, "height": 768})
    context.add_cookies([{**cookie, "url": address} for cookie in cookies])
    context.add_init_script(LOOKING)
    screen = Screen(context.new_page())
    screen.page.on("pageerror", lambda error: screen.faults.append(str(error)))
    screen.page.goto(f"{address}/desk/", wait_until="load")
    screen.page.locator('[data-connection][data-state="live"]').wait_for(state="attached", timeout=30_000)
    screen.seen = int(screen.page.locator("[data-seen]").get_attribute("value"))
    return screen
