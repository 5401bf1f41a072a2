"""Templates that say where in another system's JSON the fields of an event stand. Pure."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from datetime import tzinfo
from typing import Any, Literal, TypeVar

import msgspec

from shouwang.telemetry.cameras.trees import at_path, box_of, listed, moment, points, said
from shouwang.telemetry.rules import RAW_BYTES, Box, DeviceRecord, EventKind, EventState, SeenObject, Snapshot
from shouwang.ui.answers import BodyInvalid

EVENTS_MOST = 32
TEXT_SHOWN = 200
EXPECTED = "JSON as the template says"
Code = TypeVar("Code", EventKind, EventState, SeenObject)


class Template(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where each field stands, as a path like `event.targets[0].name`. `each` leads to a list of events.

    `kinds`, `states` and `objects` translate what stands there; a kind that is translated to "" is a sign of life, and one that
    is not named is `kind_else`. Boxes and polygons are divided by `width` and `height`.
    """

    each: str = ""
    device: str = ""
    channel: str = ""
    kind: str = ""
    kinds: dict[str, str] = {}
    kind_else: EventKind = EventKind.OTHER
    state: str = ""
    states: dict[str, EventState] = {}
    rule: str = ""
    zone: str = ""
    object: str = ""
    objects: dict[str, SeenObject] = {}
    object_id: str = ""
    box: str = ""
    box_form: Literal["corners", "size"] = "corners"
    polygon: str = ""
    width: float = 1.0
    height: float = 1.0
    device_at: str = ""
    snapshots: list[str] = []

    def __post_init__(self) -> None:
        """Check the kinds and the size. Raises ValueError."""
        for kind in filter(None, self.kinds.values()):
            EventKind(kind)
        if not (self.width > 0 and self.height > 0):
            message = f"width {self.width} and height {self.height}: expected above 0"
            raise ValueError(message)


def decode_by(template: Template, body: bytes, *, zone: tzinfo) -> list[DeviceRecord]:
    """Return what a body tells by a template, nothing for a sign of life. Raises BodyInvalid."""
    try:
        tree = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError) as error:
        raise BodyInvalid(field="body", found=str(error)[:TEXT_SHOWN], expected=EXPECTED) from error
    events = listed(at_path(tree, template.each)) if template.each else [tree]
    if not isinstance(tree, dict | list) or not events:
        raise BodyInvalid(field=template.each or "body", found="no event", expected=EXPECTED)
    found = [_told(template, each, zone=zone) for each in events[:EVENTS_MOST]]
    return [each for each in found if each is not None]


def _told(template: Template, tree: Any, *, zone: tzinfo) -> DeviceRecord | None:
    def word(path: str) -> str:
        return said(at_path(tree, path)) if path else ""

    named = word(template.kind)
    if template.kind and not named:
        raise BodyInvalid(field=template.kind, found="nothing", expected=EXPECTED)
    kind = _translated(named, template.kinds, EventKind, template.kind_else)
    if kind is None:
        return None
    return DeviceRecord(
        kind, word(template.device), word(template.channel), _translated(word(template.state), template.states, EventState, EventState.PULSE) or EventState.PULSE,
        word(template.rule), word(template.zone), _translated(word(template.object), template.objects, SeenObject, SeenObject.UNKNOWN) or SeenObject.UNKNOWN,
        word(template.object_id), _box(template, tree), points(at_path(tree, template.polygon) if template.polygon else None, width=template.width, height=template.height),
        moment(at_path(tree, template.device_at), zone=zone) if template.device_at else None, tuple(_snapshots(template, tree)), _raw(tree),
    )


def _translated(word: str, table: Mapping[str, Any], codes: type[Code], otherwise: Code) -> Code | None:
    """Return the code for a word: by the template's table, else the word itself where it is a code; None for a sign of life."""
    if word in table:
        return codes(table[word]) if table[word] else None
    try:
        return codes(word.upper())
    except ValueError:
        return otherwise


def _box(template: Template, tree: Any) -> Box | None:
    found = at_path(tree, template.box) if template.box else None
    if isinstance(found, dict):
        names = (("x", "left", "x0", "x1"), ("y", "top", "y0", "y1"), ("width", "w", "right", "x2"), ("height", "h", "bottom", "y2"))
        lower = {str(name).lower(): value for name, value in found.items()}
        found = [next((lower[name] for name in some if name in lower), None) for some in names]
    box = box_of(found if isinstance(found, list) else None, width=template.width, height=template.height)
    if box is None or template.box_form == "corners":
        return box
    x, y, width, height = box
    return (x, y, x + width, y + height)


def _snapshots(template: Template, tree: Any) -> list[Snapshot]:
    found = [said(at_path(tree, path)) for path in template.snapshots]
    return [Snapshot(content, name=path) for path, each in zip(template.snapshots, found, strict=True) if (content := _decoded(each))]


def _decoded(text: str) -> bytes:
    """Return what base64 holds, also as a data address; nothing for anything else."""
    try:
        return base64.b64decode(text.rpartition("base64,")[2], validate=True)
    except (binascii.Error, ValueError):
        return b""


def _raw(tree: Any) -> bytes:
    """Return the JSON without what only pictures are as long as."""
    def short(value: Any, depth: int = 0) -> Any:
        if isinstance(value, str):
            return value if len(value) <= TEXT_SHOWN else value[:TEXT_SHOWN] + "…"
        if depth > EVENTS_MOST:
            return "…"
        if isinstance(value, dict):
            return {name: short(each, depth + 1) for name, each in list(value.items())[:100]}
        return [short(each, depth + 1) for each in value[:100]] if isinstance(value, list) else value

    return json.dumps(short(tree), ensure_ascii=False).encode("utf-8", "replace")[:RAW_BYTES]
