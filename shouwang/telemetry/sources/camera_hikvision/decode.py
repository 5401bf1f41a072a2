"""EventNotificationAlert of ISAPI, as XML, as JSON, and as multipart with pictures, into records. Pure.

Coordinates of regions count to 1,000, rectangles of targets in shares of the picture; some firmwares count those to 1,000 too.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import tzinfo
from typing import Any

from shouwang.telemetry.cameras.parts import Part, media_type_of, parts_of
from shouwang.telemetry.cameras.trees import box_of, every, get, listed, moment, number, points, said, text
from shouwang.telemetry.cameras.xml import read_xml
from shouwang.telemetry.rules import RAW_BYTES, Box, DeviceRecord, EventKind, EventState, Point, SeenObject, Snapshot
from shouwang.ui.answers import BodyInvalid

EXPECTED = "EventNotificationAlert as XML or JSON, or multipart with one"
FULL = 1_000.0
RECORDER_FROM = 32
"""Recorders of the older namespace number the channels of network cameras from 33."""
TARGETS_MOST = 32
JSON_DEPTH = 60
KINDS: Mapping[str, EventKind] = {
    "fielddetection": EventKind.ENTER, "regionentrance": EventKind.ENTER, "regionexiting": EventKind.ENTER,
    "linedetection": EventKind.CROSS, "loitering": EventKind.STAY, "loiteringdetection": EventKind.STAY,
    "group": EventKind.CROWD, "groupdetection": EventKind.CROWD, "peoplegathering": EventKind.CROWD, "persondensitydetection": EventKind.CROWD,
    "shelteralarm": EventKind.TAMPER, "tamperdetection": EventKind.TAMPER, "videotampering": EventKind.TAMPER, "defocus": EventKind.BLUR, "defocusdetection": EventKind.BLUR,
    "scenechangedetection": EventKind.MOVED, "videoloss": EventKind.VIDEO_LOSS, "diskfull": EventKind.STORAGE_FULL,
}
OBJECTS: Mapping[str, SeenObject] = {
    "human": SeenObject.HUMAN, "person": SeenObject.HUMAN, "pedestrian": SeenObject.HUMAN, "vehicle": SeenObject.VEHICLE, "motor": SeenObject.VEHICLE,
    "nonmotor": SeenObject.VEHICLE, "animal": SeenObject.ANIMAL, "pet": SeenObject.ANIMAL,
}
SIGNS_OF_LIFE = frozenset({"heartbeat", "keepalive"})


def decode(body: bytes, content_type: str, *, zone: tzinfo) -> list[DeviceRecord]:
    """Return what a message tells, nothing for a sign of life. Raises BodyInvalid."""
    if media_type_of(content_type).startswith("multipart/") or body[:2] == b"--":
        return of_parts(parts_of(body, content_type), zone=zone)
    return told_by(read_alert(body), raw=body, zone=zone)


def of_parts(parts: Sequence[Part], *, zone: tzinfo) -> list[DeviceRecord]:
    """Return what the parts of one message tell, with the pictures among them. Raises BodyInvalid."""
    pictures = [part for part in parts if part.media_type.startswith(("image/", "video/"))]
    found: list[tuple[DeviceRecord, frozenset[str]]] = []
    texts = [part for part in parts if is_alert(part)]
    if not texts:
        raise BodyInvalid(field="body", found=f"{len(parts)} parts without an alert", expected=EXPECTED)
    for part in texts:
        alert = read_alert(part.content)
        found += [(each, wanted) for each, wanted in _told(alert, raw=part.content, zone=zone)]
    return _with_pictures(found, pictures)


def is_alert(part: Part) -> bool:
    """Return whether a part is XML or JSON, whatever it is declared as."""
    return not part.media_type.startswith(("image/", "video/")) and part.content.lstrip()[:1] in {b"<", b"{", b"\xef"}


def pictures_announced(alert: Mapping[str, Any]) -> int:
    """Return how many pictures an alert says follow it on a stream."""
    numbers = [number(get(each, "detectionPicturesNumber", "picturesNumber")) for each in every(alert, "detectionPicturesNumber", "picturesNumber")]
    return int(min(max([each for each in numbers if each], default=0), 16))


def read_alert(body: bytes) -> dict[str, Any]:
    """Return the alert in a text, as a dictionary. Raises BodyInvalid."""
    tree = _json(body) if body.lstrip()[:1] == b"{" else read_xml(body)
    alert = get(tree, "EventNotificationAlert") or tree
    if not isinstance(alert, dict) or not text(alert, "eventType"):
        raise BodyInvalid(field="eventType", found="nothing", expected=EXPECTED)
    return alert


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise BodyInvalid(field="body", found=str(error)[:200], expected=EXPECTED) from error
    return found if isinstance(found, dict) else {}


def told_by(alert: Mapping[str, Any], *, raw: bytes, zone: tzinfo) -> list[DeviceRecord]:
    """Return what an alert tells: one record for each region, nothing for a sign of life."""
    return [record for record, _ in _told(alert, raw=raw, zone=zone)]


def _told(alert: Mapping[str, Any], *, raw: bytes, zone: tzinfo) -> Iterator[tuple[DeviceRecord, frozenset[str]]]:
    event, state = rule_of(alert), _state(alert)
    if event in SIGNS_OF_LIFE or (event == "videoloss" and state is EventState.STOP):
        return
    record = DeviceRecord(
        KINDS.get(event, EventKind.OTHER), channel=channel_of(alert), state=EventState.STOP if event == "regionexiting" else state, rule=event,
        device_at=moment(get(alert, "dateTime"), zone=zone), raw=raw[:RAW_BYTES], object=_object(alert),
    )
    for region in _regions(alert)[:TARGETS_MOST]:
        wanted = frozenset(said(get(each, "contentID")) for each in every(region, "contentID"))
        yield replace(
            record, zone=text(region, "regionID", "ID"), object=_object(region, record.object), box=_box(region), polygon=_polygon(region),
            object_id=_object_id(region),
        ), wanted


def rule_of(alert: Mapping[str, Any]) -> str:
    """Return the event's name in lower case. An event that goes on comes as `duration`, with the real name as its relation."""
    event = text(alert, "eventType").lower()
    if event != "duration":
        return event
    related = [text(each, "relationEvent") for each in every(alert, "relationEvent")]
    return next((each.lower() for each in related if each), event)


