"""What a person's hands do in a daily job: clicks or taps, keys, pages; and whether that stays under the cap in docs/jobs.md.

Seconds are reckoned, not taken: four keys a second and 1.3 s for finding and pressing something with a mouse or a finger
(Card, Moran and Newell's keystroke-level model). How fast the machine answers is measured elsewhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page
from pypinyin import lazy_pinyin

from tests.browser.conftest import FIGURES

KEYS_PER_S, CLICK_S = 4, 1.3
CAPS = Path(__file__).parents[2] / "docs/jobs.md"
MEASURES = ("clicks", "keys", "pages", "seconds")


@dataclass
class Hands:
    """Does things on a page and counts them."""

    page: Page
    clicks: int = 0
    keys: int = 0
    pages: int = 0

    def click(self, what: Locator) -> None:
        """Click or tap something."""
        what.click()
        self.clicks += 1

    def choose_file(self, what: Locator, path: Path) -> None:
        """Tap a file field, after which the camera has its own buttons."""
        what.set_input_files(path)
        self.clicks += 1

    def press(self, *keys: str) -> None:
        """Press keys one after another."""
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1

    def write(self, text: str) -> None:
        """Type a text; Chinese takes every letter of its pinyin and one key to choose it."""
        if text.isascii():
            self.page.keyboard.type(text)
            self.keys += len(text)
        else:
            self.page.keyboard.insert_text(text)
            self.keys += len("".join(lazy_pinyin(text))) + 1

    def counted(self) -> dict[str, float]:
        """Return what was counted, and the seconds reckoned from it."""
        return {"clicks": self.clicks, "keys": self.keys, "pages": self.pages, "seconds": round(self.keys / KEYS_PER_S + self.clicks * CLICK_S, 1)}


@contextmanager
def job(code: str, page: Page) -> Iterator[Hands]:
    """Yield the hands of one job and note its figures; fail where one is over its cap."""
    hands = Hands(page)

    def loaded(_: Page) -> None:
        hands.pages += 1

    page.on("domcontentloaded", loaded)
    yield hands
    page.remove_listener("domcontentloaded", loaded)
    found = hands.counted()
    FIGURES.jobs[code] = found
    cap = caps()[code]
    over = {measure: f"{found[measure]}, at most {cap[measure]}" for measure in MEASURES if found[measure] > cap[measure]}
    assert not over, f"job {code} is over its cap in docs/jobs.md: {over}"


def caps(text: str | None = None) -> dict[str, dict[str, Any]]:
    """Return the caps that the table in docs/jobs.md sets, by job."""
    rows = re.findall(r"^\| `(\w+)` \|(?:[^|]*\|){2}((?: *[\d.]+ *\|){4})$", CAPS.read_text("utf-8") if text is None else text, re.MULTILINE)
    return {code: dict(zip(MEASURES, map(float, numbers.strip("| ").split("|")), strict=True)) for code, numbers in rows}
