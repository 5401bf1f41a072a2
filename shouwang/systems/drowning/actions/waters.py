"""Writes of waters, their cameras and zones, and of who is known there; each by somebody whose scope allows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.people.rules import Scope
from shouwang.places.queries import areas
from shouwang.systems.drowning.actions.speaking import be_quiet
from shouwang.systems.drowning.models import Camera, Known, Water, Zone
from shouwang.systems.drowning.queries import camera_in, water_in
from shouwang.systems.drowning.rules import known as known_rules
from shouwang.systems.drowning.rules.errors import CameraTaken, ThresholdWrong, ZoneWrong
from shouwang.systems.drowning.rules.thresholds import STEPS
from shouwang.systems.drowning.rules.waters import NewWater, checked
from shouwang.systems.drowning.rules.zones import SHORE, WATER, polygon_from
from shouwang.telemetry.queries import things

EDIT = "settings.edit"
SPEAK = ("case.handle", "case.dispatch", EDIT)
CAMERA = "CAMERA"
MOST_ZONES = 8


@dataclass(frozen=True)
class NewZone:
    """A zone as the editor sends it; every figure is checked when it is saved."""

    code: str
    band: str
    polygon: Any
    season: tuple[int, int] = (101, 1231)
    hours: tuple[int, int] = (0, 0)
    levels: tuple[float | None, float | None] = (None, None)
    stay_s: int = 0
    group_from: int = 3


def add_water(scope: Scope, new: NewWater, *, now: datetime) -> int:
    """Register a water, or change the one of that name in that area; return its number. Raises Refused, NotFound, WaterWrong."""
    new = checked(new)
    area = areas([new.area_id]).get(new.area_id)
    if area is None:
        raise NotFound(what=f"区划 {new.area_id}")
    scope.require(EDIT, area.path)
    with transaction.atomic():
        row, is_new = Water.objects.update_or_create(
            area_id=new.area_id, name=new.name.strip(),
            defaults={
                "kind": new.kind, "path": area.path, "lon": new.lon, "lat": new.lat, "owner": new.owner.strip(), "note": new.note.strip(),
                "level_datastream_id": new.level_datastream_id, "active": True,
            },
            create_defaults={
                "kind": new.kind, "path": area.path, "lon": new.lon, "lat": new.lat, "owner": new.owner.strip(), "note": new.note.strip(),
                "level_datastream_id": new.level_datastream_id, "added_at": now,
            },
        )
        append([NewEvent("drowning.water_added" if is_new else "drowning.water_changed", row.pk, {"by": scope.person_id})], now=now)
    return row.pk


def retire_water(scope: Scope, water_id: int, *, active: bool, now: datetime) -> None:
    """Stop watching a water, or watch it again; what was seen there stays. Raises NotFound, Refused."""
    row = water_in(scope, water_id)
    scope.require(EDIT, row.path)
    with transaction.atomic():
        Water.objects.filter(pk=water_id).update(active=active)
        append([NewEvent("drowning.water_watched" if active else "drowning.water_left", water_id, {"by": scope.person_id})], now=now)


def add_camera(scope: Scope, water_id: int, *, external_id: str, name: str = "", now: datetime) -> int:
    """Let a registered camera watch a water; return its number. Raises NotFound, Refused, CameraTaken."""
    water = water_in(scope, water_id)
    scope.require(EDIT, water.path)
    found, _ = things(scope, now=now, text=external_id, kind=CAMERA, limit=200)
    spot = next((each for each in found if each.external_id == external_id), None)
    if spot is None or not scope.may(EDIT, spot.path):
        raise CameraTaken(camera=external_id[:64])
    with transaction.atomic():
        taken = Camera.objects.filter(thing_id=spot.id).first()
        if taken is not None and taken.active and taken.water_id != water_id:
            raise CameraTaken(camera=external_id[:64])
        row, _ = Camera.objects.update_or_create(
            thing_id=spot.id, defaults={"water_id": water_id, "name": (name.strip() or spot.name)[:80], "active": True},
        )
        append([NewEvent("drowning.camera_added", row.pk, {"water": water_id, "by": scope.person_id})], now=now)
    return row.pk


def set_threshold(scope: Scope, camera_id: int, *, least_score: float, now: datetime) -> None:
    """Believe a camera from this confidence on; below it a sighting asks to look and no more. Raises NotFound, Refused, ThresholdWrong."""
    camera = camera_in(scope, camera_id)
    scope.require(EDIT, camera.water.path)
    if least_score not in {0.0, *STEPS}:
        raise ThresholdWrong(found=least_score)
    with transaction.atomic():
        Camera.objects.filter(pk=camera_id).update(least_score=least_score)
        payload = {"from": camera.least_score, "to": least_score, "by": scope.person_id}
        append([NewEvent("drowning.threshold_set", camera_id, payload)], now=now)


def save_zones(scope: Scope, camera_id: int, zones: Sequence[NewZone], *, now: datetime) -> None:
    """Replace a camera's zones; the dropped ones are kept for what they once decided. Raises NotFound, Refused, ZoneWrong."""
    camera = camera_in(scope, camera_id)
    scope.require(EDIT, camera.water.path)
    rows = [_zone(camera_id, zone, by=scope.person_id, now=now) for zone in zones]
    if len(rows) > MOST_ZONES or len({row.code for row in rows}) < len(rows):
        raise ZoneWrong(found=len(rows), problem=f"≤ {MOST_ZONES}")
    with transaction.atomic():
        Zone.objects.filter(camera_id=camera_id, dropped_at__isnull=True).update(dropped_at=now)
        Zone.objects.bulk_create(rows)
        append([NewEvent("drowning.zones_drawn", camera_id, {"zones": len(rows), "by": scope.person_id})], now=now)


