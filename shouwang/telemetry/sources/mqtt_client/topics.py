"""Which topics to ask a broker for, and what a topic says once a message comes under it. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from shouwang.telemetry.addresses import Address, unknown
from shouwang.telemetry.writing import Decode

DEVICE = "{device}"
ONE, REST = "+", "#"


def filter_of(pattern: str) -> str:
    """Return the topic filter to subscribe to: any one level where the device stands."""
    return "/".join(ONE if level == DEVICE else level for level in pattern.split("/"))


def check(pattern: str) -> None:
    """Raise ValueError for what is no topic filter of MQTT (4.7), or has no single level for the device."""
    levels = pattern.split("/")
    if not pattern or len(pattern.encode()) > 1_000 or "\0" in pattern or levels[0].startswith("$"):
        raise ValueError(f"topic {pattern[:80]!r}: expected 1 to 1000 bytes that do not begin with $")
    for place, level in enumerate(levels):
        if level in {DEVICE, ONE} or (level == REST and place == len(levels) - 1):
            continue
        if {*level} & {ONE, REST, "{", "}"}:
            raise ValueError(f"topic {pattern!r}: {level!r} must be plain, +, {DEVICE}, or # at the end")
    if levels.count(DEVICE) > 1:
        raise ValueError(f"topic {pattern!r} names {DEVICE} more than once")


def matched(pattern: str, topic: str) -> tuple[bool, str | None]:
    """Return whether a topic comes under a pattern, and the device it names."""
    asked, found = pattern.split("/"), topic.split("/")
    if topic.startswith("$"):
        return False, None
    if asked[-1] == REST and len(found) >= len(asked) - 1:
        asked.pop()
        found = found[: len(asked)]
    if len(asked) != len(found) or any(a not in {ONE, DEVICE, f} for a, f in zip(asked, found, strict=True)):
        return False, None
    return True, (found[asked.index(DEVICE)] or None) if DEVICE in asked else None


def address_in(routes: Sequence[tuple[str, Decode]], topic: str) -> Address:
    """Return what a topic says by the first pattern it comes under; under none its messages cannot be decoded: BodyInvalid."""
    for pattern, decode in routes:
        comes_under, device = matched(pattern, topic)
        if comes_under:
            return Address(device, decode, topic)
    return Address(None, unknown, topic)
