"""The body of `POST /api/v1/readings`, which MQTT and CoAP carry too. Pure."""

from __future__ import annotations

import msgspec

from shouwang.telemetry.placing import Reading, Readings
from shouwang.ui.answers import read_body

EXPECTED = '{"readings": [{"datastream", "phenomenon_time", "result"}]}'
_decoder = msgspec.json.Decoder(Readings)


def decode(body: bytes) -> list[Reading]:
    """Return the readings of a request's body. Raises BodyInvalid naming the field."""
    return read_body(_decoder, body, expected=EXPECTED).readings
