"""What the drowning system does on news from below and by the clock."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Q

from shouwang.alerts.actions import take_findings
from shouwang.alerts.rules import LARGEST_BATCH
from shouwang.cases.events import CLOSED, COMPLETED, FALSE_ALARM, MERGED, REOPENED, SPLIT_OFF, WITHDRAWN
from shouwang.detectors.contract import END, OPEN
from shouwang.journal.actions import append
from shouwang.journal.clock import clock
from shouwang.journal.paths import move_paths
from shouwang.journal.rules import Event, NewEvent
from shouwang.notify.events import SPEAKER_BACK, SPEAKER_DEAD
from shouwang.notify.queries import speaker
from shouwang.people.rules import SYSTEM
from shouwang.places.events import AREA_MOVED
from shouwang.systems.drowning import queries
from shouwang.systems.drowning.actions import label_case, let_go, take_events
from shouwang.systems.drowning.actions.beyond import follow_case
from shouwang.systems.drowning.actions.taking import health_finding
from shouwang.systems.drowning.models import Camera, Hazard, JointItem, Label, PartyItem, Patrol, Sighting, Water
from shouwang.systems.drowning.rules.kinds import OFFLINE, SPEAKER
from shouwang.systems.drowning.rules.settings import OFFLINE_MINUTES
from shouwang.telemetry.events import DEVICE_EVENT_RECORDED, DEVICE_REPEATED
from shouwang.telemetry.queries import device_events_since, last_heard
from shouwang.telemetry.rules import EventKind

SEEN = "drowning.seen"
SEEN_KINDS = (DEVICE_EVENT_RECORDED, DEVICE_REPEATED)
LABELS = "drowning.labels"
SPEAKERS = "drowning.speakers"
SPEAKER_KINDS = (SPEAKER_DEAD, SPEAKER_BACK)
UNJUDGED = "drowning.event_unjudged"
ABOUT_PERSONS = (EventKind.ENTER, EventKind.CROSS, EventKind.STAY, EventKind.CROWD, EventKind.OTHER)
TRIED_FOR, JUDGED_WITHIN = timedelta(hours=1), timedelta(minutes=1)
TRIED_AT_ONCE = 20
BEYOND = "drowning.beyond"
BEYOND_KINDS = (COMPLETED, CLOSED, REOPENED, FALSE_ALARM, WITHDRAWN, MERGED, SPLIT_OFF)
KEEP_SIGHTINGS = timedelta(days=400)
TELL_AGAIN = timedelta(days=1)
DROPPED_AT_ONCE = 2_000
log = logging.getLogger(__name__)


def on_moves(events: Sequence[Event]) -> None:
    """Give the waters below moved areas, and what was seen there, their new paths."""
    for event in events:
        if event.kind == AREA_MOVED:
            for model in (Water, Sighting, Label, Hazard, Patrol, PartyItem, JointItem):
                move_paths(model.objects.all(), old=event.payload["from"], new=event.payload["to"])


def on_seen(events: Sequence[Event]) -> None:
    """Judge what cameras told, new or again. One event that cannot be judged holds up no other: it is noted, and tried again each minute."""
    ids = sorted({event.subject_id for event in events if event.kind in SEEN_KINDS and event.subject_id is not None})
    try:
        take_events(ids, now=clock().now())
    except (OperationalError, InterfaceError):
        raise
    except Exception:  # noqa: BLE001 - whatever one event meets, the others are somebody at the water
        for event_id in ids:
            _take_alone(event_id, now=clock().now())


def _take_alone(event_id: int, *, now: datetime) -> bool:
    try:
        take_events([event_id], now=now)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:  # noqa: BLE001 - see on_seen
        log.error("the device event %d could not be judged (%s) and is tried again", event_id, type(error).__name__)  # noqa: TRY400 - the text may hold data
        with transaction.atomic():
            append([NewEvent(UNJUDGED, event_id, {"error": type(error).__name__})], now=now)
        return False
    return True


def judge_again(now: datetime) -> int:
    """Judge what no verdict is known of though it came within the last hour, a few at a time; return how many."""
    ids = device_events_since(now - TRIED_FOR, until=now - JUDGED_WITHIN, kinds=ABOUT_PERSONS, limit=TRIED_AT_ONCE * 50)
    left = queries.unjudged(ids)[:TRIED_AT_ONCE]
    return sum(_take_alone(event_id, now=now) for event_id in left)


def on_closed(events: Sequence[Event]) -> None:
    """Keep what each closed case at a water turned out to be."""
    for event in events:
        if event.kind == CLOSED and event.subject_id is not None:
            label_case(event.subject_id, now=event.at)


def on_speakers(events: Sequence[Event]) -> None:
    """Have dead loudspeakers at waters looked at: in the field they die unnoticed."""
    for event in events:
        if event.kind not in SPEAKER_KINDS or event.subject_id is None:
            continue
        thing_id = speaker(SYSTEM, event.subject_id).thing_id
        camera = None if thing_id is None else queries.cameras_of([thing_id]).get(thing_id)
        if camera is not None:
            phase = OPEN if event.kind == SPEAKER_DEAD else END
            take_findings([health_finding(SPEAKER, camera.id, phase=phase, at=event.at)], now=event.at)


def check_cameras(now: datetime) -> int:
    """Have cameras looked at that have not been heard for their area's minutes; one that speaks again ends it. Return how many are new."""
    rows = list(Camera.objects.filter(active=True, water__active=True).select_related("water").order_by("pk"))
    heard = last_heard([row.thing_id for row in rows])
    minutes: dict[int, int] = {}
    for area_id in {row.water.area_id for row in rows if row.thing_id in heard}:
        minutes[area_id] = max(1, queries.values_at(area_id)[OFFLINE_MINUTES.key])
    silent = [row for row in rows if row.thing_id in heard and heard[row.thing_id] <= now - timedelta(minutes=minutes[row.water.area_id])]
    dead = [row for row in silent if row.offline_told_at is None or row.offline_told_at <= now - TELL_AGAIN]
    back = [row for row in rows if row.offline_told_at is not None and row not in silent and row.thing_id in heard]
    for part, phase in ((dead, OPEN), (back, END)):
        for start in range(0, len(part), LARGEST_BATCH):
            _tell(part[start : start + LARGEST_BATCH], phase, now=now)
    return len(dead)


def _tell(rows: Sequence[Camera], phase: str, *, now: datetime) -> None:
    with transaction.atomic():
        Camera.objects.filter(pk__in=[row.pk for row in rows]).update(offline_told_at=now if phase == OPEN else None)
        take_findings([health_finding(OFFLINE, row.pk, phase=phase, at=now) for row in rows], now=now)


def look_for_empty(now: datetime) -> int:
    """Take waters for empty at which nobody was seen for a while."""
    return let_go(now)


def tidy(now: datetime) -> int:
    """Drop sightings of over a year ago that belong to no case, some at a time; return how many."""
    old = Sighting.objects.filter(Q(at__lt=now - KEEP_SIGHTINGS)).order_by("pk").values_list("pk", flat=True)[:DROPPED_AT_ONCE]
    return Sighting.objects.filter(pk__in=list(old)).delete()[0]


def on_beyond(events: Sequence[Event]) -> None:
    """Let hazards and agreed items stand as their cases do; a rescue whose case is closed proposes a hazard."""
    for event in events:
        if event.subject_id is not None:
            follow_case(event.subject_id, closed=event.kind == CLOSED, now=event.at)
