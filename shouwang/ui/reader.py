"""The reader of the request at hand: preferences from cookies, and the moment the page speaks of. No tables."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from django.http import HttpRequest

from shouwang.ui.rules import Reader, reader_of


def reader(request: HttpRequest | None) -> Reader:
    """Return the preferences of whoever asks; `request.language` is the person's own language, where one is known."""
    if request is None:
        return Reader()
    return reader_of(request.COOKIES, language=getattr(request, "language", None))


def moment_of(context: Mapping[str, object]) -> datetime:
    """Return the moment a page is made at: `now` of its context, else of its request, else the machine's clock."""
    found = context.get("now") or getattr(context.get("request"), "now", None)
    return found if isinstance(found, datetime) else datetime.now(UTC)


def speed_of(context: Mapping[str, object]) -> float:
    """Return how many seconds of the page's clock pass in one real second: 1 but in a demo, replay or exercise."""
    found = context.get("clock_speed") or getattr(context.get("request"), "clock_speed", None)
    return float(found) if isinstance(found, int | float) else 1.0
