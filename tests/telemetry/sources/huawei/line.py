"""Huawei's platform with meters behind it: a simulator of its pushes, in both shapes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.test import override_settings

from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.http.line import Http

SET = {"registers": [{"service": "WaterMeter", "property": "volume", "unit": "m3"}, {"property": "battery", "datastream": ""}]}


def moment(read: Read) -> str:
    return f"{read.at:%Y%m%dT%H%M%SZ}"


def pushed(read: Read, **properties: object) -> dict[str, object]:
    """Return a report as IoTDA pushes it."""
    service = {"service_id": "WaterMeter", "properties": {"volume": read.register_l / 1_000, **properties}, "event_time": moment(read)}
    header = {"device_id": read.device, "node_id": "860000000000017", "product_id": "example"}
    return {"resource": "device.property", "event": "report", "event_time": moment(read), "notify_data": {"header": header, "body": {"services": [service]}}}


def older(read: Read, kind: str = "deviceDataChanged") -> dict[str, object]:
    """Return a report as OceanConnect pushes it."""
    service = {"serviceId": "WaterMeter", "serviceType": "WaterMeter", "data": {"volume": read.register_l / 1_000}, "eventTime": moment(read)}
    services = {"service": service} if kind == "deviceDataChanged" else {"services": [service, {**service, "serviceId": "Signal", "data": {"SNR": 25}}]}
    return {"notifyType": kind, "requestId": None, "deviceId": read.device, "gatewayId": read.device, **services}


class Huawei(Http):
    path = "/api/v1/readings/huawei"
    settings = SET

    def message(self, read: Read) -> bytes:
        return json.dumps(pushed(read)).encode()

    def deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        with override_settings(SHOUWANG_SOURCES={"huawei": SET}):
            return super().deliver(messages, device=device, token=token)


LINE = Huawei()
