"""Events as JSON: our own record, or another system's push read by a template of the settings."""

from __future__ import annotations

import msgspec

from shouwang.telemetry.cameras import CameraSettings, Family
from shouwang.telemetry.cameras.parts import parameters_of
from shouwang.telemetry.rules import DeviceRecord
from shouwang.telemetry.sources import SourceSettingsInvalid
from shouwang.telemetry.sources.camera_json.decode import EXAMPLE, CameraEvent, decode
from shouwang.telemetry.sources.camera_json.maps import Template, decode_by

NAME = "camera_json"


class JsonSettings(CameraSettings, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set for JSON: the templates by name."""

    maps: dict[str, Template] = msgspec.field(default_factory=dict)


def _decode(body: bytes, content_type: str, said: JsonSettings) -> list[DeviceRecord]:
    name = parameters_of(content_type).get("map", "")
    if not name:
        return decode(body)
    if name not in said.maps:
        raise SourceSettingsInvalid(name=NAME, found=f"maps has no {name[:80]}")
    return decode_by(said.maps[name], body, zone=said.zone)


CAMERAS = Family(NAME, JsonSettings, _decode, body=CameraEvent, example=EXAMPLE)
SETTINGS = JsonSettings
