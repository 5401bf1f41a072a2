"""From decoded readings to committed rows: what every source of readings does once it has decoded what it got."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from django.db import OperationalError, transaction

from shouwang.kernel.errors import ShouwangError, StorageAway
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import DEVICE
from shouwang.telemetry import actions, queries
from shouwang.telemetry.placing import Placed, Reading, Sent, place, restored
from shouwang.telemetry.rules import DeviceRecord, IngestResult, NewQuarantine
from shouwang.telemetry.sources import EVENTS, decoder_of, sources_found
from shouwang.ui.outage import outage_of

RIGHT = "telemetry.write"
_log = logging.getLogger(__name__)


class ReadingsTaken(msgspec.Struct, frozen=True):
    """What became of readings; those from the future are among the accepted."""

    accepted: int
    duplicates: int
    quarantined: int
    future: int


@dataclass(frozen=True, slots=True)
class Message:
    """Readings that came together, what their token allows, and the device that the message's address names."""

    readings: Sequence[Reading]
    scope: Scope
    device: str | None = None


def store(messages: Sequence[Message], *, now: datetime, source: str, quarantined: Sequence[NewQuarantine] = ()) -> ReadingsTaken:
    """Store the readings of messages and return what became of them, after the commit.

    `quarantined` is kept beside what cannot be placed. Raises StorageFull, StorageAway: some of it may be stored then, and sending
    all again is safe.
    """
    placed = _placed(messages)
    kept = [*placed.quarantined, *quarantined]
    try:
        result = actions.ingest(placed.columns, now=now, source=source, quarantined=kept)
    except OperationalError as error:
        _log.error("readings were not stored: %s", error.__cause__ or error)  # a full disk fails every request: a line says it
        raise outage_of(error) or StorageAway from error
    return ReadingsTaken(result.accepted, result.duplicates, sum(each.rows for each in kept), result.future)


def _placed(messages: Sequence[Message]) -> Placed:
    placed = place(_sent(messages, queries.catalogue()))
    if placed.quarantined:
        placed = place(_sent(messages, queries.newer_catalogue()))
    return placed


def _sent(messages: Sequence[Message], known: queries.Catalogue) -> list[Sent]:
    return [
        Sent(each.readings, each.scope.subject, known.by_device, each.device) if each.scope.kind == DEVICE
        else Sent(each.readings, None, known.visible(each.scope), each.device)
        for each in messages
    ]


def release(quarantine_id: int, *, raw: str, device: str, source: str, now: datetime) -> IngestResult | None:
    """Store readings from quarantine, now that their device is known; None while they still cannot be placed."""
    try:
        readings = restored(raw)
    except msgspec.DecodeError:
        readings = _read_again(raw, source)
    if not readings:
        return None
    placed = place([Sent(readings, device or None, queries.newer_catalogue().by_device)])
    if placed.quarantined:
        return None
    with transaction.atomic():
        if not actions.mark_released(quarantine_id, now=now):
            return None
        return actions.ingest(placed.columns, now=now, source=source)


def _read_again(raw: str, source: str) -> list[Reading]:
    """Return the readings of a message that was kept as it came, none where it cannot be read now either."""
    try:
        return decoder_of(source)(raw.encode())
    except ShouwangError:
        return []


def is_events(source: str) -> bool:
    """Return whether a source tells device events."""
    known = sources_found().get(source)
    return known is not None and known.direction == EVENTS


def release_event(quarantine_id: int, *, raw: str, device: str, source: str, at: datetime, now: datetime) -> bool:
    """Record a device event from quarantine that came `at` a moment; False while its device is not registered."""
    try:
        said = msgspec.json.decode(raw, type=DeviceRecord)
    except msgspec.DecodeError:
        return False
    record = replace(said, device=said.device or device)
    if record.device not in queries.tellers([record.device]):
        return False
    with transaction.atomic():
        if not actions.mark_released(quarantine_id, now=now):
            return False
        actions.record_device_events([record], source=source, now=now, received_at=at)
    return True
