"""Imports of whole trees and of outlines, and the shipped tree of Liaocheng."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

from django.db import transaction

from shouwang.documents.sheets import read_sheet
from shouwang.journal.actions import append, lock_order
from shouwang.journal.put import put
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.places import events
from shouwang.places.actions.planning import COLUMNS, Writing, outline_text
from shouwang.places.models import Area
from shouwang.places.rules import tree
from shouwang.places.rules.coordinates import CoordinateSystem
from shouwang.places.rules.divisions import MAX_ROWS, BadRow, Division, Row, csv_rows, decode, divisions_of, read_divisions
from shouwang.places.rules.errors import ImportUnreadable, RowInvalid
from shouwang.places.rules.outlines import Feature, read_outlines
from shouwang.places.rules.schematic import with_points

MAX_IMPORT_BYTES = 20 * 1024 * 1024
PUT_ROWS = 500
LIAOCHENG = "371500000000"
_ONE_AREA = Text("唯一一个已有区域", "exactly one known area")
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Imported:
    """What an import did: areas added (and how many of each level), areas changed, rows that were so already, and rows left out.

    `waiting` areas were left for the next portion.
    """

    added: int
    changed: int
    unchanged: int
    bad: Sequence[BadRow]
    levels: Mapping[str, int] = field(default_factory=dict)
    waiting: int = 0


def import_divisions(
    source: Path | bytes, *, now: datetime, name: str = "", system: CoordinateSystem | None = None, progress: Progress | None = None,
    at_most: int | None = None,
) -> Imported:
    """Add the areas of a list (CSV, or XLSX where `name` ends so) of name, level, parent[, code, lon, lat] that are not there yet.

    An area that is there (same code, or same name under the same parent) keeps its name and place; a position given for
    it replaces the point it has, a code it takes where it has none. The first row becomes the root where there is no tree yet;
    any other row needs a known parent, by code or name. Rows that cannot be used are left out and listed. With positions the
    `system` must be stated. With `at_most` that many areas are added, shallow levels first, and the same list brings the
    rest another time. Raises ImportUnreadable, SheetUnreadable, SystemUnknown.
    """
    divisions, bad = divisions_of(list_rows(source, name=name), system=system)
    return _import(divisions, bad, now=now, progress=progress, at_most=at_most)


def list_rows(source: Path | bytes, *, name: str = "") -> list[Row]:
    """Return the rows of a list, the heading first: of an .xlsx by its name, else of a CSV. Raises ImportUnreadable, SheetUnreadable."""
    raw = _bytes(source)
    if name.lower().endswith(".xlsx"):
        return read_sheet(raw, name=name, most_rows=MAX_ROWS, limit_bytes=MAX_IMPORT_BYTES)
    return csv_rows(decode(raw))


def import_outlines(
    source: Path | bytes,
    *,
    system: CoordinateSystem,
    now: datetime,
    schematic: bool = False,
    progress: Progress | None = None,
) -> Imported:
    """Set the outlines of the areas that a GeoJSON FeatureCollection names by `code`, or by a `name` borne by one area only.

    `lon`, `lat` among a feature's properties become the area's point. Raises ImportUnreadable.
    """
    features, bad = read_outlines(_bytes(source), system=system)
    changed = 0
    with transaction.atomic():
        for done, feature in enumerate(features, start=1):
            try:
                _set_outline(feature, schematic=schematic)
                changed += 1
            except ShouwangError as error:
                bad.append(BadRow(feature.number, error))
            if progress:
                progress(done, len(features))
        append([NewEvent(events.OUTLINES_IMPORTED, None, {"changed": changed})], now=now)
    return Imported(0, changed, 0, bad)


@dataclass(frozen=True, slots=True)
class PlannedArea:
    """One area an import would add or change; the point is WGS-84 by then."""

    name: str
    level: str
    parent: str
    code: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True)
class Plan:
    """What an import would do; `head` is a list's heading."""

    added: Sequence[PlannedArea]
    changed: Sequence[PlannedArea]
    unchanged: int
    bad: Sequence[BadRow]
    head: tuple[str, ...] = ()


def plan_divisions(source: Path | bytes, *, name: str = "", system: CoordinateSystem | None = None) -> Plan:
    """Return what `import_divisions` would do, writing nothing. Raises as it does."""
    rows = list_rows(source, name=name)
    divisions, bad = divisions_of(rows, system=system)
    writing = Writing({}, keep_points=False, bad=list(bad))
    writing.plan(divisions, ids=count(1 << 60))
    known = writing.by_id
    added = []
    for row in writing.rows:
        parent = known.get(row[1])
        added.append(PlannedArea(row[3], row[2], parent.name if parent else "", row[6], row[8], row[9]))
    changed = [
        PlannedArea(
            known[area_id].name, known[area_id].level, "", writing.codes.get(area_id, known[area_id].code),
            *writing.points.get(area_id, (None, None)),
        )
        for area_id in sorted(writing.changed)
    ]
    return Plan(added, changed, writing.unchanged, sorted(writing.bad, key=lambda row: row.line), rows[0][1])


