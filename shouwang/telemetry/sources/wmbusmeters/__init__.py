"""Water meters heard by wmbusmeters, a program of its own beside Shouwang: one JSON object a telegram. Pure."""

from __future__ import annotations

from typing import Annotated

import msgspec

from shouwang.telemetry.placing import Moment, Name, Reading
from shouwang.ui.answers import described_field, read_body

EXPECTED = '{"id", "timestamp", "total_m3"}'
EXAMPLE = {
    "media": "cold water", "meter": "multical21", "name": "示例水表", "id": "00000001", "status": "OK", "total_m3": 36.412,
    "timestamp": "2026-01-15T02:00:00Z", "device": "rtlwmbus[00000001]", "rssi_dbm": -57,
}
LITRES = 1_000


class Telegram(msgspec.Struct, frozen=True, gc=False):
    """What is read of a telegram of a water meter."""

    id: Annotated[Name, described_field("表号，即登记的设备编号", "The meter's number, which is the device's")]
    timestamp: Annotated[Moment, described_field("收到报文的时间", "When the telegram was heard")]
    total_m3: Annotated[float, described_field("累计读数，立方米", "The register, in m³")]


BODY = Telegram
_decoder = msgspec.json.Decoder(Telegram)


def decode(body: bytes) -> list[Reading]:
    """Return the register of one telegram in litres, rounded to a tenth. Raises BodyInvalid for a meter without one, as of heat."""
    telegram = read_body(_decoder, body, expected=EXPECTED)
    return [Reading("register_l", telegram.timestamp, round(telegram.total_m3 * LITRES, 1), telegram.id)]
