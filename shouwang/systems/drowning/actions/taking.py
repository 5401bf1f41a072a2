"""Taking what cameras saw: every event gets a verdict, an alarm opens or raises the water's one alert, and the voice begins.

All of a batch happens in one transaction: what was judged is never judged again, and nothing is told that is not kept.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from shouwang.alerts.actions import take_findings
from shouwang.alerts.queries import standing_alerts
from shouwang.alerts.rules import FoundFinding
from shouwang.detectors.contract import END, OPEN
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.moments import local, to_us
from shouwang.systems.drowning import queries
from shouwang.systems.drowning.actions.speaking import be_quiet, speak
from shouwang.systems.drowning.models import Camera, Sighting
from shouwang.systems.drowning.queries import CameraRow
from shouwang.systems.drowning.rules.judging import Judgement, Near, Seen, Verdict, judge
from shouwang.systems.drowning.rules.kinds import EDGE, HEALTH_OF, OFFLINE, PERSON, SEVERITY
from shouwang.systems.drowning.rules.settings import night_of
from shouwang.systems.drowning.rules.zones import Zone
from shouwang.telemetry.queries import DeviceEventRow, device_events_numbered, results_before

DETECTOR = "camera"
UNCONFIRMED = ":CHECK"
"""How the rule of an entry ends that one detector alone has seen (`shouwang watch-camera`)."""
VERSION = "1"
HEALTH_SEVERITY = 1
OVER_AFTER = timedelta(seconds=60)
WATER_EMPTY = "drowning.water_empty"


@dataclass
class _Round:
    """What is known at the beginning of a batch, and what comes of it."""

    now: datetime
    cameras: Mapping[int, CameraRow]
    zones: Mapping[int, Sequence[Zone]]
    near: dict[int, list[Near]]
    seen_already: dict[int, Sighting]
    findings: list[FoundFinding] = field(default_factory=list)
    alarms: list[tuple[Sighting, CameraRow]] = field(default_factory=list)
    emptied: dict[tuple[int, int | None], int] = field(default_factory=dict)
    values: dict[int, dict[str, Any]] = field(default_factory=dict)
    levels: dict[int, float] = field(default_factory=dict)

    def settings_at(self, area_id: int) -> dict[str, Any]:
        """Return this system's settings at an area, read once a round."""
        if area_id not in self.values:
            self.values[area_id] = queries.values_at(area_id)
        return self.values[area_id]


def take_events(event_ids: Collection[int], *, now: datetime) -> int:
    """Judge device events, new or told again, and do what follows; return how many were of cameras at waters.

    An event that was judged and has not been told again since changes nothing.
    """
    rows = sorted(device_events_numbered(event_ids), key=lambda row: (row.told_at, row.id))
    cameras = queries.cameras_of({row.thing_id for row in rows})
    rows = [row for row in rows if row.thing_id in cameras]
    if not rows:
        return 0
    with transaction.atomic():
        round_ = _begin(rows, cameras, now=now)
        for row in rows:
            _take(row, cameras[row.thing_id], round_)
        _end(round_)
    return len(rows)


def _begin(rows: Sequence[DeviceEventRow], cameras: Mapping[int, CameraRow], *, now: datetime) -> _Round:
    used = [cameras[thing_id] for thing_id in {row.thing_id for row in rows}]
    waters = {camera.water.id: camera.water for camera in used}
    known = {row.event_id: row for row in Sighting.objects.select_for_update().filter(event_id__in=[row.id for row in rows])}
    round_ = _Round(now, cameras, queries.zones_of([camera.id for camera in used]), queries.near_at(waters, now), known)
    gauges = {water.level_datastream_id for water in waters.values() if water.level_datastream_id is not None}
    if gauges:
        round_.levels = results_before(sorted(gauges), now)
    return round_


