"""Reads of places: areas and their subtrees, which area a point lies in, settings and the working calendar of an area."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib.resources import files
from math import cos, radians
from typing import Any

import msgspec
from django.db.models import Case, Count, Q, QuerySet, When

from shouwang.journal.prepared import Prepared
from shouwang.kernel.errors import NotFound
from shouwang.kernel.geometry import distance_m, outline_of
from shouwang.places import registry
from shouwang.places.models import Area, AreaSetting
from shouwang.places.rules import tree
from shouwang.places.rules.calendar import Calendar
from shouwang.places.rules.settings import CONFIRMED_UNTIL, DAYS_OFF, HOURS, WORKING_DAYS, calendar_with

COLUMNS = ("id", "parent_id", "level", "name", "code", "path", "lon", "lat", "point_is_schematic")
CALENDAR_AGE_S = 5.0
CALENDARS_KEPT = 10_000
SEARCH_LIMIT = 20
PARENTS_LIMIT = 1_000
METRES_A_DEGREE = 111_000.0
_LEVEL_ORDER = Case(*(When(level=level, then=depth) for depth, level in enumerate(tree.LEVELS)))
_calendars: dict[int, tuple[float, Calendar]] = {}


_AREAS = Prepared(lambda ids: Area.objects.filter(pk__in=ids).values_list(*COLUMNS))
_PATHS = Prepared(lambda ids: Area.objects.filter(pk__in=ids).values_list("pk", "path"))
_SET = Prepared(lambda ids, keys: AreaSetting.objects.filter(area_id__in=ids, key__in=keys).values_list("area_id", "key", "value"))


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area as other rooms see it."""

    id: int
    parent_id: int | None
    level: str
    name: str
    code: str
    path: str
    lon: float | None
    lat: float | None
    point_is_schematic: bool


@dataclass(frozen=True, slots=True)
class SettingValue:
    """The value a setting has at an area, and the area it was set at; None for the default."""

    value: Any
    source_area_id: int | None


def area(area_id: int) -> AreaRow:
    """Return the area `area_id`. Raises NotFound."""
    found = areas([area_id]).get(area_id)
    if found is None:
        raise NotFound(what=f"区域 {area_id}")
    return found


def areas(area_ids: Collection[int]) -> dict[int, AreaRow]:
    """Return the areas with these ids, by id; unknown ids are left out."""
    return {row[0]: AreaRow(*row) for row in _AREAS.rows(area_ids)}


def paths_of(area_ids: Collection[int]) -> dict[int, str]:
    """Return the paths of the areas with these ids, by id; unknown ids are left out."""
    return dict(_PATHS.rows(area_ids))


def area_of_code(code: str) -> AreaRow | None:
    """Return the area with this division code of 12 digits (shorter official forms are filled), or None."""
    cleaned = tree.clean_code(code)
    found = _rows(Area.objects.filter(code=cleaned)) if cleaned else []
    return found[0] if found else None


def roots() -> list[AreaRow]:
    """Return the areas without a parent."""
    return _rows(Area.objects.filter(parent=None).order_by("id"))


def children(area_id: int) -> list[AreaRow]:
    """Return the areas just below `area_id`, those with a code first, by code."""
    return sorted(_rows(Area.objects.filter(parent_id=area_id)), key=lambda row: (not row.code, row.code, row.id))


def below(path: str, *, levels: Collection[str] = tree.LEVELS) -> list[AreaRow]:
    """Return the areas at or below `path` of these levels, by path: one range of one index."""
    return _rows(Area.objects.filter(_inside(path), level__in=levels).order_by("path"))


def count_below(scope_paths: Sequence[str]) -> int:
    """Return how many areas lie below these paths, those at them left out."""
    return Area.objects.filter(within(scope_paths)).exclude(path__in=scope_paths).count()


def count_children(area_ids: Collection[int]) -> dict[int, int]:
    """Return for each of these areas how many areas lie just below it."""
    found = Area.objects.filter(parent_id__in=area_ids).values_list("parent_id").annotate(Count("id"))
    return {**dict.fromkeys(area_ids, 0), **{parent: count for parent, count in found if parent is not None}}


def ancestors_of(path: str) -> list[AreaRow]:
    """Return the areas on `path`, from the root to the area itself."""
    ids = tree.ancestors(path)[::-1]
    found = areas(ids)
    return [found[area_id] for area_id in ids if area_id in found]


def full_name(area_id: int) -> str:
    """Return the names from the county down to the area: 莘县 张寨镇 黄庙村. Raises NotFound."""
    found = full_names([area_id])
    if area_id not in found:
        raise NotFound(what=f"区域 {area_id}")
    return found[area_id]


