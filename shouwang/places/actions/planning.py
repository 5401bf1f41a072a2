"""What an import of divisions would write, worked out against the tree as it stands; writes nothing itself."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgspec

from shouwang.journal.put import reserve_ids
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.places.models import Area
from shouwang.places.rules import tree
from shouwang.places.rules.divisions import BadRow, Division
from shouwang.places.rules.errors import NameTaken, RowInvalid
from shouwang.places.rules.outlines import Feature
from shouwang.places.rules.spelling import spelling

COLUMNS = (
    "id", "parent_id", "level", "name", "official_name", "spelling", "code", "path", "lon", "lat", "point_is_schematic",
    "outline", "outline_is_schematic", "west", "south", "east", "north",
)
_KNOWN = Text("已有的、或本表中的地区，写名称或代码", "an area that is there or in this list, by name or code")
_ONE = Text("唯一的一处：请写全称（县 乡镇 村）或代码", "exactly one: write the full name (county township village) or the code")


class Known(NamedTuple):
    """An area that is there, or will be."""

    id: int
    name: str
    level: str
    path: str
    code: str
    point: tuple[float | None, float | None]


@dataclass
class Writing:
    """Plans the rows of an import against the tree as it stands: new rows, changed points and codes, rows left out."""

    outlines: Mapping[str, Feature]
    keep_points: bool
    bad: list[BadRow]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    points: dict[int, tuple[float, float]] = field(default_factory=dict)
    codes: dict[int, str] = field(default_factory=dict)
    unchanged: int = 0
    by_id: dict[int, Known] = field(default_factory=dict)
    by_code: dict[str, Known] = field(default_factory=dict)
    by_name: dict[tuple[int | None, str], Known] = field(default_factory=dict)
    named: dict[str, list[Known]] = field(default_factory=lambda: defaultdict(list))

    def plan(self, divisions: Sequence[Division], *, ids: Iterator[int] | None = None) -> None:
        """Sort the divisions, shallow levels first, into new, changed, unchanged and bad; new ones get their ids from `ids`."""
        columns = ("id", "name", "level", "path", "code", "lon", "lat", "parent_id")
        for area_id, name, level, path, code, lon, lat, parent_id in Area.objects.values_list(*columns):
            self._know(Known(area_id, name, level, path, code, (lon, lat)), parent_id)
        if ids is None:
            ids = iter(reserve_ids(Area, sum(not each.code or each.code not in self.by_code for each in divisions)))
        for division in divisions:
            try:
                self._take(division, ids)
            except ShouwangError as error:
                self.bad.append(BadRow(division.line, error, division.cells))

    @property
    def changed(self) -> frozenset[int]:
        """Return the areas that are there and get a point or a code."""
        return frozenset(self.points) | frozenset(self.codes)

    def _know(self, known: Known, parent_id: int | None) -> None:
        if known.code:
            self.by_code[known.code] = known
        self.by_id[known.id] = self.by_name[parent_id, known.name] = known
        self.named[known.name].append(known)

    def _take(self, division: Division, ids: Iterator[int]) -> None:
        found = self.by_code.get(division.code) if division.code else None
        if found is None:
            name = tree.short_name(division.name) if division.level == tree.VILLAGE else division.name
            parent = self._parent(division, name)
            found = self.by_name.get((parent.id if parent else None, name))
            if found is None:
                self._add(next(ids), name, division, parent)
                return
            if division.code and (found.code or found.id in self.codes):
                raise NameTaken(parent=parent.name if parent else "—", name=name, area=found.id)
        self._compare(found, division)

    def _parent(self, division: Division, name: str) -> Known | None:
        if division.parent_name:
            parent: Known | None = self._named(division)
        else:
            parent = self.by_code.get(division.parent_code)
            is_root = not division.parent_code and (None, name) in self.by_name
            if parent is None and self.by_name and not is_root:
                raise RowInvalid(column="parent", found=division.parent_code, expected=_KNOWN)
        tree.check_level(
            division.level, parent_level=parent.level if parent else None, parent_name=parent.name if parent else "—",
        )
        return parent

    def _named(self, division: Division) -> Known:
        """Return the one area of a higher level that the words mean: the last its name, those before names above it."""
        *above, last = division.parent_name.split()
        likely = self.named.get(last) or self.named.get(tree.short_name(last), [])
        higher = [each for each in likely if tree.depth(each.level) < tree.depth(division.level)]
        found = [each for each in higher if set(above) <= {self.by_id[up].name for up in tree.ancestors(each.path)}]
        if len(found) != 1:
            raise RowInvalid(column="parent", found=division.parent_name[:40], expected=_ONE if found else _KNOWN)
        return found[0]

    def _add(self, area_id: int, name: str, division: Division, parent: Known | None) -> None:
        path = tree.path_of(parent.path if parent else "", area_id)
        parent_id = parent.id if parent else None
        feature = self.outlines.get(division.code) if division.code else None
        box = (feature.outline.west, feature.outline.south, feature.outline.east, feature.outline.north) if feature else (None,) * 4
        self.rows.append((
            area_id, parent_id, division.level, name, division.name if division.name != name else "", spelling(name),
            division.code, path, division.lon, division.lat, division.point_is_schematic,
            outline_text(feature.geometry) if feature else "", False, *box,
        ))
        self._know(Known(area_id, name, division.level, path, division.code, (division.lon, division.lat)), parent_id)

    def _compare(self, found: Known, division: Division) -> None:
        before = len(self.changed)
        if division.code and not found.code:
            self.codes[found.id] = division.code
            self.by_code[division.code] = found
        if not self.keep_points and division.lon is not None and division.lat is not None and (division.lon, division.lat) != found.point:
            self.points[found.id] = (division.lon, division.lat)
        self.unchanged += len(self.changed) == before


def outline_text(geometry: Mapping[str, Any]) -> str:
    """Return a geometry as it is stored."""
    return msgspec.json.encode(geometry).decode()