def _take(row: DeviceEventRow, camera: CameraRow, round_: _Round) -> None:
    _keep_picture(row, camera)
    if row.kind in HEALTH_OF or row.kind == "ONLINE":
        round_.findings += _health(row, camera)
        return
    earlier = round_.seen_already.get(row.id)
    if earlier is not None and earlier.repeats >= row.repeats:
        return
    seen = _seen(row, camera)
    known = queries.known_at([camera.water.id], seen.at).get(camera.water.id)
    night = night_of(round_.settings_at(camera.water.area_id))
    moment = local(seen.at)
    level_m = round_.levels.get(camera.water.level_datastream_id or 0)
    zones = [zone for zone in round_.zones.get(camera.id, ()) if zone.is_in_force(moment, level_m)]
    if round_.zones.get(camera.id) and not zones:
        judgement = Judgement(Verdict.OUTSIDE)
    else:
        judgement = judge(
            seen, zones=zones, near=round_.near.get(camera.water.id, ()), known=known,
            is_night=night is not None and night.hold(moment.hour * 60 + moment.minute),
        )
    sighting = _keep(row, camera, seen, judgement, earlier)
    _follow(sighting, camera, seen, judgement, round_)


def _seen(row: DeviceEventRow, camera: CameraRow) -> Seen:
    unsure = row.is_unsure or row.rule.endswith(UNCONFIRMED) or (row.score is not None and row.score < camera.least_score)
    who = f"{camera.thing_id}:{row.object_id or row.rule}"[:80]
    return Seen(
        row.kind, row.state, row.object, who, row.told_at, row.box, row.zone or row.rule, is_unsure=unsure, is_child=row.is_child, count=row.persons,
    )


def _keep(row: DeviceEventRow, camera: CameraRow, seen: Seen, judgement: Judgement, earlier: Sighting | None) -> Sighting:
    if earlier is not None and (earlier.verdict == Verdict.ALARM or judgement.verdict != Verdict.ALARM):
        earlier.repeats, earlier.last_at = row.repeats, max(earlier.last_at, seen.at)
        earlier.save(update_fields=["repeats", "last_at"])
        return earlier
    kept = earlier or Sighting(event_id=row.id, camera_id=camera.id, water_id=camera.water.id, path=camera.water.path, at=seen.at)
    zone = judgement.zone
    kept.who, kept.score, kept.repeats, kept.exercise_id = seen.who, row.score, row.repeats, row.exercise_id
    kept.zone_id, kept.band = (zone.id, zone.band) if zone else (None, "")
    kept.verdict, kept.kind, kept.persons, kept.last_at = judgement.verdict, judgement.kind, judgement.persons, seen.at
    kept.over_at = seen.at if seen.state == "STOP" else None
    kept.save()
    return kept


def _follow(sighting: Sighting, camera: CameraRow, seen: Seen, judgement: Judgement, round_: _Round) -> None:
    """Note what the judgement asks for: a finding and the voice, or that whoever was there has left."""
    water_id = camera.water.id
    near = round_.near.setdefault(water_id, [])
    if judgement.verdict == Verdict.LEFT:
        gone = {each.who for each in near if each.who == seen.who}
        Sighting.objects.filter(water_id=water_id, who=seen.who, over_at__isnull=True).update(over_at=seen.at)
        round_.near[water_id] = [each for each in near if each.who != seen.who]
        if gone and not round_.near[water_id]:
            round_.emptied[water_id, sighting.exercise_id] = to_us(seen.at)
        return
    if judgement.verdict not in queries.THERE:
        return
    since = next((each.since for each in near if each.who == seen.who), seen.at)
    band = judgement.zone.band if judgement.zone else ""
    round_.near[water_id] = [*(each for each in near if each.who != seen.who), Near(seen.who, band, since, seen.at)]
    round_.emptied.pop((water_id, sighting.exercise_id), None)
    if judgement.verdict == Verdict.ALARM:
        round_.findings.append(_finding(sighting, camera, judgement, seen.at))
        round_.alarms.append((sighting, camera))


