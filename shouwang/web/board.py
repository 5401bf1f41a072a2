"""What the wall board shows: how things stand, for a whole hall to see. No names of persons, no addresses of homes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from shouwang.cases.queries import CaseRow, Filters, list_cases
from shouwang.indicators.queries import by_hour, figures, figures_by_area
from shouwang.indicators.rules.figures import Figure, tile
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope
from shouwang.places.queries import areas, children, outlines, roots
from shouwang.ui.drawings import Projection, ceiling, project, rings_of, stacked
from shouwang.web.queries import REVIEW_NUMBER, place_names
from shouwang.web.rules import KINDS

MAP_WIDTH = 1000.0
MAP_MARGIN = 20.0
NEWEST = 9
POINTS = 400
CLOSE = 40.0
HOURS = 24
PLOTS = 5
OPEN, LATE = "open", "late"


def board(scope: Scope, *, since: datetime, now: datetime, language: str) -> dict[str, Any]:
    """Return the whole board for what `scope` sees; the day began at `since`."""
    root = next(iter(scope.paths_for("case.read")), "/")
    depth = len([part for part in root.split("/") if part])
    by_area = figures_by_area(scope, since=since, depth=max(1, depth))
    open_cases = list_cases(scope, Filters(states=("OPEN",)), limit=POINTS)
    return {
        "title": _title(root), "figures": [tile(figure) for figure in figures(scope, since=since)],
        "areas": _bars(by_area), "newest": _newest(open_cases, language), "hours": _hours(scope, since=since),
        "map": _map(by_area, open_cases), "review_number": REVIEW_NUMBER, "now": now,
    }


def _title(path: str) -> str:
    ids = [int(part) for part in path.split("/") if part]
    area = areas(ids[-1:]).get(ids[-1]) if ids else next(iter(roots()), None)
    return area.name if area else ""


def _number(found: Sequence[Figure], code: str) -> int:
    return int(next((each.value.number or 0 for each in found if each.definition.code == code), 0))


def _bars(by_area: Mapping[int, Sequence[Figure]]) -> list[dict[str, Any]]:
    """Return the open cases of each area, most first, and how many of them are late."""
    known = areas(by_area)
    rows: list[dict[str, Any]] = [
        {"name": known[area_id].name, "open": _number(found, OPEN), "late": _number(found, LATE)}
        for area_id, found in by_area.items()
        if area_id in known
    ]
    rows.sort(key=lambda row: (-row["open"], row["name"]))
    most = max((row["open"] for row in rows), default=0) or 1
    return [{**row, "width": round(100 * row["open"] / most, 1), "late_width": round(100 * row["late"] / most, 1)} for row in rows[:10]]


def _newest(cases: Sequence[CaseRow], language: str) -> list[dict[str, Any]]:
    newest = sorted(cases, key=lambda case: case.opened_at, reverse=True)[:NEWEST]
    names = place_names(newest)
    return [
        {
            "severity": Severity(case.severity), "title": KINDS.get(case.kind, Text(case.kind, case.kind)).render(language, {}),
            "place": " ".join(names.get(case.area_id, "").split(" ")[:2]), "at": case.opened_at,
        }
        for case in newest
    ]


def _hours(scope: Scope, *, since: datetime) -> dict[str, Any]:
    """Return the alerts of today by hour and kind, as the parts of columns in hundredths of the plot."""
    found = by_hour(scope, since=since, hours=HOURS)
    kinds = sorted(found, key=lambda kind: (-sum(found[kind]), kind))[:PLOTS]
    bars, most = stacked([found[kind] for kind in kinds])
    top = ceiling(most)
    share = most / top
    return {
        "bars": [
            {"x": bar.column * 10 + 1.5, "y": round(100 - 100 * bar.high * share, 2), "height": round(100 * (bar.high - bar.low) * share, 2), "plot": bar.series + 1}
            for bar in bars
        ],
        "kinds": [{"title": KINDS.get(kind, Text(kind, kind)), "plot": number} for number, kind in enumerate(kinds, start=1)],
        "lines": [{"y": round(100 - 25 * step, 2), "label": top * step // 4} for step in range(5)],
        "marks": [{"x": hour * 10 + 5, "label": hour} for hour in range(0, HOURS, 3)],
        "total": int(sum(sum(hours) for hours in found.values())),
    }


def _map(by_area: Mapping[int, Sequence[Figure]], cases: Sequence[CaseRow]) -> dict[str, Any] | None:
    """Return the counties as paths, deeper the more cases are open there, and the open cases at their areas' points."""
    counties = [county for root in roots()[:1] for county in children(root.id)]
    found = {area_id: rings_of(outline) for area_id, (outline, _) in outlines([county.id for county in counties]).items()}
    sheet = project([ring for rings in found.values() for ring in rings], width=MAP_WIDTH, margin=MAP_MARGIN)
    if sheet is None:
        return None
    most = max((_number(each, OPEN) for each in by_area.values()), default=0) or 1
    shapes = []
    for county in counties:
        if county.id in found:
            number = _number(by_area.get(county.id, ()), OPEN)
            middle = sheet.place(*_middle(found[county.id]))
            shapes.append({"d": sheet.path(found[county.id]), "name": county.name, "open": number, "shade": round(4 * number / most), "x": middle[0], "y": middle[1]})
    return {"width": sheet.width, "height": sheet.height, "shapes": shapes, "points": _points(sheet, cases)}


def _middle(rings: Sequence[Sequence[tuple[float, float]]]) -> tuple[float, float]:
    largest = max(rings, key=len)
    return sum(lon for lon, _ in largest) / len(largest), sum(lat for _, lat in largest) / len(largest)


def _points(sheet: Projection, cases: Sequence[CaseRow]) -> list[dict[str, Any]]:
    """Return the open cases at their areas' points, those that lie close together as one with their number, the gravest on top."""
    known = areas({case.area_id for case in cases})
    groups: list[tuple[float, float, list[int]]] = []
    for case in sorted(cases, key=lambda case: (-case.severity, case.id)):
        area = known.get(case.area_id)
        if area is not None and area.lon is not None and area.lat is not None:
            x, y = sheet.place(area.lon, area.lat)
            near = next((group for group in groups if abs(group[0] - x) < CLOSE and abs(group[1] - y) < CLOSE), None)
            if near is None:
                groups.append((x, y, [case.severity]))
            else:
                near[2].append(case.severity)
    return [_point(x, y, levels) for x, y, levels in reversed(groups)]


def _point(x: float, y: float, levels: Sequence[int]) -> dict[str, Any]:
    gravest = Severity(max(levels))
    letter = gravest.zh if len(levels) == 1 else f"{gravest.zh}{len(levels)}"
    return {"x": x, "y": y, "css": gravest.css, "r": 14 + 2 * gravest + (8 if len(levels) > 1 else 0), "letter": letter}
