"""A device that posts JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.test import Client

from tests.telemetry.sources.contract import Read


class Http:
    path = "/api/v1/readings"

    def message(self, read: Read) -> bytes:
        said = {"device": read.device, "datastream": "register_l", "phenomenon_time": read.at.isoformat(), "result": read.register_l}
        return json.dumps({"readings": [said]}).encode()

    def deliver(self, messages: Sequence[bytes], *, device: str, token: str) -> int:
        del device
        http = Client()
        answers = [http.post(self.path, each, "application/json", headers={"authorization": f"Bearer {token}"}) for each in messages]
        return sum(each.status_code == 200 for each in answers)

    def names_device(self) -> bool:
        return True


LINE = Http()