def full_names(area_ids: Collection[int]) -> dict[int, str]:
    """Return the full names of these areas by id, in two reads."""
    asked = areas(area_ids)
    lines = {area_id: tree.ancestors(row.path)[::-1] for area_id, row in asked.items()}
    known = areas({each for line in lines.values() for each in line})
    return {
        area_id: tree.full_name([(known[each].level, known[each].name) for each in line if each in known])
        for area_id, line in lines.items()
    }


def search(text: str, scope_paths: Sequence[str], limit: int = SEARCH_LIMIT) -> list[AreaRow]:
    """Return at most `limit` areas within `scope_paths` whose name holds `text`, or whose code or pinyin begins with it.

    Pinyin may be whole ("huangmiao") or initials ("hmc"). High levels come first.
    """
    found = Area.objects.filter(within(scope_paths), matching(text))
    return _rows(found.order_by(_LEVEL_ORDER, "path")[:limit])


def listed(
    scope_paths: Sequence[str], *, parent_id: int | None, text: str, level: str, sort: str, offset: int, limit: int,
) -> tuple[list[AreaRow], int]:
    """Return a slice of the areas a reader sees, and their number: below `parent_id` when text or level is given, else just below."""
    found = Area.objects.filter(within(scope_paths))
    if text or level:
        found = found.filter(_inside(area(parent_id).path) if parent_id else Q(), matching(text) if text else Q())
        found = found.filter(level=level) if level else found
    elif parent_id is not None:
        found = found.filter(parent_id=parent_id)
    else:
        found = found.filter(path__in=scope_paths)
    order = {"name": "spelling", "-name": "-spelling", "code": "code", "-code": "-code"}.get(sort, "path")
    return _rows(found.order_by(order, "id")[offset : offset + limit]), found.count()


def possible_parents(row: AreaRow, scope_paths: Sequence[str]) -> list[AreaRow]:
    """Return where an area may be moved to, by path: higher levels in sight, for a grid only the villages of its township."""
    levels = [level for level in tree.LEVELS[: tree.depth(row.level)] if level != tree.VILLAGE]
    wanted = Q(level__in=levels)
    if row.level == tree.GRID:
        line = ancestors_of(row.path)
        township = next((each.path for each in line if each.level == tree.TOWNSHIP), line[0].path)
        wanted |= Q(level=tree.VILLAGE) & _inside(township)
    found = Area.objects.filter(wanted, within(scope_paths)).exclude(_inside(row.path))
    return [each for each in _rows(found.order_by("path")[:PARENTS_LIMIT]) if each.id != row.parent_id]


def area_at(lon: float, lat: float) -> AreaRow | None:
    """Return the area of a WGS-84 point: inside the deepest outline around it, the nearest village or grid that has a point.

    Where that outline has none below, the nearest township; else the outline's own area; None outside every outline.
    The row says whether its point, and so the answer, is schematic.
    """
    around = _deepest_outline(lon, lat)
    if around is None:
        return None
    inside = [row for row in below(around.path) if row.lon is not None and tree.depth(row.level) > tree.depth(around.level)]
    near = [row for row in inside if row.level in {tree.VILLAGE, tree.GRID}] or inside
    return min(near, key=lambda row: distance_m(lon, lat, row.lon or 0.0, row.lat or 0.0), default=around)


def areas_near(lon: float, lat: float, *, within_m: float) -> dict[int, float]:
    """Return the areas whose point lies within `within_m` of a WGS-84 point, each with its distance in metres; one read."""
    north = within_m / METRES_A_DEGREE
    east = north / max(0.1, cos(radians(lat)))
    boxed = Area.objects.filter(lon__gte=lon - east, lon__lte=lon + east, lat__gte=lat - north, lat__lte=lat + north)
    away = {pk: distance_m(lon, lat, x or 0.0, y or 0.0) for pk, x, y in boxed.values_list("pk", "lon", "lat")}
    return {pk: metres for pk, metres in away.items() if metres <= within_m}


def outlines(area_ids: Collection[int]) -> dict[int, tuple[dict[str, Any], bool]]:
    """Return the GeoJSON outline of these areas that have one, and whether it is schematic."""
    found = Area.objects.filter(pk__in=area_ids).exclude(outline="").values_list("id", "outline", "outline_is_schematic")
    return {area_id: (msgspec.json.decode(outline), schematic) for area_id, outline, schematic in found}


def setting(area_id: int, key: str) -> SettingValue:
    """Return the value of `key` at an area: that of the nearest area upwards that sets it. Raises NotFound, SettingUnknown."""
    registry.spec_of(key)
    return settings_of(area_id, [key])[key]


