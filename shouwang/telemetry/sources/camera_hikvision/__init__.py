"""Hikvision cameras and recorders by ISAPI: EventNotificationAlert pushed to us, or heard on their alertStream."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shouwang.telemetry.cameras import CameraSettings, Family
from shouwang.telemetry.rules import DeviceRecord
from shouwang.telemetry.sources.camera_hikvision.decode import decode
from shouwang.telemetry.sources.camera_hikvision.follow import follow
from shouwang.ui.answers import described_field

NAME = "camera_hikvision"
EXAMPLE = {
    "ipAddress": "192.0.2.10", "channelID": 1, "dateTime": "2026-01-15T10:00:00+08:00", "eventType": "fielddetection", "eventState": "active",
    "DetectionRegionList": [{"regionID": "1", "detectionTarget": "human", "TargetRect": {"X": 0.41, "Y": 0.52, "width": 0.05, "height": 0.18}}],
}


class HikvisionAlert(msgspec.Struct, frozen=True):
    """The alert as JSON; XML and multipart with pictures are taken as well."""

    eventType: Annotated[str, described_field("事件类型", "The kind of event")]  # noqa: N815 - as the camera spells it
    eventState: Annotated[str, described_field("active 或 inactive", "active or inactive")] = ""  # noqa: N815
    channelID: Annotated[int | str, described_field("通道", "The channel")] = ""  # noqa: N815
    dateTime: Annotated[str, described_field("摄像机时间", "The camera's moment")] = ""  # noqa: N815


def _decode(body: bytes, content_type: str, said: CameraSettings) -> list[DeviceRecord]:
    return decode(body, content_type, zone=said.zone)


CAMERAS = Family(NAME, CameraSettings, _decode, body=HikvisionAlert, example=EXAMPLE, follow=follow)
SETTINGS = CameraSettings
