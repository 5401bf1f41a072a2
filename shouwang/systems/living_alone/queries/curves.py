"""The curve of one meter as a chart: litres an hour, the usual band of the four weeks before, and the moments that matter."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from shouwang.kernel.texts import Text
from shouwang.systems.living_alone.rules.curve import hour_of, hourly_use, usual_band
from shouwang.telemetry.queries import series

SPAN = timedelta(hours=72)
LEARNT = timedelta(days=28)
POINTS = 10_000
USED, UNIT, USUAL = Text("用水量", "Water used"), Text("升", "L"), Text("往常范围", "Usual")
Mark = tuple[datetime, Text, str]
"""A moment with its word and the colour it is drawn in."""


def use_curve(datastream_id: int, *, until: datetime, end: datetime, marks: Sequence[Mark], language: str) -> dict[str, Any] | None:
    """Return the litres of each hour of SPAN up to `end`, at least up to `until`, as a chart; None without two readings.

    The band comes from the weeks before, so that a silence does not make itself usual; where less is known there is none.
    """
    start = end - SPAN
    points = series(datastream_id, start - LEARNT, end, max_points=POINTS).points()
    shown = [point for point in points if point[0] >= start]
    if len(shown) < 2:
        return None
    used = hourly_use(shown, until=until)
    chart: dict[str, Any] = {
        "times": [at.isoformat() for at in used], "unit": UNIT.render(language, {}),
        "series": [{"name": USED.render(language, {}), "values": list(used.values()), "kind": "bar"}],
        "marks": [{"at": hour_of(at).isoformat(), "name": name.render(language, {}), "severity": colour} for at, name, colour in marks],
    }
    band = usual_band(hourly_use([point for point in points if point[0] < start], until=start), used)
    if band is not None:
        chart["band"] = {"name": USUAL.render(language, {}), "low": [low for low, _ in band], "high": [high for _, high in band]}
    return chart
