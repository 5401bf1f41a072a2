"""Yuan as people write them, fen as they are kept: whole numbers, never floats. Pure."""

from __future__ import annotations

import re

from shouwang.activities.rules.errors import ActivityWrong

MOST_FEN = 10_000_000_000
_YUAN = re.compile(r"([0-9]{1,9})(?:\.([0-9]{1,2}))?", re.ASCII)


def fen_of(text: str) -> int:
    """Return the fen of an amount in yuan such as "1,234.5" or "￥80". Raises ActivityWrong."""
    plain = text.strip().lstrip("¥￥").removesuffix("元").replace(",", "").replace("，", "").strip()
    found = _YUAN.fullmatch(plain)
    fen = int(found[1]) * 100 + int((found[2] or "").ljust(2, "0")) if found else MOST_FEN + 1
    if fen > MOST_FEN:
        raise ActivityWrong(
            what="费用", what_en="The cost", found=text[:20], expected="以元为单位、最多两位小数的数，例如 1280.50",
            expected_en="yuan with at most two decimals, such as 1280.50",
        )
    return fen


def yuan_of(fen: int) -> str:
    """Return an amount as it is read: 1,280.50."""
    return f"{fen // 100:,}.{fen % 100:02d}"
