"""NotificationMessage of ONVIF (WS-BaseNotification) into records. Pure.

A property's first telling ("Initialized") is its state at the moment of subscribing and no event.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import tzinfo
from typing import Any

from shouwang.telemetry.cameras.trees import box_of, every, get, listed, moment, number, points, said, text
from shouwang.telemetry.cameras.xml import read_xml
from shouwang.telemetry.rules import RAW_BYTES, Box, DeviceRecord, EventKind, EventState, Point, SeenObject
from shouwang.ui.answers import BodyInvalid

EXPECTED = "PullMessagesResponse, Notify or NotificationMessage"
MESSAGES_MOST = 200
TRUE, FALSE = frozenset({"true", "1"}), frozenset({"false", "0"})
UNSET = frozenset({"Initialized", "Deleted"})
TOPICS: Mapping[str, tuple[EventKind, SeenObject]] = {
    "fielddetector/objectsinside": (EventKind.ENTER, SeenObject.UNKNOWN),
    "linedetector/crossed": (EventKind.CROSS, SeenObject.UNKNOWN),
    "loiteringdetector/objectisloitering": (EventKind.STAY, SeenObject.UNKNOWN),
    "loiteringdetector/loitering": (EventKind.STAY, SeenObject.UNKNOWN),
    "crowddetector/crowd": (EventKind.CROWD, SeenObject.UNKNOWN),
    "peopledetect": (EventKind.ENTER, SeenObject.HUMAN),
    "humanshapedetect": (EventKind.ENTER, SeenObject.HUMAN),
    "vehicledetect": (EventKind.ENTER, SeenObject.VEHICLE),
    "dogcatdetect": (EventKind.ENTER, SeenObject.ANIMAL),
    "tamperdetector/tamper": (EventKind.TAMPER, SeenObject.UNKNOWN),
    "globalscenechange": (EventKind.MOVED, SeenObject.UNKNOWN),
    "imagetoodark": (EventKind.TAMPER, SeenObject.UNKNOWN),
    "imagetooblurry": (EventKind.BLUR, SeenObject.UNKNOWN),
    "signalloss": (EventKind.VIDEO_LOSS, SeenObject.UNKNOWN),
    "storagefull": (EventKind.STORAGE_FULL, SeenObject.UNKNOWN),
}
FLAGS: Mapping[str, tuple[EventKind, SeenObject]] = {
    "isinside": (EventKind.ENTER, SeenObject.UNKNOWN),
    "ispeople": (EventKind.ENTER, SeenObject.HUMAN),
    "isvehicle": (EventKind.ENTER, SeenObject.VEHICLE),
    "ispet": (EventKind.ENTER, SeenObject.ANIMAL),
    "islinecross": (EventKind.CROSS, SeenObject.UNKNOWN),
    "isintrusion": (EventKind.ENTER, SeenObject.UNKNOWN),
    "istamper": (EventKind.TAMPER, SeenObject.UNKNOWN),
}
OBJECTS: Mapping[str, SeenObject] = {
    "human": SeenObject.HUMAN, "person": SeenObject.HUMAN, "people": SeenObject.HUMAN, "face": SeenObject.HUMAN, "vehicle": SeenObject.VEHICLE,
    "vehical": SeenObject.VEHICLE, "car": SeenObject.VEHICLE, "bike": SeenObject.VEHICLE, "animal": SeenObject.ANIMAL,
}
SOURCES = ("VideoSourceConfigurationToken", "VideoSourceToken", "Source", "VideoSource")


def decode(body: bytes, content_type: str, *, zone: tzinfo) -> list[DeviceRecord]:
    """Return what the messages of an answer tell; nothing where there are none. Raises BodyInvalid."""
    del content_type
    tree = read_xml(body)
    found = list(messages_in(tree))[:MESSAGES_MOST]
    if not found and not any(name in repr(tree) for name in ("PullMessagesResponse", "Notify", "NotificationMessage")):
        raise BodyInvalid(field="body", found=next(iter(tree), "nothing"), expected=EXPECTED)
    raw = body[:RAW_BYTES]
    return [record for each in found if (record := told_by(each, raw=raw, zone=zone)) is not None]


def messages_in(tree: Any) -> Iterator[dict[str, Any]]:
    """Yield the notification messages anywhere in a tree."""
    for holder in every(tree, "NotificationMessage"):
        for each in listed(get(holder, "NotificationMessage")):
            if isinstance(each, dict):
                yield each


def told_by(notice: Mapping[str, Any], *, raw: bytes, zone: tzinfo) -> DeviceRecord | None:
    """Return what one message tells, None for a property's state at subscribing."""
    message = get(get(notice, "Message"), "Message") or get(notice, "Message")
    if not isinstance(message, dict) or text(message, "@PropertyOperation") in UNSET:
        return None
    source, key, data = (items_of(get(message, name)) for name in ("Source", "Key", "Data"))
    topic = text(notice, "Topic")
    kind, seen, state = _what(topic, data)
    rule = source.get("rule") or key.get("rule") or topic.rpartition("/")[2]
    return DeviceRecord(
        kind, channel=next((source[name.lower()] for name in SOURCES if source.get(name.lower())), ""), state=state, rule=rule,
        object=_object(message, data, seen), object_id=key.get("objectid") or data.get("objectid") or "", box=_box(message), polygon=_polygon(message),
        device_at=moment(get(message, "@UtcTime"), zone=zone), raw=raw,
    )


