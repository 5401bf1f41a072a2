"""Pure words of device events: what a camera tells, when it counts as told again, and whose clock is believed."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from shouwang.kernel.moments import SECOND_US, to_us

BUCKET_US = 10 * SECOND_US
OBJECT_AGAIN = timedelta(minutes=10)
CLOCK_OFF_MOST = timedelta(hours=1)
HEARD_EVERY = timedelta(seconds=15)
KEEP_SNAPSHOTS = timedelta(days=30)
KEEP_RAW = timedelta(days=30)
SNAPSHOTS_MOST = 8
SNAPSHOT_BYTES = 12 * 1024 * 1024
RAW_BYTES = 16 * 1024
CORNERS_MOST = 64
PERSONS_MOST = 99
NAME_LENGTH = 80
OBJECT_LENGTH = 64
NO_OBJECT = frozenset({"", "0", "-1"})
"""What devices send as an object's number when they follow none: the next person would have the same."""

Box = tuple[float, float, float, float]
Point = tuple[float, float]


class EventKind(StrEnum):
    """What happened. ENTER to BLUR are about the picture, the others about the device."""

    ENTER = "ENTER"
    CROSS = "CROSS"
    STAY = "STAY"
    CROWD = "CROWD"
    TAMPER = "TAMPER"
    BLUR = "BLUR"
    MOVED = "MOVED"
    VIDEO_LOSS = "VIDEO_LOSS"
    OFFLINE = "OFFLINE"
    ONLINE = "ONLINE"
    STORAGE_FULL = "STORAGE_FULL"
    CLOCK_WRONG = "CLOCK_WRONG"
    SPEAKER_DEAD = "SPEAKER_DEAD"
    OTHER = "OTHER"


class EventState(StrEnum):
    """Whether it begins, ends, or is told once."""

    START = "START"
    STOP = "STOP"
    PULSE = "PULSE"


class SeenObject(StrEnum):
    """What the device says it saw."""

    HUMAN = "HUMAN"
    VEHICLE = "VEHICLE"
    ANIMAL = "ANIMAL"
    UNKNOWN = "UNKNOWN"


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One picture, or one clip, as it came with an event."""

    content: bytes
    media_type: str = "image/jpeg"
    name: str = ""


@dataclass(frozen=True, slots=True)
class DeviceRecord:
    """What a device told once, whatever language it speaks.

    `device` is the thing's external id, empty for whoever sent it; `channel` is the input of a recorder it came from. `box` is
    (x0, y0, x1, y1) and `polygon` the zone's corners, both in shares of the picture. `raw` is the message without its pictures.
    `score` is how sure the device is, 0 to 1, None where it does not say; `is_unsure` that it could not confirm what it saw.
    """

    kind: EventKind
    device: str = ""
    channel: str = ""
    state: EventState = EventState.PULSE
    rule: str = ""
    zone: str = ""
    object: SeenObject = SeenObject.UNKNOWN
    object_id: str = ""
    box: Box | None = None
    polygon: tuple[Point, ...] = ()
    device_at: datetime | None = None
    snapshots: tuple[Snapshot, ...] = ()
    raw: bytes = b""
    score: float | None = None
    persons: int = 1
    is_child: bool = False
    is_unsure: bool = False


@dataclass(frozen=True, slots=True)
class DeviceEventsTaken:
    """What became of records: the ids of events that are new and of those told again, and how many went to quarantine."""

    recorded: tuple[int, ...] = ()
    repeated: tuple[int, ...] = ()
    quarantined: int = 0


@dataclass(frozen=True, slots=True)
class Dated:
    """When something counts as happened: the device's moment unless its clock is over an hour off. `off_s` > 0: it is behind."""

    at: datetime
    device_at: datetime | None
    off_s: float | None

    @property
    def is_clock_wrong(self) -> bool:
        """Return whether the device's clock is not believed."""
        return self.off_s is not None and abs(self.off_s) > CLOCK_OFF_MOST.total_seconds()


def dated(device_at: datetime | None, *, received_at: datetime) -> Dated:
    """Return when an event counts as happened, and how far the device's clock is off."""
    if device_at is None:
        return Dated(received_at, None, None)
    off = received_at - device_at
    return Dated(device_at if abs(off) <= CLOCK_OFF_MOST else received_at, device_at, off.total_seconds())


def dedupe_key(record: DeviceRecord, *, at: datetime) -> str:
    """Return what two tellings of the same event have in common: device, rule, zone, kind, state, and object or not, within 10 s.

    An object told again later is found by the events of `OBJECT_AGAIN`, since devices number from the beginning again.
    """
    object_id = "" if record.object_id in NO_OBJECT else record.object_id
    parts = (record.device, record.channel, record.rule, record.zone, record.kind.value, record.state.value, object_id, to_us(at) // BUCKET_US)
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()[:40]


def tidied(record: DeviceRecord) -> DeviceRecord:
    """Return a record within all limits: texts that any database takes, a box and a polygon inside the picture, a bounded rest."""
    return replace(
        record, device=plain(record.device, NAME_LENGTH), channel=plain(record.channel, NAME_LENGTH), rule=plain(record.rule, NAME_LENGTH),
        zone=plain(record.zone, NAME_LENGTH), object_id=plain(record.object_id, OBJECT_LENGTH), box=in_picture(record.box),
        polygon=corners(record.polygon), snapshots=record.snapshots[:SNAPSHOTS_MOST], raw=record.raw[:RAW_BYTES],
        score=None if record.score is None or not 0 <= record.score <= 1 else record.score, persons=min(max(record.persons, 0), PERSONS_MOST),
        device_at=in_utc(record.device_at),
    )


def in_utc(moment: datetime | None) -> datetime | None:
    """Return a moment in UTC, None for one at the ends of the calendar, which no clock shows."""
    try:
        return None if moment is None else moment.astimezone(UTC)
    except OverflowError:
        return None


def plain(text: str, most: int) -> str:
    """Return at most `most` characters of a text, without those that no database takes."""
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in text.strip()[:most])


def in_picture(box: Sequence[float] | None) -> Box | None:
    """Return a box cut to the picture, None for one that is none."""
    if box is None or len(box) != 4 or not all(math.isfinite(each) for each in box):
        return None
    x0, y0, x1, y1 = (_share(each) for each in box)
    return (x0, y0, x1, y1) if x1 > x0 and y1 > y0 else None


def corners(polygon: Iterable[Sequence[float]]) -> tuple[Point, ...]:
    """Return the corners of a zone, or the ends of a line, cut to the picture; none for what is neither."""
    points = tuple(tuple(point) for point in polygon)
    if not 2 <= len(points) <= CORNERS_MOST or any(len(point) != 2 or not all(math.isfinite(each) for each in point) for point in points):
        return ()
    return tuple((_share(x), _share(y)) for x, y in points)


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 4)