def _zone(camera_id: int, zone: NewZone, *, by: int | None, now: datetime) -> Zone:
    if zone.band not in {SHORE, WATER} or not zone.code.strip() or len(zone.code) > 24:
        raise ZoneWrong(found=f"{zone.code[:24]} {zone.band}", problem=f"{SHORE} | {WATER}")
    low, high = zone.levels
    first, last = zone.season
    start, end = zone.hours
    is_whole = 0 <= zone.stay_s <= 600 and 0 <= zone.group_from <= 50 and 0 <= start < 1440 and 0 <= end < 1440
    if not (is_whole and _is_day(first) and _is_day(last) and (low is None or high is None or low < high)):
        raise ZoneWrong(found=f"{zone.code} {first}–{last} {start}–{end} {zone.stay_s} s {zone.group_from}", problem="0–600 s, 0–50")
    return Zone(
        camera_id=camera_id, code=zone.code.strip(), band=zone.band, polygon=[list(point) for point in polygon_from(zone.polygon)],
        season_first=first, season_last=last, hours_start=start, hours_end=end, level_from=low, level_to=high, stay_s=zone.stay_s,
        group_from=zone.group_from, edited_by=by, edited_at=now,
    )


def _is_day(day: int) -> bool:
    return 1 <= day // 100 <= 12 and 1 <= day % 100 <= 31


def declare_known(scope: Scope, water_id: int, *, persons: int, reason: str, until: datetime, now: datetime) -> int:
    """Note that up to so many persons at a water are known until a moment; one more still alarms. Return the notice's number.

    The voice falls silent. Raises NotFound, Refused, KnownWrong.
    """
    water = water_in(scope, water_id)
    if not any(scope.may(right, water.path) for right in SPEAK):
        scope.require(SPEAK[0], water.path)
    reason = known_rules.checked(persons=persons, reason=reason, until=until, now=now)
    with transaction.atomic():
        row = Known.objects.create(water_id=water_id, persons=persons, reason=reason, since=now, until=until, by=scope.person_id)
        be_quiet([water_id], now=now)
        payload: Mapping[str, Any] = {"water": water_id, "persons": persons, "until": until.isoformat(), "by": scope.person_id}
        append([NewEvent("drowning.known_declared", row.pk, dict(payload))], now=now)
    return row.pk


def end_known(scope: Scope, known_id: int, *, now: datetime) -> int:
    """End a notice before its time; return its water. Raises NotFound, Refused."""
    row = Known.objects.filter(pk=known_id).select_related("water").first()
    if row is None or not scope.may("case.read", row.water.path):
        raise NotFound(what=f"登记 {known_id}")
    if not any(scope.may(right, row.water.path) for right in SPEAK):
        scope.require(SPEAK[0], row.water.path)
    with transaction.atomic():
        if Known.objects.filter(pk=known_id, ended_at__isnull=True).update(ended_at=now):
            append([NewEvent("drowning.known_ended", known_id, {"water": row.water_id, "by": scope.person_id})], now=now)
    return row.water_id
