"""Reading what firmwares send in nested dictionaries and lists, whichever way they spell and nest it. Pure: nothing here fails."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

from shouwang.telemetry.cameras.xml import TEXT
from shouwang.telemetry.rules import Box, Point

MILLISECONDS_FROM = 100_000_000_000
DEPTH_MOST = 40
_LOOSE = re.compile(
    r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})[T ]+(\d{1,2}):(\d{1,2}):(\d{1,2})(?:[.,](\d{1,9}))?\s*(Z|z|[+-]\d{1,2}:?\d{2})?", re.ASCII,
)
_STEP = re.compile(r"[^.\[\]]+")


def get(tree: Any, *names: str) -> Any:
    """Return the first of `names` that a dictionary has, in any case of letters; None without."""
    if not isinstance(tree, dict):
        return None
    for name in names:
        if name in tree:
            return tree[name]
    lower = {key.lower(): value for key, value in tree.items() if isinstance(key, str)}
    return next((lower[name.lower()] for name in names if name.lower() in lower), None)


def text(tree: Any, *names: str) -> str:
    """Return the text or number under the first of `names`, else an empty text."""
    return said(get(tree, *names))


def said(found: Any) -> str:
    """Return a value as text: of an element with attributes its text, of what is no single value nothing."""
    if isinstance(found, dict):
        found = found.get(TEXT, "")
    if isinstance(found, bool):
        return "true" if found else "false"
    if isinstance(found, str):
        return found.strip()
    return str(found) if isinstance(found, int | float) else ""


def number(found: Any) -> float | None:
    """Return a finite number that may have come as text, else None."""
    try:
        value = math.nan if found is None or isinstance(found, bool) else float(said(found) or math.nan)
    except (ValueError, OverflowError):
        return None
    return value if math.isfinite(value) else None


def listed(found: Any) -> list[Any]:
    """Return a list of what may have come once, several times or not at all."""
    if found is None or found == "":
        return []
    return found if isinstance(found, list) else [found]


def every(tree: Any, *names: str, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Yield each dictionary that has one of `names`, outermost first."""
    if depth > DEPTH_MOST:
        return
    if isinstance(tree, list):
        for each in tree:
            yield from every(each, *names, depth=depth + 1)
    elif isinstance(tree, dict):
        if get(tree, *names) is not None:
            yield tree
        for each in tree.values():
            yield from every(each, *names, depth=depth + 1)


def at_path(tree: Any, path: str) -> Any:
    """Return what lies at a path as `event.targets[0].name`, None where nothing does."""
    for step in _STEP.findall(path):
        if isinstance(tree, list):
            place = int(step) if step.isascii() and step.isdigit() and len(step) < 6 else len(tree)
            tree = tree[place] if place < len(tree) else None
        else:
            tree = get(tree, step)
    return tree


def moment(found: Any, *, zone: tzinfo) -> datetime | None:
    """Return a moment in UTC: ISO 8601 or as loosely as firmwares write it, in `zone` without offset; or seconds or ms since 1970."""
    value = said(found)
    if value.isascii() and value.replace(".", "", 1).isdigit():
        return since_1970(value)
    loose = _LOOSE.match(value)
    if loose is None:
        return None
    *parts, fraction, offset = loose.groups()
    try:
        naive = datetime(*(int(part) for part in parts), microsecond=int((fraction or "0")[:6].ljust(6, "0")))  # type: ignore[misc,arg-type] # noqa: DTZ001 - its zone follows
        return _zoned(naive, offset, zone=zone).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _zoned(naive: datetime, offset: str | None, *, zone: tzinfo) -> datetime:
    if not offset:
        return naive.replace(tzinfo=zone)
    if offset in {"Z", "z"}:
        return naive.replace(tzinfo=UTC)
    digits = offset[1:].replace(":", "").zfill(4)
    return datetime.fromisoformat(f"{naive.isoformat()}{offset[0]}{digits[:2]}:{digits[2:]}")


def since_1970(value: str | float) -> datetime | None:
    """Return the moment that many seconds, or milliseconds, after 1970; None for none that a clock could show."""
    seconds = number(value)
    if seconds is None or seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds / 1_000 if seconds >= MILLISECONDS_FROM else seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def points(found: Any, *, width: float, height: float) -> tuple[Point, ...]:
    """Return points in shares of the picture, given as [x, y] or as x and y under any of their usual names."""
    pairs = [_pair(each) for each in listed(found)]
    return tuple((x / width, y / height) for x, y in pairs if x is not None and y is not None)


def _pair(found: Any) -> tuple[float | None, float | None]:
    if isinstance(found, list) and len(found) >= 2:
        return number(found[0]), number(found[1])
    return number(get(found, "positionX", "x", "@x")), number(get(found, "positionY", "y", "@y"))


def box_of(found: Sequence[Any] | None, *, width: float = 1.0, height: float = 1.0) -> Box | None:
    """Return x0, y0, x1, y1 in shares of the picture, None unless all four are numbers."""
    values = [number(each) for each in found or ()]
    if len(values) != 4 or any(each is None for each in values):
        return None
    x0, y0, x1, y1 = (each or 0.0 for each in values)
    return (x0 / width, y0 / height, x1 / width, y1 / height)
