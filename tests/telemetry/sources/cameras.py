"""The fixtures of the families of cameras: bytes as they come, written from the documented shapes, and what they tell."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from shouwang.telemetry.cameras import Family
from shouwang.telemetry.cameras.running import families
from shouwang.telemetry.rules import DeviceRecord, tidied

HERE = Path(__file__).parent
MAPS: dict[str, Any] = {
    "platform": {
        "device": "msg.dev.sn", "channel": "msg.dev.ch", "kind": "msg.type", "kinds": {"intrusion": "ENTER", "beat": ""}, "state": "msg.status",
        "states": {"1": "START", "0": "STOP"}, "object": "msg.target.cls", "objects": {"people": "HUMAN"}, "object_id": "msg.target.id",
        "box": "msg.target.rect", "box_form": "size", "polygon": "msg.area", "width": 1920, "height": 1080, "device_at": "msg.time",
        "snapshots": ["msg.pics.full", "msg.pics.none"],
    },
    "several": {"each": "events", "device": "camera", "kind": "label", "kinds": {"beat": ""}, "kind_else": "STAY"},
}
SETTINGS: dict[str, dict[str, Any]] = {"camera_json": {"maps": MAPS}}


@dataclass(frozen=True)
class Fixture:
    """One message, its Content-Type, and what it tells: for each record some of its fields."""

    family: str
    name: str
    body: bytes
    content_type: str
    expected: list[dict[str, Any]]


@cache
def fixtures() -> list[Fixture]:
    """Return all fixtures of all families."""
    return [_fixture(path) for path in sorted(HERE.glob("camera_*/fixtures/*.body"))]


def _fixture(path: Path) -> Fixture:
    headers = path.with_suffix(".headers").read_text("utf-8").splitlines()
    content_type = next(line.partition(":")[2].strip() for line in headers if line.lower().startswith("content-type:"))
    return Fixture(path.parts[-3], path.stem, path.read_bytes(), content_type, json.loads(path.with_suffix(".expect.json").read_text("utf-8")))


def said_for(family: Family) -> Any:
    """Return the settings with which a family's fixtures are read."""
    return msgspec.convert(SETTINGS.get(family.name, {}), family.settings)


def decoded(fixture: Fixture) -> list[DeviceRecord]:
    """Return what a fixture tells."""
    family = families()[fixture.family]
    return [tidied(each) for each in family.decode(fixture.body, fixture.content_type, said_for(family))]


def shown(record: DeviceRecord, fields: dict[str, Any]) -> dict[str, Any]:
    """Return those fields of a record that are expected, as JSON has them."""
    whole = msgspec.to_builtins(record)
    whole["snapshots"] = len(record.snapshots)
    whole["device_at"] = record.device_at.isoformat() if record.device_at else None
    return {name: json.loads(json.dumps(whole[name])) for name in fields}
