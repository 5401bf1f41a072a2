"""Imports of whole trees and of outlines, and the shipped tree of Liaocheng."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from django.db import transaction

from shouwang.journal.actions import append, lock_order
from shouwang.journal.put import put, reserve_ids
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.places import events
from shouwang.places.models import Area
from shouwang.places.rules import tree
from shouwang.places.rules.coordinates import CoordinateSystem
from shouwang.places.rules.divisions import BadRow, Division, decode, read_divisions
from shouwang.places.rules.errors import ImportUnreadable, NameTaken, RowInvalid
from shouwang.places.rules.outlines import Feature, read_outlines
from shouwang.places.rules.schematic import with_points
from shouwang.places.rules.spelling import spelling

MAX_IMPORT_BYTES = 20 * 1024 * 1024
PUT_ROWS = 500
LIAOCHENG = "371500000000"
_KNOWN_CODE = Text("已有区划的代码", "the code of a known area")
_ONE_AREA = Text("唯一一个已有区域", "exactly one known area")
Progress = Callable[[int, int], None]
_COLUMNS = (
    "id", "parent_id", "level", "name", "official_name", "spelling", "code", "path", "lon", "lat", "point_is_schematic",
    "outline", "outline_is_schematic", "west", "south", "east", "north",
)


@dataclass(frozen=True)
class Imported:
    """What an import did: areas added, areas changed, rows that were so already, and rows left out."""

    added: int
    changed: int
    unchanged: int
    bad: Sequence[BadRow]


def import_divisions(
    source: Path | bytes, *, now: datetime, system: CoordinateSystem | None = None, progress: Progress | None = None,
) -> Imported:
    """Add the areas of a CSV `code,name,level,parent[,lon,lat]` that are not there yet.

    An area that is there (same code, or same name under the same parent) keeps its name and place; a position given for
    it replaces the point it has. The first row becomes the root where there is no tree yet; any other row needs a known
    parent. Rows that cannot be used are left out and listed. With positions the `system` must be stated.
    Raises ImportUnreadable, SystemUnknown.
    """
    divisions, bad = read_divisions(decode(_bytes(source)), system=system)
    return _import(divisions, bad, now=now, progress=progress)


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
    """What an import would do."""

    added: Sequence[PlannedArea]
    changed: Sequence[PlannedArea]
    unchanged: int
    bad: Sequence[BadRow]


def plan_divisions(source: Path | bytes, *, system: CoordinateSystem | None = None) -> Plan:
    """Return what `import_divisions` would do, writing nothing. Raises as it does."""
    divisions, bad = read_divisions(decode(_bytes(source)), system=system)
    writing = _Writing({}, keep_points=False, bad=list(bad))
    writing.plan(divisions, ids=count(1 << 60))
    known = {each.id: each for each in writing.by_name.values()}
    added = []
    for row in writing.rows:
        parent = known.get(row[1])
        added.append(PlannedArea(row[3], row[2], parent.name if parent else "", row[6], row[8], row[9]))
    changed = [
        PlannedArea(known[area_id].name, known[area_id].level, "", known[area_id].code, lon, lat)
        for area_id, (lon, lat) in writing.points.items()
    ]
    return Plan(added, changed, writing.unchanged, sorted(writing.bad, key=lambda row: row.line))


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
) -> Imported:
    """Write the divisions; with the outlines of a `shipped` tree, whatever is there already stays untouched."""
    with transaction.atomic():
        lock_order()
        writing = _Writing(shipped or {}, keep_points=shipped is not None, bad=list(bad))
        writing.plan(divisions)
        for start in range(0, len(writing.rows), PUT_ROWS):
            put(Area, _COLUMNS, writing.rows[start : start + PUT_ROWS])
            if progress:
                progress(min(start + PUT_ROWS, len(writing.rows)), len(writing.rows))
        for area_id, (lon, lat) in writing.points.items():
            Area.objects.filter(pk=area_id).update(lon=lon, lat=lat, point_is_schematic=False)
        imported = writing.imported()
        append([NewEvent(events.DIVISIONS_IMPORTED, None, {"added": imported.added, "changed": imported.changed})], now=now)
    return imported


class _Known(NamedTuple):
    id: int
    name: str
    level: str
    path: str
    code: str
    point: tuple[float | None, float | None]


@dataclass
class _Writing:
    """Plans the rows of an import against the tree as it stands: new rows, changed points, rows left out."""

    outlines: Mapping[str, Feature]
    keep_points: bool
    bad: list[BadRow]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    points: dict[int, tuple[float, float]] = field(default_factory=dict)
    unchanged: int = 0
    by_code: dict[str, _Known] = field(default_factory=dict)
    by_name: dict[tuple[int | None, str], _Known] = field(default_factory=dict)

    def plan(self, divisions: Sequence[Division], *, ids: Iterator[int] | None = None) -> None:
        """Sort the divisions, shallow levels first, into new, changed, unchanged and bad; new ones get their ids from `ids`."""
        columns = ("id", "name", "level", "path", "code", "lon", "lat", "parent_id")
        for area_id, name, level, path, code, lon, lat, parent_id in Area.objects.values_list(*columns):
            self._know(_Known(area_id, name, level, path, code, (lon, lat)), parent_id)
        if ids is None:
            ids = iter(reserve_ids(Area, sum(not each.code or each.code not in self.by_code for each in divisions)))
        for division in divisions:
            try:
                self._take(division, ids)
            except ShouwangError as error:
                self.bad.append(BadRow(division.line, error))

    def imported(self) -> Imported:
        """Return what the import does."""
        return Imported(len(self.rows), len(self.points), self.unchanged, self.bad)

    def _know(self, known: _Known, parent_id: int | None) -> None:
        if known.code:
            self.by_code[known.code] = known
        self.by_name[parent_id, known.name] = known

    def _take(self, division: Division, ids: Iterator[int]) -> None:
        found = self.by_code.get(division.code) if division.code else None
        if found is None:
            parent = self._parent(division)
            name = tree.short_name(division.name) if division.level == tree.VILLAGE else division.name
            found = self.by_name.get((parent.id if parent else None, name))
            if found is None:
                self._add(next(ids), name, division, parent)
                return
            if division.code and found.code:
                raise NameTaken(parent=parent.name if parent else "—", name=name, area=found.id)
        self._compare(found, division)

    def _parent(self, division: Division) -> _Known | None:
        parent = self.by_code.get(division.parent_code)
        if parent is None and self.by_name:
            raise RowInvalid(column="parent", found=division.parent_code, expected=_KNOWN_CODE)
        tree.check_level(
            division.level, parent_level=parent.level if parent else None, parent_name=parent.name if parent else "—",
        )
        return parent

    def _add(self, area_id: int, name: str, division: Division, parent: _Known | None) -> None:
        path = tree.path_of(parent.path if parent else "", area_id)
        parent_id = parent.id if parent else None
        feature = self.outlines.get(division.code) if division.code else None
        box = (feature.outline.west, feature.outline.south, feature.outline.east, feature.outline.north) if feature else (None,) * 4
        self.rows.append((
            area_id, parent_id, division.level, name, division.name if division.name != name else "", spelling(name),
            division.code, path, division.lon, division.lat, division.point_is_schematic,
            _text(feature.geometry) if feature else "", False, *box,
        ))
        self._know(_Known(area_id, name, division.level, path, division.code, (division.lon, division.lat)), parent_id)

    def _compare(self, found: _Known, division: Division) -> None:
        point = (division.lon, division.lat)
        if self.keep_points or division.lon is None or division.lat is None or point == found.point:
            self.unchanged += 1
        else:
            self.points[found.id] = (division.lon, division.lat)


def _set_outline(feature: Feature, *, schematic: bool) -> None:
    """Set the outline of the one area the feature names. Raises RowInvalid when there is none, or more than one."""
    area_id = _named(feature)
    values: dict[str, Any] = {"outline": _text(feature.geometry), "outline_is_schematic": schematic}
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


def _text(geometry: Mapping[str, Any]) -> str:
    return msgspec.json.encode(geometry).decode()