def _finding(sighting: Sighting, camera: CameraRow, judgement: Judgement, at: datetime) -> FoundFinding:
    params = {"persons": judgement.persons, "camera": camera.name, "sighting": sighting.pk, "zone": judgement.zone.code if judgement.zone else ""}
    return FoundFinding(
        judgement.kind, "water", camera.water.id, to_us(at), OPEN, SEVERITY[judgement.kind], to_us(at), f"{judgement.kind}_OPEN", params,
        DETECTOR, VERSION, exercise_id=sighting.exercise_id,
    )


def _health(row: DeviceEventRow, camera: CameraRow) -> list[FoundFinding]:
    """Return what a device's word about itself opens or ends."""
    kind = OFFLINE if row.kind == "ONLINE" else HEALTH_OF[row.kind]
    phase = END if row.kind == "ONLINE" or row.state == "STOP" else OPEN
    if kind == OFFLINE:
        Camera.objects.filter(pk=camera.id).update(offline_told_at=None if phase == END else row.told_at)
    return [health_finding(kind, camera.id, phase=phase, at=row.told_at, exercise_id=row.exercise_id)]


def health_finding(kind: str, camera_id: int, *, phase: str, at: datetime, exercise_id: int | None = None) -> FoundFinding:
    """Return that something is wrong with a camera or its loudspeaker, or is well again."""
    return FoundFinding(
        kind, "camera", camera_id, to_us(at), END if phase == END else OPEN, HEALTH_SEVERITY, to_us(at), f"{kind}_{phase}", {}, DETECTOR, VERSION,
        exercise_id=exercise_id,
    )


def _keep_picture(row: DeviceEventRow, camera: CameraRow) -> None:
    if row.snapshots:
        Camera.objects.filter(pk=camera.id).update(picture_event_id=row.id, picture_at=row.told_at)


def _end(round_: _Round) -> None:
    """Open, raise, update and end alerts, tie the sightings to them, and let the voice speak or be quiet."""
    for (water_id, exercise_id), at_us in round_.emptied.items():
        round_.findings.append(_over(water_id, at_us, exercise_id))
    take_findings(round_.findings, now=round_.now)
    by_exercise: dict[int | None, list[Sighting]] = defaultdict(list)
    for sighting, _ in round_.alarms:
        by_exercise[sighting.exercise_id].append(sighting)
    for exercise_id, sightings in by_exercise.items():
        alerts = standing_alerts("water", {each.water_id for each in sightings}, family=EDGE, exercise_id=exercise_id)
        for each in sightings:
            if each.water_id in alerts:
                Sighting.objects.filter(pk=each.pk).update(alert_id=alerts[each.water_id].id)
    for sighting, camera in round_.alarms:
        speak(sighting, camera, values=round_.settings_at(camera.water.area_id), now=round_.now)
    emptied = [water_id for water_id, _ in round_.emptied]
    if emptied:
        be_quiet(emptied, now=round_.now)
        append([NewEvent(WATER_EMPTY, water_id, {"at_us": at}, exercise) for (water_id, exercise), at in round_.emptied.items()], now=round_.now)


def _over(water_id: int, at_us: int, exercise_id: int | None) -> FoundFinding:
    return FoundFinding(PERSON, "water", water_id, at_us, END, SEVERITY[PERSON], at_us, f"{PERSON}_END", {}, DETECTOR, VERSION, exercise_id=exercise_id)


def let_go(now: datetime) -> int:
    """Take waters for empty at which nobody was seen for a minute: many cameras tell who comes and not who leaves. Return how many."""
    over = queries.standing_waters(now, silent_for=OVER_AFTER)
    if not over:
        return 0
    with transaction.atomic():
        for each in over:
            rows = Sighting.objects.filter(water_id=each.water_id, exercise_id=each.exercise_id, over_at__isnull=True)
            rows.update(over_at=now)
        take_findings([_over(each.water_id, to_us(now), each.exercise_id) for each in over], now=now)
        be_quiet([each.water_id for each in over], now=now)
        append([NewEvent(WATER_EMPTY, each.water_id, {"at_us": to_us(now)}, each.exercise_id) for each in over], now=now)
    return len(over)
