"""Changes of the tree of areas, one at a time."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Concat, Substr

from shouwang.journal.actions import append, lock_order
from shouwang.journal.put import reserve_ids
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.places import events, queries
from shouwang.places.models import Area
from shouwang.places.queries import AreaRow
from shouwang.places.rules import tree
from shouwang.places.rules.coordinates import CoordinateSystem, to_wgs84
from shouwang.places.rules.errors import CodeTaken, MoveInvalid, NameTaken
from shouwang.places.rules.spelling import spelling


def add_area(
    *,
    parent_id: int | None,
    name: str,
    now: datetime,
    level: str = "",
    code: str = "",
    point: tuple[float, float] | None = None,
    system: CoordinateSystem = CoordinateSystem.WGS84,
    valid_from_date: date | None = None,
) -> int:
    """Add an area under `parent_id` (None: a root) and return its id; without `level`, one level below the parent.

    `point` is (lon, lat) in `system`. Raises NotFound, NameInvalid, NameTaken, CodeInvalid, CodeTaken, LevelInvalid,
    PositionInvalid.
    """
    name, code = tree.clean_name(name), tree.clean_code(code)
    lon, lat = to_wgs84(*point, system) if point else (None, None)
    with transaction.atomic():
        lock_order()
        parent = None if parent_id is None else queries.area(parent_id)
        level = level or (tree.level_below(parent.level) if parent else tree.PREFECTURE)
        tree.check_level(level, parent_level=parent.level if parent else None, parent_name=parent.name if parent else "—")
        _check_name_free(name, parent)
        _check_code_free(code)
        area_id = reserve_ids(Area, 1)[0]
        Area.objects.create(
            id=area_id, parent_id=parent_id, level=level, name=name, spelling=spelling(name), code=code,
            path=tree.path_of(parent.path if parent else "", area_id), lon=lon, lat=lat, valid_from_date=valid_from_date,
        )
        append([NewEvent(events.AREA_ADDED, area_id, {"parent": parent_id, "level": level, "code": code})], now=now)
    return area_id


def rename_area(area_id: int, *, name: str, now: datetime) -> None:
    """Give the area another name. Raises NotFound, NameInvalid, NameTaken."""
    name = tree.clean_name(name)
    with transaction.atomic():
        lock_order()
        row = queries.area(area_id)
        if row.name == name:
            return
        _check_name_free(name, None if row.parent_id is None else queries.area(row.parent_id))
        Area.objects.filter(pk=area_id).update(name=name, spelling=spelling(name))
        append([NewEvent(events.AREA_RENAMED, area_id)], now=now)


def move_area(area_id: int, *, parent_id: int, now: datetime) -> None:
    """Put the area, with everything below it, under another parent.

    The event carries both paths, so that whoever keeps paths can follow. Raises NotFound, MoveInvalid, LevelInvalid,
    NameTaken.
    """
    with transaction.atomic():
        lock_order()
        row, parent = queries.area(area_id), queries.area(parent_id)
        if parent.path.startswith(row.path):
            raise MoveInvalid(name=row.name)
        if row.parent_id == parent_id:
            return
        tree.check_level(row.level, parent_level=parent.level, parent_name=parent.name)
        _check_name_free(row.name, parent)
        path = tree.path_of(parent.path, area_id)
        first, end = tree.subtree(row.path)
        moved = Area.objects.filter(path__gte=first, path__lt=end)
        moved.update(path=Concat(Value(path), Substr("path", len(row.path) + 1)))
        Area.objects.filter(pk=area_id).update(parent_id=parent_id)
        transaction.on_commit(queries.forget)
        append([NewEvent(events.AREA_MOVED, area_id, {"parent": parent_id, "from": row.path, "to": path})], now=now)


def set_point(area_id: int, *, point: tuple[float, float], system: CoordinateSystem, now: datetime) -> None:
    """Set the surveyed point (lon, lat) of an area, given in `system`. Raises NotFound, PositionInvalid."""
    lon, lat = to_wgs84(*point, system)
    with transaction.atomic():
        if not Area.objects.filter(pk=area_id).update(lon=lon, lat=lat, point_is_schematic=False):
            raise NotFound(what=f"区域 {area_id}")
        append([NewEvent(events.POINT_SET, area_id)], now=now)


def _check_name_free(name: str, parent: AreaRow | None) -> None:
    found = Area.objects.filter(parent_id=parent.id if parent else None, name=name).values_list("id", flat=True).first()
    if found is not None:
        raise NameTaken(parent=parent.name if parent else "—", name=name, area=found)


def _check_code_free(code: str) -> None:
    found = queries.area_of_code(code) if code else None
    if found is not None:
        raise CodeTaken(code=code, name=found.name, area=found.id)
