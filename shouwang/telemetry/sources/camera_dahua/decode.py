"""Dahua's event stream, cut anywhere, into records. Pure.

A part says `Code=…;action=…;index=…` and, for most codes, `;data={JSON}` that may hold "=" and ";" and line feeds. The declared
lengths cannot be relied upon, and to wait for the next boundary costs a heartbeat: a part is complete when its JSON is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Any

from shouwang.telemetry.cameras.trees import box_of, get, listed, moment, number, points, text
from shouwang.telemetry.rules import Box, DeviceRecord, EventKind, EventState, Point, SeenObject
from shouwang.ui.answers import BodyInvalid

EXPECTED = "Code=…;action=…;index=…;data={…}"
FULL = 8_191.0
STREAM_BYTES = 256 * 1024
HEAD_BYTES = 400
LOCAL_WITHIN = timedelta(seconds=90)
KINDS: Mapping[str, EventKind] = {
    "crossregiondetection": EventKind.ENTER, "crosslinedetection": EventKind.CROSS, "wanderdetection": EventKind.STAY, "staydetection": EventKind.STAY,
    "crowddetection": EventKind.CROWD, "rioterdetection": EventKind.CROWD, "videoblind": EventKind.TAMPER, "videounfocus": EventKind.BLUR,
    "scenechange": EventKind.MOVED, "videoloss": EventKind.VIDEO_LOSS, "storagelowspace": EventKind.STORAGE_FULL,
}
ABNORMAL: Mapping[str, EventKind] = {
    "lost": EventKind.VIDEO_LOSS, "unfocus": EventKind.BLUR, "scenechange": EventKind.MOVED, "move": EventKind.MOVED, "cover": EventKind.TAMPER, "shelter": EventKind.TAMPER,
}
OBJECTS: Mapping[str, SeenObject] = {
    "human": SeenObject.HUMAN, "humanface": SeenObject.HUMAN, "vehicle": SeenObject.VEHICLE, "motor": SeenObject.VEHICLE, "nonmotor": SeenObject.VEHICLE,
    "animal": SeenObject.ANIMAL,
}
STATES: Mapping[str, EventState] = {"start": EventState.START, "stop": EventState.STOP}
SIGNS_OF_LIFE = frozenset({"heartbeat", ""})
# Only at the beginning of a line: JSON has no bare line feeds in its texts, so what a text quotes is never taken for an event.
_HEAD = re.compile(r"(?:^|[\r\n])[ \t]*Code=([^;\r\n]{0,80});\s*action=([^;\r\n]{0,40})(?:;\s*index=([^;\r\n]{0,20}))?", re.IGNORECASE)
_DATA = re.compile(r";\s*data=\s*", re.IGNORECASE)
_json = json.JSONDecoder()


class Stream:
    """Reads the stream as it comes."""

    def __init__(self, *, zone: tzinfo) -> None:
        self._zone = zone
        self._text = ""
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[DeviceRecord]:
        """Take bytes and yield what is complete with them."""
        self._text += self._decoded(data)
        while (found := self._next(is_end=False)) is not None:
            yield found
        if len(self._text) > STREAM_BYTES:  # JSON without an end: the event counts without it
            yield from self.end()
            self._text = self._text[-HEAD_BYTES:]

    def end(self) -> Iterator[DeviceRecord]:
        """Yield what the end of the stream completes."""
        while (found := self._next(is_end=True)) is not None:
            yield found

    def _decoded(self, data: bytes) -> str:
        """Return bytes as text, but for those of a letter that is still cut in two."""
        data = self._rest + data
        for cut in range(min(3, len(data)) + 1):
            try:
                found = data[: len(data) - cut].decode()
            except UnicodeDecodeError:
                continue
            self._rest = data[len(data) - cut :]
            return found
        self._rest = b""
        return data.decode("gb18030", "replace")

    def _next(self, *, is_end: bool) -> DeviceRecord | None:
        """Return the next event, None until one is complete."""
        for _ in range(STREAM_BYTES):
            head = _HEAD.search(self._text)
            if head is None or (head.end() == len(self._text) and not is_end):
                self._text = self._text[-HEAD_BYTES:] if head is None else self._text
                return None
            data, end = self._data(head.end(), is_end=is_end)
            if end < 0:
                return None
            raw, self._text = self._text[head.start() : end], self._text[end:]
            record = told(head.group(1), head.group(2), head.group(3) or "", data, raw=raw, zone=self._zone)
            if record is not None:
                return record
        return None

    def _data(self, at: int, *, is_end: bool) -> tuple[Any, int]:
        """Return the JSON behind a head and where it ends; -1 while it has not come whole."""
        mark = _DATA.match(self._text, at)
        if mark is None:
            rest = self._text[at : at + 12]
            may_come = any(each.startswith(rest.replace(" ", "").lower()) for each in (";index=", ";data="))
            is_over = "\n" in rest or len(rest) >= 12 or not may_come
            return None, at if is_over or is_end else -1
        if mark.end() == len(self._text):
            return None, at if is_end else -1
        if self._text[mark.end()] not in "{[":
            return None, mark.end()
        try:
            return _json.raw_decode(self._text, mark.end())
        except (ValueError, RecursionError):
            return self._broken(mark.end(), is_end=is_end)

    def _broken(self, at: int, *, is_end: bool) -> tuple[Any, int]:
        """Return where JSON ends that cannot be read: before the next event; the event itself is told without it."""
        following = _HEAD.search(self._text, at)
        if following is not None:
            return None, following.start()
        return None, len(self._text) if is_end else -1


def decode(body: bytes, content_type: str, *, zone: tzinfo) -> list[DeviceRecord]:
    """Return what a piece of the stream tells, nothing for signs of life. Raises BodyInvalid for something else."""
    del content_type
    if b"Code=" not in body and b"eartbeat" not in body:
        raise BodyInvalid(field="body", found=repr(body[:80]), expected=EXPECTED)
    stream = Stream(zone=zone)
    return [*stream.feed(body), *stream.end()]


def told(code: str, action: str, index: str, data: Any, *, raw: str, zone: tzinfo) -> DeviceRecord | None:
    """Return what an event tells, None for a sign of life."""
    name = code.strip().lower()
    if name in SIGNS_OF_LIFE:
        return None
    kind = KINDS.get(name, EventKind.OTHER)
    if name == "videoabnormaldetection":
        kind = ABNORMAL.get(text(data, "Type").lower(), EventKind.TAMPER)
    state = STATES.get(action.strip().lower(), EventState.PULSE)
    if kind is EventKind.ENTER and text(data, "Direction").lower() == "leave":
        state = EventState.STOP
    seen = _first_object(data)
    return DeviceRecord(
        kind, channel=_channel(index), state=state, rule=text(data, "Name") or text(data, "RuleId", "RuleID") or code.strip(), object=_kind_of(name, seen),
        object_id=text(seen, "ObjectID", "ObjectId"), box=_box(seen), polygon=_polygon(data), device_at=device_at(data, zone=zone), raw=raw.strip().encode("utf-8", "replace"),
    )


def device_at(data: Any, *, zone: tzinfo) -> datetime | None:
    """Return when it happened by the camera's clock. Some firmwares write their local time into `UTC`: LocaleTime shows it."""
    seconds = number(get(data, "RealUTC", "UTC"))
    local = moment(get(data, "LocaleTime"), zone=zone)
    if seconds is None:
        return local
    at = moment(str(int(seconds)), zone=zone)
    if at is None:
        return local
    if local is not None and get(data, "RealUTC") is None:
        shift = at.astimezone(zone).utcoffset() or timedelta()
        if shift and abs(at - local - shift) <= LOCAL_WITHIN:
            return local
    thousandths = number(get(data, "UTCMS")) or 0.0
    return at + timedelta(milliseconds=thousandths if 0 <= thousandths < 1_000 else 0.0)


def _channel(index: str) -> str:
    value = index.strip()
    return str(int(value) + 1) if value.isascii() and value.isdigit() and len(value) < 6 else ""


def _first_object(data: Any) -> Any:
    return next((each for each in [*listed(get(data, "Object")), *listed(get(data, "Objects"))] if isinstance(each, dict)), {})


def _kind_of(name: str, seen: Any) -> SeenObject:
    found = OBJECTS.get(text(seen, "ObjectType").lower(), SeenObject.UNKNOWN)
    if found is SeenObject.UNKNOWN and name.startswith("smartmotion"):
        return OBJECTS.get(name.removeprefix("smartmotion"), SeenObject.UNKNOWN)
    return found


def _box(seen: Any) -> Box | None:
    box = get(seen, "BoundingBox", "Rect")
    return box_of(box, width=FULL, height=FULL) if isinstance(box, list) else None


def _polygon(data: Any) -> tuple[Point, ...]:
    return points(get(data, "DetectRegion", "DetectLine"), width=FULL, height=FULL)