def channel_of(alert: Mapping[str, Any]) -> str:
    """Return the channel from 1 on. Recorders say 33 for the first network camera, or name it as a dynamic channel."""
    channel = text(alert, "channelID", "dynChannelID")
    value = number(channel)
    is_old = "psialliance" in text(alert, "@xmlns") or text(alert, "@version") == "1.0"
    if value is not None and is_old and value > RECORDER_FROM:
        return str(int(value) - RECORDER_FROM)
    return channel


def _state(alert: Mapping[str, Any]) -> EventState:
    said_state = text(alert, "eventState").lower()
    if said_state in {"inactive", "stop"}:
        return EventState.STOP
    return EventState.START if said_state in {"active", "start"} else EventState.PULSE


def _regions(alert: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what holds a region or a target each, the alert itself when nothing does."""
    regions: list[Mapping[str, Any]] = [each for holder in every(alert, "DetectionRegionEntry") for each in listed(get(holder, "DetectionRegionEntry")) if isinstance(each, dict)]
    if not regions:
        lists = [get(alert, name) for name in ("DetectionRegionList", "Target", "Targets", "TargetList")]
        regions = [each for found in lists for each in listed(found) if isinstance(each, dict)]
    return regions or [alert]


def _object(tree: Mapping[str, Any], otherwise: SeenObject = SeenObject.UNKNOWN) -> SeenObject:
    names = ("detectionTarget", "targetType", "TargetType", "objectType")
    words = [word.strip().lower() for each in every(tree, *names) for word in text(each, *names).split(",")]
    return next((OBJECTS[word] for word in words if word in OBJECTS), otherwise)


def _object_id(tree: Mapping[str, Any]) -> str:
    return next((text(each, "targetID", "objectID", "trackID") for each in every(tree, "targetID", "objectID", "trackID")), "")


def _box(tree: Mapping[str, Any]) -> Box | None:
    for each in every(tree, "TargetRect"):
        rect = get(each, "TargetRect")
        x, y, width, height = (number(get(rect, *names)) for names in (("X",), ("Y",), ("width", "w"), ("height", "h")))
        if x is not None and y is not None and width is not None and height is not None:
            full = FULL if max(abs(x), abs(y), abs(width), abs(height)) > 1 else 1.0
            return box_of((x, y, x + width, y + height), width=full, height=full)
    return None


def _polygon(tree: Mapping[str, Any]) -> tuple[Point, ...]:
    for each in every(tree, "RegionCoordinatesList"):
        found = get(each, "RegionCoordinatesList")
        corners = get(found, "RegionCoordinates") if isinstance(found, dict) else [get(point, "RegionCoordinates") or point for point in listed(found)]
        return points(corners, width=FULL, height=FULL)
    return ()


def _with_pictures(found: Sequence[tuple[DeviceRecord, frozenset[str]]], pictures: Sequence[Part]) -> list[DeviceRecord]:
    """Return the records with the pictures they name; those that nobody names go to the first."""
    named = frozenset(name for _, wanted in found for name in wanted)
    records = []
    for place, (record, wanted) in enumerate(found):
        own = [part for part in pictures if part.names & wanted or (place == 0 and not part.names & named)]
        records.append(replace(record, snapshots=tuple(Snapshot(part.content, part.media_type, min(part.names, default="")) for part in own)))
    return records
