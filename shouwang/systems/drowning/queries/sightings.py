"""What was seen at waters a moment ago, who is known there, and how often the voice has spoken."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from shouwang.cases.queries import alert_id_of
from shouwang.kernel.errors import NotFound
from shouwang.systems.drowning.models import Camera, Known, Sighting
from shouwang.systems.drowning.rules.judging import NEAR, Near, Verdict
from shouwang.systems.drowning.rules.judging import Known as KnownRule
from shouwang.systems.drowning.rules.zones import Box
from shouwang.telemetry.queries import device_events_numbered

THERE = (Verdict.ALARM, Verdict.KNOWN, Verdict.NOT_YET)
"""What says that somebody is in a zone."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A water at which an alarm's persons have not been seen to leave, and when they were seen last."""

    water_id: int
    last_at: datetime
    exercise_id: int | None


@dataclass(frozen=True, slots=True)
class SightingRow:
    """A sighting as the case's pages show it."""

    id: int
    event_id: int
    camera_id: int
    water_id: int
    kind: str
    persons: int
    score: float | None
    at: datetime
    last_at: datetime
    over_at: datetime | None


def near_at(water_ids: Collection[int], now: datetime) -> dict[int, list[Near]]:
    """Return who was seen in a zone of each water within the last moments and did not leave since."""
    rows = Sighting.objects.filter(
        water_id__in=water_ids, last_at__gte=now - 2 * NEAR, over_at__isnull=True, verdict__in=THERE,
    ).order_by("at")
    found: dict[int, dict[str, Near]] = defaultdict(dict)
    for row in rows:
        known = found[row.water_id].get(row.who)
        since = min(row.at, known.since) if known else row.at
        found[row.water_id][row.who] = Near(row.who, row.band, since, max(row.last_at, known.last_at) if known else row.last_at)
    return {water_id: list(each.values()) for water_id, each in found.items()}


def known_at(water_ids: Collection[int], now: datetime) -> Mapping[int, KnownRule]:
    """Return how many persons are known to be at each water, and until when; of several notices that for the most."""
    rows = Known.objects.filter(water_id__in=water_ids, since__lte=now, until__gt=now, ended_at__isnull=True).order_by("persons")
    return {row.water_id: KnownRule(row.until, row.persons) for row in rows}


def unjudged(event_ids: Collection[int]) -> list[int]:
    """Return those events of cameras at waters that have no verdict."""
    judged = set(Sighting.objects.filter(event_id__in=event_ids).values_list("event_id", flat=True))
    rows = device_events_numbered([each for each in event_ids if each not in judged])
    cameras = set(Camera.objects.filter(thing_id__in={row.thing_id for row in rows}, active=True, water__active=True).values_list("thing_id", flat=True))
    return [row.id for row in rows if row.thing_id in cameras]


def begun_ladders(water_id: int, now: datetime) -> list[datetime]:
    """Return when in the last hour something at a water began that the voice spoke to."""
    rows = Sighting.objects.filter(water_id=water_id, spoken_at__gt=now - timedelta(hours=1), spoken_at__lte=now)
    return sorted(each for each in rows.values_list("spoken_at", flat=True) if each is not None)


def standing_waters(now: datetime, *, silent_for: timedelta) -> list[Standing]:
    """Return the waters with somebody in a zone who has not been seen for `silent_for`: a camera that tells no leaving."""
    last: dict[tuple[int, int | None], datetime] = {}
    rows = Sighting.objects.filter(over_at__isnull=True, verdict__in=THERE, last_at__gt=now - timedelta(days=1))
    for water_id, exercise_id, last_at in rows.values_list("water_id", "exercise_id", "last_at"):
        key = (water_id, exercise_id)
        last[key] = max(last.get(key, last_at), last_at)
    return [Standing(water_id, at, exercise) for (water_id, exercise), at in last.items() if at <= now - silent_for]


def sightings_of_case(case_id: int, *, limit: int = 50) -> list[SightingRow]:
    """Return the sightings that belong to the alert of a case at a water's edge, oldest first."""
    alert_id = alert_id_of(case_id)
    rows = Sighting.objects.filter(alert_id=alert_id).order_by("at", "pk")[:limit] if alert_id is not None else ()
    return [
        SightingRow(row.pk, row.event_id, row.camera_id, row.water_id, row.kind, row.persons, row.score, row.at, row.last_at, row.over_at)
        for row in rows
    ]


def picture_of(event_id: int, number: int) -> tuple[int, Box | None]:
    """Return the file of a picture of an event, and where the person in it stands. Raises NotFound."""
    row = next(iter(device_events_numbered([event_id])), None)
    if row is None or not -len(row.snapshots) <= number < len(row.snapshots):
        raise NotFound(what="图片")
    return row.snapshots[number], row.box


def pictures_of(event_ids: Collection[int]) -> dict[int, int]:
    """Return how many pictures came with each of these events."""
    return {row.id: len(row.snapshots) for row in device_events_numbered(event_ids) if row.snapshots}
