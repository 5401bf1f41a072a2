"""The platform CTWing with meters behind it: a simulator of its pushes."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence

from django.test import override_settings

from shouwang.telemetry.sources.ctwing import EXAMPLE
from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.http.line import Http

SET = {"registers": [{"service": "1", "property": "volume", "unit": "m3"}, {"property": "battery", "datastream": ""}]}


def pushed(read: Read, **changed: object) -> dict[str, object]:
    """Return a report of a product with a thing model."""
    said = {"deviceId": read.device, "timestamp": round(read.at.timestamp() * 1_000), "payload": {"volume": read.register_l / 1_000}}
    return {**EXAMPLE, **said, **changed}


def bare(read: Read, **inside: object) -> dict[str, object]:
    """Return a report of a product without one: the device's own bytes, here JSON."""
    raw = json.dumps({"volume": read.register_l / 1_000, **inside}).encode()
    return pushed(read, topic="v1/up/ad", payload={"APPdata": base64.b64encode(raw).decode()})


class Ctwing(Http):
    path = "/api/v1/readings/ctwing"
    settings = SET

    def message(self, read: Read) -> bytes:
        return json.dumps(pushed(read)).encode()

    def deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        with override_settings(SHOUWANG_SOURCES={"ctwing": SET}):
            return super().deliver(messages, device=device, token=token)


LINE = Ctwing()