def plan_outlines(source: Path | bytes, *, system: CoordinateSystem) -> Plan:
    """Return what `import_outlines` would do, writing nothing. Raises ImportUnreadable."""
    features, bad = read_outlines(_bytes(source), system=system)
    changed = []
    for feature in features:
        try:
            area = Area.objects.get(pk=_named(feature))
        except ShouwangError as error:
            bad.append(BadRow(feature.number, error))
        else:
            changed.append(PlannedArea(area.name, area.level, "", area.code, feature.lon, feature.lat))
    return Plan((), changed, 0, sorted(bad, key=lambda row: row.line))


def load_liaocheng(*, now: datetime, progress: Progress | None = None) -> Imported:
    """Load the shipped tree of Liaocheng: divisions, county outlines, development zones, and schematic points.

    What is there already stays as the office has made it, so it may be run again.
    """
    data = files("shouwang.places").joinpath("data")
    divisions, bad = read_divisions(data.joinpath("liaocheng_divisions.csv").read_text("utf-8"), system=None)
    features, bad_features = read_outlines(
        data.joinpath("liaocheng_counties.geojson").read_bytes(), system=CoordinateSystem.WGS84,
    )
    by_code = {feature.code: feature for feature in features}
    zones = _zones(data.joinpath("liaocheng_zones.csv").read_text("utf-8"))
    centred = [_centred(division, by_code) for division in [*divisions, *zones]]
    planned = with_points(centred, {code: feature.outline for code, feature in by_code.items()})
    planned.sort(key=lambda division: tree.depth(division.level))
    return _import(planned, [*bad, *bad_features], now=now, progress=progress, shipped=by_code)


def _import(
    divisions: Sequence[Division],
    bad: Sequence[BadRow],
    *,
    now: datetime,
    progress: Progress | None,
    shipped: Mapping[str, Feature] | None = None,
    at_most: int | None = None,
) -> Imported:
    """Write the divisions; with the outlines of a `shipped` tree, whatever is there already stays untouched."""
    with transaction.atomic():
        lock_order()
        writing = Writing(shipped or {}, keep_points=shipped is not None, bad=list(bad))
        writing.plan(divisions)
        rows = writing.rows[:at_most]
        for start in range(0, len(rows), PUT_ROWS):
            put(Area, COLUMNS, rows[start : start + PUT_ROWS])
            if progress:
                progress(min(start + PUT_ROWS, len(rows)), len(rows))
        _change(writing)
        imported = Imported(
            len(rows), len(writing.changed), writing.unchanged, writing.bad, Counter(row[2] for row in rows), len(writing.rows) - len(rows),
        )
        append([NewEvent(events.DIVISIONS_IMPORTED, None, {"added": imported.added, "changed": imported.changed})], now=now)
    return imported


def _change(writing: Writing) -> None:
    for area_id, (lon, lat) in writing.points.items():
        Area.objects.filter(pk=area_id).update(lon=lon, lat=lat, point_is_schematic=False)
    for area_id, code in writing.codes.items():
        Area.objects.filter(pk=area_id).update(code=code)


def _set_outline(feature: Feature, *, schematic: bool) -> None:
    """Set the outline of the one area the feature names. Raises RowInvalid when there is none, or more than one."""
    area_id = _named(feature)
    values: dict[str, Any] = {"outline": outline_text(feature.geometry), "outline_is_schematic": schematic}
    values.update({side: getattr(feature.outline, side) for side in ("west", "south", "east", "north")})
    if feature.lon is not None:
        values.update(lon=feature.lon, lat=feature.lat, point_is_schematic=schematic)
    Area.objects.filter(pk=area_id).update(**values)


def _named(feature: Feature) -> int:
    """Return the one area the feature names. Raises RowInvalid."""
    named = Area.objects.filter(code=feature.code) if feature.code else Area.objects.filter(name=feature.name)
    ids = list(named.values_list("id", flat=True)[:2])
    if len(ids) != 1:
        found = feature.code or feature.name
        raise RowInvalid(column="code / name", found=found, expected=_ONE_AREA)
    return ids[0]


def _centred(division: Division, features: Mapping[str, Feature]) -> Division:
    """Return a county with the seat its outline names, and the city with a schematic point in the middle of them."""
    if division.level == tree.COUNTY and division.code in features:
        feature = features[division.code]
        return replace(division, lon=feature.lon, lat=feature.lat)
    if division.level == tree.PREFECTURE:
        seats = [(each.lon, each.lat) for each in features.values() if each.lon is not None and each.lat is not None]
        lon, lat = (round(sum(axis) / len(seats), 5) for axis in zip(*seats, strict=True))
        return replace(division, lon=lon, lat=lat, point_is_schematic=True)
    return division


def _zones(text: str) -> list[Division]:
    return [
        Division("", row["name"], tree.COUNTY, LIAOCHENG, float(row["lon"]), float(row["lat"]), point_is_schematic=True)
        for row in csv.DictReader(io.StringIO(text))
    ]


def _bytes(source: Path | bytes) -> bytes:
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > MAX_IMPORT_BYTES:
        raise ImportUnreadable(found=f"{size} B", expected=f"≤ {MAX_IMPORT_BYTES} B")
    return source if isinstance(source, bytes) else source.read_bytes()
