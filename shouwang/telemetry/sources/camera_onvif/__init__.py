"""ONVIF cameras: a PullPoint is asked for messages, and renewed."""

from __future__ import annotations

from shouwang.telemetry.cameras import CameraSettings, Family
from shouwang.telemetry.rules import DeviceRecord
from shouwang.telemetry.sources.camera_onvif.decode import decode
from shouwang.telemetry.sources.camera_onvif.follow import follow

NAME = "camera_onvif"


def _decode(body: bytes, content_type: str, said: CameraSettings) -> list[DeviceRecord]:
    return decode(body, content_type, zone=said.zone)


CAMERAS = Family(NAME, CameraSettings, _decode, follow=follow)
SETTINGS = CameraSettings
