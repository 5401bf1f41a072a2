"""What every entry is held to: lengths, numbers, and the sender's key. Pure."""

from __future__ import annotations

import re

from shouwang.activities.rules.errors import ActivityWrong

KEY = re.compile(r"[\w.:#/-]{8,80}", re.ASCII)
_SPACE = re.compile(r"\s+")


def require(holds: bool, what: tuple[str, str], found: str, expected: tuple[str, str]) -> None:
    """Raise ActivityWrong naming what, as found and as expected in Chinese and English, unless it `holds`."""
    if not holds:
        raise ActivityWrong(what=what[0], what_en=what[1], found=found, expected=expected[0], expected_en=expected[1])


def require_key(key: str) -> None:
    """Raise ActivityWrong unless `key` may be kept as the sender's own number of a submission."""
    require(KEY.fullmatch(key) is not None, ("提交编号", "The key"), key[:20], ("8 至 80 个字母数字", "8 to 80 letters and digits"))


def tidy_line(text: str) -> str:
    """Return `text` with every run of spaces, line breaks and unseen characters as one space."""
    return _SPACE.sub(" ", "".join(each if each.isprintable() else " " for each in text)).strip()
