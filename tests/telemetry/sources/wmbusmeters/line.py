"""wmbusmeters with `shell=curl …` behind it."""

from __future__ import annotations

import json

from shouwang.telemetry.sources.wmbusmeters import EXAMPLE
from tests.telemetry.sources.contract import Read
from tests.telemetry.sources.http.line import Http


class Wmbusmeters(Http):
    path = "/api/v1/readings/wmbusmeters"

    def message(self, read: Read) -> bytes:
        said = {"id": read.device, "timestamp": read.at.isoformat().replace("+00:00", "Z"), "total_m3": read.register_l / 1_000}
        return json.dumps({**EXAMPLE, **said}).encode()


LINE = Wmbusmeters()
