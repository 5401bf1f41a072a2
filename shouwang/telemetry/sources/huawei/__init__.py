"""Meters on Huawei's platform, in the shapes of IoTDA (resource, event, notify_data) and of OceanConnect (notifyType). Pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import msgspec

from shouwang.telemetry.placing import Name, Reading
from shouwang.telemetry.platforms import Platform, Report, read_reports
from shouwang.telemetry.sources import settings_of
from shouwang.ui.answers import BodyInvalid, described_field, read_body

NAME = "huawei"
EXPECTED = '{"resource", "event", "notify_data"} or {"notifyType", "deviceId", "service"}'
CHANGED = {"deviceDataChanged": "service", "deviceDatasChanged": "services"}
REPORTED = ("device.property", "report")
_MOMENT = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
EXAMPLE = {
    "resource": "device.property", "event": "report", "event_time": "20260115T020000Z",
    "notify_data": {
        "header": {"device_id": "example_860000000000017", "node_id": "860000000000017", "product_id": "example"},
        "body": {"services": [{"service_id": "WaterMeter", "properties": {"volume": 36.412}, "event_time": "20260115T020000Z"}]},
    },
}


class HuaweiSettings(Platform, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is set for Huawei's platform: which of its two numbers is the device's here (OceanConnect sends only the first)."""

    device: Literal["device_id", "node_id"] = "device_id"


class HuaweiNotice(msgspec.Struct, frozen=True, rename={"notify_type": "notifyType"}):
    """What is read of every notice: only reports of properties hold readings, the others are acknowledged and left."""

    resource: Annotated[str, described_field("资源；device.property 为读数", "The resource; device.property holds readings")] = ""
    event: Annotated[str, described_field("事件；report 为上报", "The event; report for a report")] = ""
    notify_type: Annotated[str, described_field("旧版的通知类型", "The kind of notice in the older shape")] = ""


class HuaweiService(msgspec.Struct, frozen=True):
    """One service of a device in IoTDA's shape."""

    service_id: str
    properties: dict[str, Any]
    event_time: str = ""


class HuaweiHeader(msgspec.Struct, frozen=True):
    """Whose report it is."""

    device_id: Name
    node_id: str = ""
    product_id: str = ""


class HuaweiServices(msgspec.Struct, frozen=True):
    """What a device reports."""

    services: list[HuaweiService]


class HuaweiData(msgspec.Struct, frozen=True):
    """Header and body of a report."""

    header: HuaweiHeader
    body: HuaweiServices


class HuaweiReport(msgspec.Struct, frozen=True):
    """A report in IoTDA's shape."""

    resource: Annotated[str, described_field("资源，device.property", "The resource, device.property")]
    event: Annotated[str, described_field("事件，report", "The event, report")]
    notify_data: Annotated[HuaweiData, described_field("设备与各服务的属性", "The device and the properties of its services")]
    event_time: Annotated[str, described_field("时间，如 20260115T020000Z（UTC）", "The moment, as 20260115T020000Z (UTC)")] = ""


class OlderService(msgspec.Struct, frozen=True, rename="camel"):
    """One service of a device in OceanConnect's shape."""

    service_id: str
    data: dict[str, Any]
    event_time: str


class OlderOne(msgspec.Struct, frozen=True, rename="camel"):
    """A notice of deviceDataChanged."""

    device_id: Name
    service: OlderService


class OlderSeveral(msgspec.Struct, frozen=True, rename="camel"):
    """A notice of deviceDatasChanged."""

    device_id: Name
    services: list[OlderService]


BODY = HuaweiReport
SETTINGS = HuaweiSettings
_notice = msgspec.json.Decoder(HuaweiNotice)
_report = msgspec.json.Decoder(HuaweiReport)
_one = msgspec.json.Decoder(OlderOne)
_several = msgspec.json.Decoder(OlderSeveral)


def decode(body: bytes) -> list[Reading]:
    """Return the readings of one notice, none for one that is no report.

    Raises BodyInvalid naming the field, Unmapped for a report no property of which is known, SourceSettingsInvalid.
    """
    notice = read_body(_notice, body, expected=EXPECTED)
    if not notice.resource and not notice.notify_type:
        raise BodyInvalid(field="resource", found="neither resource nor notifyType", expected=EXPECTED)
    said = settings_of(NAME, HuaweiSettings)
    if (notice.resource, notice.event) == REPORTED:
        return read_reports(_reports(read_body(_report, body, expected=EXPECTED), said), said.registers)
    if notice.notify_type in CHANGED:
        return read_reports(_older(body, notice.notify_type), said.registers)
    return []


def _reports(report: HuaweiReport, said: HuaweiSettings) -> list[Report]:
    header = report.notify_data.header
    device = header.device_id if said.device == "device_id" else header.node_id
    if not 0 < len(device) <= 64:
        raise BodyInvalid(field=f"notify_data.header.{said.device}", found=device[:80] or "nothing", expected="1 to 64 characters")
    found = []
    for place, each in enumerate(report.notify_data.body.services):
        field = f"notify_data.body.services[{place}]"
        at = moment_of(each.event_time or report.event_time, field=f"{field}.event_time")
        found.append(Report(device, header.product_id, each.service_id, at, each.properties, f"{field}.properties"))
    return found


def _older(body: bytes, kind: str) -> list[Report]:
    if CHANGED[kind] == "service":
        one = read_body(_one, body, expected=EXPECTED)
        device, services = one.device_id, {"service": one.service}
    else:
        several = read_body(_several, body, expected=EXPECTED)
        device, services = several.device_id, {f"services[{place}]": each for place, each in enumerate(several.services)}
    return [
        Report(device, "", each.service_id, moment_of(each.event_time, field=f"{field}.eventTime"), each.data, f"{field}.data")
        for field, each in services.items()
    ]


def moment_of(text: str, *, field: str) -> datetime:
    """Return a moment written as 20260115T020000Z, in UTC. Raises BodyInvalid."""
    try:
        if _MOMENT.fullmatch(text):
            return datetime.strptime(text, "%Y%m%dT%H%M%S%z").astimezone(UTC)
    except ValueError:
        pass
    raise BodyInvalid(field=field, found=text[:80] or "nothing", expected="yyyyMMddTHHmmssZ, as 20260115T020000Z")
