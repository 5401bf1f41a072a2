"""The clock of this installation: real, or the scaled one that a demo or replay has written beside the database.

Only pages, api, jobs and commands ask it; everything else is given the moment.
"""

from __future__ import annotations

import json
import time
from datetime import datetime
from pathlib import Path

from django.conf import settings

from shouwang.kernel.clock import Clock, ScaledClock, SystemClock

_RECHECK_S = 0.2
_SYSTEM = SystemClock()
_cache: tuple[float, int, Clock] = (0.0, 0, _SYSTEM)


def _file() -> Path:
    return Path(settings.SHOUWANG_DATA_DIR) / "clock.json"


def clock() -> Clock:
    """Return the clock every process of this installation shares."""
    global _cache  # noqa: PLW0603 - one cached clock per process
    checked_s, modified, current = _cache
    if time.monotonic() - checked_s < _RECHECK_S:
        return current
    try:
        found = _file().stat().st_mtime_ns
    except FileNotFoundError:
        found = 0
    if found != modified:
        current = _read() if found else _SYSTEM
    _cache = (time.monotonic(), found, current)
    return current


def set_scaled_clock(origin: datetime, *, speed: float) -> ScaledClock:
    """Start a scaled clock at `origin` for every process of this installation."""
    scaled = ScaledClock(origin, time.time(), speed)
    text = json.dumps({"origin": origin.isoformat(), "real_origin_s": scaled.real_origin_s, "speed": speed})
    temporary = _file().with_suffix(".tmp")
    temporary.write_text(text, "utf-8")
    temporary.replace(_file())
    return scaled


def _read() -> Clock:
    data = json.loads(_file().read_text("utf-8"))
    return ScaledClock(datetime.fromisoformat(data["origin"]), float(data["real_origin_s"]), float(data["speed"]))
