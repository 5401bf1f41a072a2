"""The pinyin an area is found by: "huangmiaocun hmc" for 黄庙村. Pure."""

from __future__ import annotations

SPELLING_LENGTH = 256


def spelling(name: str) -> str:
    """Return the lower-case pinyin of `name` without tones, a space, and its initials; other words stay as they are.

    The first call loads the pinyin dictionary (about 0.3 s).
    """
    from pypinyin import lazy_pinyin  # noqa: PLC0415 - a large dictionary, needed only where names are written

    parts = [part.replace(" ", "").lower() for part in lazy_pinyin(name)]
    return f"{''.join(parts)} {''.join(part[:1] for part in parts)}"[:SPELLING_LENGTH]
