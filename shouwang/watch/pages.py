"""Thresholds: by which numbers a watch judges in an area, where each comes from, changed for the area or left to the one above."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.journal.queries import events_of
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import person_cards
from shouwang.places.queries import AreaRow, ancestors_of, area_asked, areas, children
from shouwang.ui.reader import reader
from shouwang.watch import queries
from shouwang.watch.actions import set_thresholds
from shouwang.watch.events import THRESHOLDS_SET
from shouwang.watch.queries import WatchRow
from shouwang.watch.rules import DETECTORS, FIXED, THRESHOLDS, Threshold, ThresholdInvalid, read_thresholds

RIGHT = "settings.edit"
LOGGED = 20
SHIPPED = Text("随软件", "As shipped")
SAVED = Text("已保存；从下一个读数起按新阈值判断", "Saved; it holds from the next reading on")
SAME = Text("没有变化", "Nothing changed")


@dataclass(frozen=True)
class Line:
    """One threshold as the page shows it: what holds, what the area sets itself, and whose the value from above is."""

    name: str
    title: Text
    unit: Text
    own: str
    above: str
    source: Text
    lowest: float
    highest: float
    step: str


@dataclass(frozen=True)
class Panel:
    """One watch as it judges in an area."""

    code: str
    title: Text
    lines: Sequence[Line]
    has_own: bool
    is_off: bool


@require_GET
@needs(RIGHT)
def thresholds(request: HttpRequest) -> HttpResponse:
    """Show by which numbers each watch judges in an area."""
    return _page(request, area_asked(request.GET.get("area", ""), scope_of(request).paths_for(RIGHT)), {})


@require_POST
@needs(RIGHT)
def change(request: HttpRequest, code: str) -> HttpResponse:
    """Say for how many meters other numbers would hold, then let them hold; `follow` gives all of the area's own up."""
    scope, language, now = scope_of(request), reader(request).language, clock().now()
    place = area_asked(request.POST.get("area", ""), scope_of(request).paths_for(RIGHT))
    scope.require(RIGHT, place.path)
    rows = [row for row in queries.family_rows() if row.code == code]
    if not rows:
        raise NotFound(what=f"监测 {code}")
    texts = {} if "follow" in request.POST else {name: request.POST.get(name, "") for name in THRESHOLDS}
    try:
        own = {**_kept(rows, place, texts), **read_thresholds(texts, _above(rows, place).params)}
    except ThresholdInvalid as error:
        return _page(request, place, {code: texts}, problem=error.text(language), status=422)
    if "sure" not in request.POST:
        count = queries.meters_changed(code, place.path, own)
        return render(request, "watch/sure.html", {
            "place": place, "code": code, "meters": count, "own": _said(own), "title": _title(rows[0]),
            "texts": [(name, text) for name, text in texts.items() if text], "follows": not own,
        })
    changed = set_thresholds(code, area_id=place.id, path=place.path, own=own, by=scope.person_id, now=now)
    messages.success(request, (SAVED if changed else SAME).render(language, {}))
    return HttpResponseRedirect(f"{reverse('watch:thresholds')}?{urlencode({'area': place.id})}")


def _kept(rows: Sequence[WatchRow], place: AreaRow, texts: Mapping[str, str]) -> dict[str, float]:
    """Return what the area has settled elsewhere, such as accepted prices, which a person writing thresholds does not touch."""
    own = next((row.own for row in rows if row.path == place.path), {})
    return {name: own[name] for name in FIXED & own.keys()} if texts else {}


def _page(request: HttpRequest, place: AreaRow, given: Mapping[str, Mapping[str, str]], *, problem: str = "", status: int = 200) -> HttpResponse:
    scope = scope_of(request)
    rows = queries.family_rows()
    codes = sorted({row.code for row in rows})
    return render(request, "watch/thresholds.html", {
        "place": place, "problem": problem, "log": _log(place, {row.code: _title(row) for row in rows if not row.path}, reader(request).language),
        "panels": [_panel([row for row in rows if row.code == code], place, given.get(code)) for code in codes],
        "above": [each for each in ancestors_of(place.path) if scope.may(RIGHT, each.path) and each.id != place.id],
        "below": children(place.id),
    }, status=status)


def _panel(rows: Sequence[WatchRow], place: AreaRow, given: Mapping[str, str] | None) -> Panel:
    base = rows[0]
    own = next((row.own for row in rows if row.path == place.path), {})
    above = _above(rows, place)
    line = [row for row in rows if row.path and place.path.startswith(row.path) and row.path != place.path]
    names = {row.id: row.name for row in areas([_last(row.path) for row in line]).values()}
    lines = []
    for name, threshold in THRESHOLDS.items():
        if name in base.params:
            said = next((row.path for row in reversed(line) if name in row.own), "")
            source = Text(names.get(_last(said), "—"), names.get(_last(said), "—")) if said else SHIPPED
            shown = given.get(name, "") if given is not None else f"{own[name]:g}" if name in own else ""
            lines.append(Line(
                name, threshold.title, threshold.unit, shown, f"{above.params[name]:g}", source, threshold.lowest, threshold.highest,
                "1" if threshold.is_whole else "any",
            ))
    return Panel(base.code, _title(base), lines, bool(own), not base.enabled)


def _title(row: WatchRow) -> Text:
    return DETECTORS.get(row.detector, Text(row.detector, row.detector))


def _above(rows: Sequence[WatchRow], place: AreaRow) -> WatchRow:
    """Return the watch that would judge in an area that sets nothing itself."""
    return [row for row in rows if place.path.startswith(row.path) and row.path != place.path][-1]


def _log(place: AreaRow, titles: Mapping[str, Text], language: str) -> list[dict[str, object]]:
    """Return what was set at an area, latest first."""
    events = [event for event in reversed(events_of(place.id, prefix="watch.")) if event.kind == THRESHOLDS_SET][:LOGGED]
    people = person_cards({event.payload["by"] for event in events if event.payload["by"]}, language=language)
    return [
        {
            "at": event.at, "watch": titles.get(event.payload["watch"], Text("—", "—")), "by": people[by].name if (by := event.payload["by"]) in people else "",
            "own": _said(event.payload["own"]), "is_settled": bool(FIXED & event.payload["own"].keys()),
        }
        for event in events
    ]


def _said(own: Mapping[str, float]) -> list[tuple[Threshold, str]]:
    return [(THRESHOLDS[name], f"{value:g}") for name, value in own.items() if name in THRESHOLDS]


def _last(path: str) -> int:
    return int(path.rstrip("/").rpartition("/")[2] or 0)
