"""Waters, cameras and zones, as the listener and the pages read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shouwang.alerts.rules import Subject
from shouwang.kernel.errors import NotFound
from shouwang.people.rules import Scope
from shouwang.places.queries import settings_of
from shouwang.systems.drowning.models import Camera, Water, Zone
from shouwang.systems.drowning.rules.settings import ALL
from shouwang.systems.drowning.rules.zones import Hours, Season
from shouwang.systems.drowning.rules.zones import Zone as ZoneRule

READ = "case.read"


@dataclass(frozen=True, slots=True)
class WaterRow:
    """A water that is watched."""

    id: int
    name: str
    kind: str
    area_id: int
    path: str
    lon: float | None
    lat: float | None
    owner: str
    note: str
    level_datastream_id: int | None
    active: bool


@dataclass(frozen=True, slots=True)
class CameraRow:
    """A camera with its water."""

    id: int
    thing_id: int
    name: str
    water: WaterRow
    picture_event_id: int | None
    picture_at: datetime | None
    least_score: float
    offline_told_at: datetime | None


def cameras_of(thing_ids: Collection[int]) -> dict[int, CameraRow]:
    """Return the cameras in use among things, by thing."""
    rows = Camera.objects.filter(thing_id__in=thing_ids, active=True, water__active=True).select_related("water")
    return {row.thing_id: camera_row(row) for row in rows}


def zones_of(camera_ids: Collection[int]) -> dict[int, list[ZoneRule]]:
    """Return the zones drawn for cameras, by camera."""
    found: dict[int, list[ZoneRule]] = defaultdict(list)
    for row in Zone.objects.filter(camera_id__in=camera_ids, dropped_at__isnull=True).order_by("pk"):
        found[row.camera_id].append(zone_rule(row))
    return found


def zone_rule(row: Zone) -> ZoneRule:
    """Return a zone as the rules take it."""
    return ZoneRule(
        row.pk, row.code, row.band, tuple((x, y) for x, y in row.polygon), Season(row.season_first, row.season_last),
        Hours(row.hours_start, row.hours_end), row.level_from, row.level_to, row.stay_s, row.group_from,
    )


def water_in(scope: Scope, water_id: int, *, right: str = READ) -> WaterRow:
    """Return a water in the reader's scope. Raises NotFound."""
    row = Water.objects.filter(pk=water_id).first()
    if row is None or not scope.may(right, row.path):
        raise NotFound(what=f"水域 {water_id}")
    return water_row(row)


def camera_in(scope: Scope, camera_id: int, *, right: str = READ) -> CameraRow:
    """Return a camera in the reader's scope. Raises NotFound."""
    row = Camera.objects.filter(pk=camera_id).select_related("water").first()
    if row is None or not scope.may(right, row.water.path):
        raise NotFound(what=f"摄像机 {camera_id}")
    return camera_row(row)


def resolve_waters(water_ids: list[int]) -> Mapping[int, Subject]:
    """Return what an alert about each water is about, and where."""
    rows = Water.objects.filter(pk__in=water_ids)
    return {row.pk: Subject("water", row.pk, row.area_id, row.path, {"water": row.name}) for row in rows}


def resolve_cameras(camera_ids: list[int]) -> Mapping[int, Subject]:
    """Return what an alert about each camera is about, and where."""
    rows = Camera.objects.filter(pk__in=camera_ids).select_related("water")
    return {
        row.pk: Subject("camera", row.pk, row.water.area_id, row.water.path, {"camera": row.name, "water": row.water.name}) for row in rows
    }


def values_at(area_id: int) -> dict[str, Any]:
    """Return the values of this system's settings at an area."""
    return {key: found.value for key, found in settings_of(area_id, [spec.key for spec in ALL]).items()}


def water_row(row: Water) -> WaterRow:
    """Return a row as other files see it."""
    return WaterRow(
        row.pk, row.name, row.kind, row.area_id, row.path, row.lon, row.lat, row.owner, row.note, row.level_datastream_id, row.active,
    )


def camera_row(row: Camera) -> CameraRow:
    """Return a row with its water as other files see it."""
    return CameraRow(
        row.pk, row.thing_id, row.name, water_row(row.water), row.picture_event_id, row.picture_at, row.least_score, row.offline_told_at,
    )
