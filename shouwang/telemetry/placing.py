"""Readings as sources decode them, and where each belongs. Pure: names are looked up in mappings that the caller gives."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from shouwang.ui.answers import described_field

Streams = Mapping[str, Mapping[str, int]]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
_NONE: Mapping[str, int] = {}


class Reading(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """One reading as a device sends it."""

    datastream: Annotated[Name, described_field("数据流，如 register_l", "The datastream, as register_l")]
    phenomenon_time: Annotated[Moment, described_field("读数时间，带时区", "When it was read, with its zone")]
    result: Annotated[float, described_field("读数，单位随数据流", "The value, in the datastream's unit")]
    device: Annotated[Name | None, described_field("设备编号；平台令牌须填", "The device; needed with an integration's token")] = None


class Extra(Reading, frozen=True, gc=False, omit_defaults=True):
    """A reading that comes along with the one that counts, as the state of a valve; left out where it cannot be placed."""


class Readings(msgspec.Struct, frozen=True, gc=False):
    """Readings that are sent together."""

    readings: list[Reading]


@dataclass(frozen=True, slots=True)
class Sent:
    """The readings of one message, and where they may go.

    `own_device` is the device whose token was used, None for an integration; `named_device` is the one that the message's
    address names for readings that name none. `streams` holds the datastream ids by device and property.
    """

    readings: Sequence[Reading]
    own_device: str | None
    streams: Streams
    named_device: str | None = None

    def device_of(self, reading: Reading) -> str:
        """Return the device a reading is of, empty when nothing names one."""
        return reading.device or self.named_device or self.own_device or ""

    def ids(self) -> list[int]:
        """Return the datastream of each reading, 0 for one that belongs to none."""
        own, named = self.own_device, self.named_device
        if own is None:
            return [self.streams.get(self.device_of(each), _NONE).get(each.datastream, 0) for each in self.readings]
        streams = self.streams.get(own, _NONE)
        if named is not None and named != own:
            return [streams.get(each.datastream, 0) if each.device == own else 0 for each in self.readings]
        return [streams.get(each.datastream, 0) if each.device is None or each.device == own else 0 for each in self.readings]


@dataclass(frozen=True)
class Placed:
    """The rows that can be stored, and the others with their reason."""

    columns: Columns
    quarantined: list[NewQuarantine]

    @property
    def quarantined_rows(self) -> int:
        """Return how many readings cannot be placed."""
        return sum(each.rows for each in self.quarantined)


_encode = msgspec.json.Encoder().encode


def place(messages: Sequence[Sent]) -> Placed:
    """Return the readings of messages as columns; what names no known datastream, or a clock before 2000, goes to quarantine."""
    ids = [stream for message in messages for stream in message.ids()]
    readings = [reading for message in messages for reading in message.readings]
    at_us = np.rint(np.array([reading.phenomenon_time.timestamp() for reading in readings], np.float64) * 1e6).astype(np.int64)
    columns = Columns(np.array(ids, np.int64), at_us, np.array([reading.result for reading in readings], np.float64))
    good = (columns.stream > 0) & (at_us >= EARLIEST_US)
    if good.all():
        return Placed(columns, [])
    owners = [message for message in messages for _ in message.readings]
    bad = np.flatnonzero(~good).tolist()
    return Placed(columns.where(good), _sorted_out((owners[place], readings[place]) for place in bad))


def _sorted_out(bad: Iterable[tuple[Sent, Reading]]) -> list[NewQuarantine]:
    groups: dict[tuple[str, str], list[Reading]] = {}
    for message, reading in bad:
        if isinstance(reading, Extra):
            continue
        groups.setdefault((_reason(message, reading), message.device_of(reading)), []).append(reading)
    return [
        NewQuarantine(reason, device, _encode(readings).decode(), len(readings))
        for (reason, device), readings in groups.items()
    ]


def _reason(message: Sent, reading: Reading) -> str:
    device = message.device_of(reading)
    if not device:
        return NO_DEVICE
    if message.own_device is not None and device != message.own_device:
        return FOREIGN_DEVICE
    if device not in message.streams:
        return UNKNOWN_DEVICE
    if reading.datastream not in message.streams[device]:
        return UNKNOWN_DATASTREAM
    return BAD_CLOCK


def restored(raw: str) -> list[Reading]:
    """Return the readings that quarantine kept as `raw`. Raises msgspec.DecodeError for what never was a reading."""
    return msgspec.json.decode(raw, type=list[Reading])
