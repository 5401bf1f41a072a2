"""What the address of a message says, as MQTT's topics and CoAP's paths have it: the device it is of, and the shape of its body."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from shouwang.kernel.errors import NotFound
from shouwang.telemetry.placing import Reading
from shouwang.telemetry.sources import decoder_of
from shouwang.telemetry.writing import Decode
from shouwang.ui.answers import BodyInvalid

READINGS = "readings"
FORMS = "v1/{device}/readings, v1/readings, v1/{device}/{source}"


class Address(NamedTuple):
    """What an address says: the device it names, if any, and what decodes its messages."""

    device: str | None
    decode: Decode
    topic: str


def address_of(topic: str) -> Address:
    """Return what an address says; the messages of one that says nothing cannot be decoded: BodyInvalid."""
    parts = topic.split("/")
    if parts[0] == "v1" and len(parts) in {2, 3} and all(parts):
        device = parts[1] if len(parts) == 3 else None
        try:
            decode = decoder_of("http" if parts[-1] == READINGS else parts[-1])
        except NotFound:
            pass
        else:
            return Address(device, decode, topic)
    return Address(None, unknown, topic)


def unknown(payload: bytes) -> Sequence[Reading]:
    """Raise BodyInvalid: nothing says what shape this has."""
    raise BodyInvalid(field="topic", found=f"{len(payload)} B", expected=FORMS)