def items_of(tree: Any) -> dict[str, str]:
    """Return the simple items of a part of a message, names in lower case."""
    return {text(each, "@Name").lower(): text(each, "@Value") for each in listed(get(tree, "SimpleItem")) if isinstance(each, dict)}


def _what(topic: str, data: Mapping[str, str]) -> tuple[EventKind, SeenObject, EventState]:
    """Return what a topic means, and whether it begins, ends or happens: the value that says true or false tells."""
    raised = [name for name, value in data.items() if value.lower() in TRUE and name in FLAGS]
    flags = [name for name in data if name in FLAGS]
    path = topic.partition(":")[2].lower() or topic.lower()
    kind, seen = next((found for name, found in TOPICS.items() if name in path), (EventKind.OTHER, SeenObject.UNKNOWN))
    if kind is EventKind.OTHER and flags:
        kind, seen = FLAGS[(raised or flags)[0]]
    values = [value.lower() for name, value in data.items() if name in FLAGS or name in {"state", "value", "logicalstate"} or name.startswith("is")]
    if any(value in TRUE for value in values):
        return kind, seen, EventState.START
    return kind, seen, EventState.STOP if any(value in FALSE for value in values) else EventState.PULSE


def _object(message: Mapping[str, Any], data: Mapping[str, str], otherwise: SeenObject) -> SeenObject:
    words = [data.get(name, "") for name in ("classtypes", "objecttype", "type", "class", "targettype")]
    words += [said(get(each, "Type")) for holder in every(message, "Class") for each in [get(holder, "Class"), *every(get(holder, "Class"), "Type")]]
    return next((OBJECTS[part] for word in words for part in word.lower().replace(",", " ").split() if part in OBJECTS), otherwise)


def _box(message: Mapping[str, Any]) -> Box | None:
    """Return the box of ONVIF's own coordinates: from -1 to 1, upwards."""
    for each in every(message, "BoundingBox"):
        box = get(each, "BoundingBox")
        left, top, right, bottom = (number(get(box, f"@{name}")) for name in ("left", "top", "right", "bottom"))
        if left is not None and top is not None and right is not None and bottom is not None:
            upper, lower = max(top, bottom), min(top, bottom)
            return box_of(((min(left, right) + 1) / 2, (1 - upper) / 2, (max(left, right) + 1) / 2, (1 - lower) / 2))
    return None


def _polygon(message: Mapping[str, Any]) -> tuple[Point, ...]:
    for each in every(message, "Polygon", "Polyline"):
        corners = points(get(get(each, "Polygon", "Polyline"), "Point"), width=1, height=1)
        return tuple(((x + 1) / 2, (1 - y) / 2) for x, y in corners)
    return ()
