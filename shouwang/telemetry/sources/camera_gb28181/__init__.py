"""Devices and platforms of GB/T 28181: they register here by SIP, keep alive, and send their alarms."""

from __future__ import annotations

from shouwang.telemetry.cameras import Family
from shouwang.telemetry.rules import DeviceRecord
from shouwang.telemetry.sources.camera_gb28181.decode import decode
from shouwang.telemetry.sources.camera_gb28181.listen import Gb28181Settings, listen

NAME = "camera_gb28181"


def _decode(body: bytes, content_type: str, said: Gb28181Settings) -> list[DeviceRecord]:
    return decode(body, content_type, zone=said.zone)


CAMERAS = Family(NAME, Gb28181Settings, _decode, listen=listen)
SETTINGS = Gb28181Settings
