"""The body of `POST /api/v1/readings` as columns. Pure: names are looked up in mappings that the caller gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
import numpy as np

from shouwang.detectors.contract import Columns
from shouwang.telemetry.rules import (
    BAD_CLOCK,
    EARLIEST_US,
    FOREIGN_DEVICE,
    NO_DEVICE,
    UNKNOWN_DATASTREAM,
    UNKNOWN_DEVICE,
    NewQuarantine,
)
from shouwang.ui.answers import described_field, read_body

EXPECTED = '{"readings": [{"datastream", "phenomenon_time", "result"}]}'
Streams = Mapping[str, Mapping[str, int]]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Reading(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One reading as a device sends it."""

    datastream: Annotated[Name, described_field("数据流，如 register_l", "The datastream, as register_l")]
    phenomenon_time: Annotated[Moment, described_field("读数时间，带时区", "When it was read, with its zone")]
    result: Annotated[float, described_field("读数，单位随数据流", "The value, in the datastream's unit")]
    device: Annotated[Name | None, described_field("设备编号；平台令牌须填", "The device; needed with an integration's token")] = None


class Readings(msgspec.Struct, frozen=True, gc=False):
    """The body of one request."""

    readings: list[Reading]


@dataclass(frozen=True)
class Decoded:
    """The rows that can be stored, and the others with their reason."""

    columns: Columns
    quarantined: list[NewQuarantine]

    @property
    def quarantined_rows(self) -> int:
        """Return how many readings cannot be placed."""
        return sum(each.rows for each in self.quarantined)


_decoder = msgspec.json.Decoder(Readings)
_encode = msgspec.json.Encoder().encode


def decode(body: bytes) -> list[Reading]:
    """Return the readings of a request's body. Raises BodyInvalid naming the field."""
    return read_body(_decoder, body, expected=EXPECTED).readings


def place(readings: Sequence[Reading], *, own_device: str | None, streams: Streams) -> Decoded:
    """Return the readings as columns; what names no known datastream, or a clock before 2000, goes to quarantine.

    `own_device` is the device whose token was used; None for an integration, which names the device in each reading.
    """
    ids = _of_device(readings, own_device, streams) if own_device is not None else _of_any(readings, streams)
    at_us = np.rint(np.array([reading.phenomenon_time.timestamp() for reading in readings], np.float64) * 1e6).astype(np.int64)
    value = np.array([reading.result for reading in readings], np.float64)
    stream = np.array(ids, np.int64)
    good = (stream > 0) & (at_us >= EARLIEST_US)
    if good.all():
        return Decoded(Columns(stream, at_us, value), [])
    bad = [readings[place] for place in np.flatnonzero(~good).tolist()]
    return Decoded(Columns(stream, at_us, value).where(good), _sorted_out(bad, own_device=own_device, streams=streams))


def _of_device(readings: Sequence[Reading], own_device: str, streams: Streams) -> list[int]:
    own = streams.get(own_device, {})
    return [own.get(reading.datastream, 0) if reading.device in (None, own_device) else 0 for reading in readings]


def _of_any(readings: Sequence[Reading], streams: Streams) -> list[int]:
    none: Mapping[str, int] = {}
    return [streams.get(reading.device or "", none).get(reading.datastream, 0) for reading in readings]


def _sorted_out(bad: Sequence[Reading], *, own_device: str | None, streams: Streams) -> list[NewQuarantine]:
    groups: dict[tuple[str, str], list[Reading]] = {}
    for reading in bad:
        device = reading.device or own_device or ""
        groups.setdefault((_reason(reading, device=device, own_device=own_device, streams=streams), device), []).append(reading)
    return [
        NewQuarantine(reason, device, _encode(readings).decode(), len(readings))
        for (reason, device), readings in groups.items()
    ]


def _reason(reading: Reading, *, device: str, own_device: str | None, streams: Streams) -> str:
    if not device:
        return NO_DEVICE
    if own_device is not None and device != own_device:
        return FOREIGN_DEVICE
    if device not in streams:
        return UNKNOWN_DEVICE
    if reading.datastream not in streams[device]:
        return UNKNOWN_DATASTREAM
    return BAD_CLOCK


def restored(raw: str) -> list[Reading]:
    """Return the readings that quarantine kept as `raw`."""
    return msgspec.json.decode(raw, type=list[Reading])
