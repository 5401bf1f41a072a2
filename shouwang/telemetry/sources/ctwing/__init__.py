"""Meters on China Telecom's platform CTWing (AEP), which posts one JSON message for each report of a device. Pure.

A product with a thing model sends its properties by name; one without sends `APPdata`, the device's bytes in base64.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from shouwang.telemetry.placing import Name, Reading
from shouwang.telemetry.platforms import Platform, Report, read_reports
from shouwang.telemetry.sources import settings_of
from shouwang.ui.answers import BodyInvalid, described_field, read_body

NAME = "ctwing"
READINGS = "dataReport"
BYTES = "APPdata"
EXPECTED = '{"messageType", "deviceId", "timestamp", "payload"}'
LATEST_MS = 4_102_444_800_000
EXAMPLE = {
    "messageType": READINGS, "deviceId": "0f3c5a7e9b1d4f60", "IMEI": "860000000000017", "productId": "10000001", "serviceId": 1,
    "timestamp": 1768442400000, "protocol": "lwm2m", "topic": "v1/up/ad19", "tenantId": "10000001", "payload": {"volume": 36.412},
}


class CtwingSettings(Platform, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set for CTWing: which of its two numbers is the device's here, beside what every platform has."""

    device: Literal["deviceId", "IMEI"] = "deviceId"


class CtwingMessage(msgspec.Struct, frozen=True, gc=False, rename={"message_type": "messageType"}):
    """What is read of every message: only reports hold readings, the others are acknowledged and left."""

    message_type: Annotated[str, described_field("消息类型；dataReport 为读数", "The kind of message; dataReport holds readings")]


class CtwingReport(
    msgspec.Struct, frozen=True, rename={"device_id": "deviceId", "service_id": "serviceId", "product_id": "productId", "imei": "IMEI"},
):
    """What is read of a report."""

    device_id: Annotated[Name, described_field("平台的设备编号", "The platform's number of the device")]
    timestamp: Annotated[int, msgspec.Meta(ge=0, le=LATEST_MS), described_field("平台收到的时间，1970 年起的毫秒", "When the platform received it, in ms since 1970")]
    payload: Annotated[dict[str, Any], described_field("属性与值，或 APPdata（base64）", "Properties by name, or APPdata in base64")]
    service_id: str | int = ""
    product_id: str = ""
    imei: str = ""


BODY = CtwingReport
SETTINGS = CtwingSettings
_message = msgspec.json.Decoder(CtwingMessage)
_report = msgspec.json.Decoder(CtwingReport)


def decode(body: bytes) -> list[Reading]:
    """Return the readings of one message, none for one that is no report.

    Raises BodyInvalid naming the field, Unmapped for a report no property of which is known, SourceSettingsInvalid.
    """
    if read_body(_message, body, expected=EXPECTED).message_type != READINGS:
        return []
    said = settings_of(NAME, CtwingSettings)
    report = read_body(_report, body, expected=EXPECTED)
    service, properties, field = _properties(report)
    at = datetime.fromtimestamp(report.timestamp / 1_000, UTC)
    return read_reports([Report(_device(report, said), report.product_id, service, at, properties, field)], said.registers)


def _device(report: CtwingReport, said: CtwingSettings) -> str:
    if said.device == "deviceId":
        return report.device_id
    if not 0 < len(report.imei) <= len("860000000000017"):
        raise BodyInvalid(field="IMEI", found=report.imei[:80] or "nothing", expected="the device's IMEI")
    return report.imei


def _properties(report: CtwingReport) -> tuple[str, Mapping[str, Any], str]:
    """Return the service, its properties and where they stand."""
    payload = report.payload
    data = payload.get("serviceData")
    if isinstance(data, dict):
        return str(payload.get("serviceId", "")), data, "payload.serviceData"
    if BYTES in payload:
        return str(report.service_id), _inside(payload[BYTES]), f"payload.{BYTES}"
    return str(report.service_id), payload, "payload"


def _inside(sent: object) -> Mapping[str, Any]:
    """Return the properties in a device's bytes where they are a JSON object, else the bytes as the one property APPdata."""
    try:
        raw = base64.b64decode(str(sent), validate=True)
    except (binascii.Error, ValueError) as error:
        raise BodyInvalid(field=f"payload.{BYTES}", found=str(sent)[:80], expected="base64") from error
    try:
        found = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {BYTES: sent}