def settings_of(area_id: int, keys: Iterable[str] | None = None) -> dict[str, SettingValue]:
    """Return every declared setting (or `keys`) at an area, in two reads. Raises NotFound."""
    wanted = [spec.key for spec in registry.specs()] if keys is None else list(keys)
    nearest_first = tree.ancestors(area(area_id).path)
    set_at = {(set_area, key): value for set_area, key, value in _SET.rows(nearest_first, wanted)}
    found: dict[str, SettingValue] = {}
    for key in wanted:
        source = next((each for each in nearest_first if (each, key) in set_at), None)
        value = registry.spec_of(key).default if source is None else msgspec.json.decode(set_at[source, key])
        found[key] = SettingValue(value, source)
    return found


def set_values(keys: Collection[str]) -> dict[str, dict[int, Any]]:
    """Return what areas have set of these settings themselves, by key and area; one read."""
    found: dict[str, dict[int, Any]] = {}
    for area_id, key, value in AreaSetting.objects.filter(key__in=keys).values_list("area_id", "key", "value"):
        found.setdefault(key, {})[area_id] = msgspec.json.decode(value)
    return found


def working_calendar(area_id: int) -> Calendar:
    """Return the working calendar of an area: the shipped one with the area's own days. At most 5 s old. Raises NotFound."""
    kept = _calendars.get(area_id)
    if kept is not None and time.monotonic() - kept[0] < CALENDAR_AGE_S:
        return kept[1]
    own = settings_of(area_id, [DAYS_OFF.key, WORKING_DAYS.key, CONFIRMED_UNTIL.key, HOURS.key])
    calendar = calendar_with(
        shipped_calendar(), days_off=own[DAYS_OFF.key].value, working_days=own[WORKING_DAYS.key].value,
        until=own[CONFIRMED_UNTIL.key].value, hours=own[HOURS.key].value,
    )
    if len(_calendars) >= CALENDARS_KEPT:
        _calendars.clear()
    _calendars[area_id] = (time.monotonic(), calendar)
    return calendar


def forget() -> None:
    """Forget the working calendars this process has kept."""
    _calendars.clear()


@cache
def shipped_calendar() -> Calendar:
    """Return the national working calendar that comes with Shouwang."""
    raw = msgspec.json.decode(files("shouwang.places").joinpath("data/working_calendar.json").read_bytes())
    days = {
        kind: frozenset(
            date(int(year), int(day[:2]), int(day[2:])) for year, kinds in raw["years"].items() for day in kinds[kind].split()
        )
        for kind in ("off", "on")
    }
    return Calendar(date.fromisoformat(raw["from"]), date.fromisoformat(raw["until"]), days["off"], days["on"])


def within(scope_paths: Sequence[str]) -> Q:
    """Return the condition that an area lies at or below one of these paths; none at all lets nothing through."""
    inside = Q(pk__in=())
    for path in scope_paths:
        inside |= _inside(path)
    return inside


def matching(text: str) -> Q:
    """Return the condition that an area is found by `text`: part of its name, the beginning of its code or pinyin."""
    text = text.strip()
    found = Q(name__icontains=text) | Q(official_name__icontains=text)
    if text.isascii():
        lower = text.lower().replace(" ", "")
        found |= Q(code__startswith=text) | Q(spelling__startswith=lower) | Q(spelling__contains=f" {lower}")
    return found


def _inside(path: str) -> Q:
    first, end = tree.subtree(path)
    return Q(path__gte=first, path__lt=end)


def _rows(found: QuerySet[Area]) -> list[AreaRow]:
    return [AreaRow(*row) for row in found.values_list(*COLUMNS)]


def _deepest_outline(lon: float, lat: float) -> AreaRow | None:
    boxed = Area.objects.filter(west__lte=lon, east__gte=lon, south__lte=lat, north__gte=lat)
    found = boxed.exclude(outline="").values_list("outline", *COLUMNS)
    around = [AreaRow(*row) for outline, *row in found if outline_of(msgspec.json.decode(outline)).contains(lon, lat)]
    return max(around, key=lambda row: tree.depth(row.level), default=None)


def area_asked(asked: str, paths: Sequence[str]) -> AreaRow:
    """Return the area that a page is asked for by id, or the first of the reader's own. Raises NotFound outside of `paths`."""
    if asked.isascii() and asked.isdigit() and len(asked) < 19:
        found = areas([int(asked)]).get(int(asked))
        if found is not None and found.path.startswith(tuple(paths)):
            return found
        raise NotFound(what=f"区域 {asked}")
    if not paths:
        raise NotFound(what="区域")
    return area(int(paths[0].rstrip("/").rpartition("/")[2] or 0))
