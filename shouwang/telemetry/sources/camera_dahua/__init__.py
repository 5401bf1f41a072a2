"""Dahua cameras and recorders: the stream of events that eventManager gives to whoever attaches."""

from __future__ import annotations

from shouwang.telemetry.cameras import CameraSettings, Family
from shouwang.telemetry.rules import DeviceRecord
from shouwang.telemetry.sources.camera_dahua.decode import decode
from shouwang.telemetry.sources.camera_dahua.follow import follow

NAME = "camera_dahua"


def _decode(body: bytes, content_type: str, said: CameraSettings) -> list[DeviceRecord]:
    return decode(body, content_type, zone=said.zone)


CAMERAS = Family(NAME, CameraSettings, _decode, follow=follow)
SETTINGS = CameraSettings
