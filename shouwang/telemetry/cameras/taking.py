"""From what a camera told to committed events: whose it is, who may say so, and what cannot be placed."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec
from django.db import OperationalError

from shouwang.kernel.errors import StorageAway
from shouwang.people.rules import Scope
from shouwang.people.rules.codes import DEVICE
from shouwang.telemetry import actions, queries
from shouwang.telemetry.cameras.family import CameraSettings, Family, Told
from shouwang.telemetry.rules import (
    FOREIGN_DEVICE,
    NO_DEVICE,
    UNKNOWN_DEVICE,
    DeviceEventsTaken,
    DeviceRecord,
    EventKind,
    NewQuarantine,
    tidied,
)
from shouwang.telemetry.sources import settings_of
from shouwang.ui.outage import outage_of

RIGHT = "telemetry.write"
_log = logging.getLogger(__name__)


class EventsTaken(msgspec.Struct, frozen=True):
    """What became of a message: events that are new, events told again, and what waits in quarantine."""

    recorded: int
    repeated: int
    quarantined: int


@dataclass(frozen=True)
class Sender:
    """Who sends: its device (empty for an integration that names none), what is behind its channels, and what it may write."""

    device: str
    channels: Mapping[str, str]
    scope: Scope

    def place(self, record: DeviceRecord) -> DeviceRecord:
        """Return a record with the thing it is of: the channel's, the one it names itself, else the sender."""
        return replace(record, device=self.channels.get(record.channel, "") or record.device or self.device)

    def problem(self, record: DeviceRecord, path: str | None) -> str:
        """Return why a record may not be stored for its device, which stands at `path`; empty when it may."""
        if not record.device:
            return NO_DEVICE
        if self.scope.kind == DEVICE and record.device != self.scope.subject and record.device not in self.channels.values():
            return FOREIGN_DEVICE
        if path is None or (self.scope.kind != DEVICE and not self.scope.sees(path)):
            return UNKNOWN_DEVICE
        return ""


def take(family: Family, body: bytes, scope: Scope, *, media_type: str, device: str, now: datetime) -> EventsTaken:
    """Store what a camera has pushed and return what became of it, after the commit.

    Raises Refused, BodyInvalid, SourceSettingsInvalid, StorageFull, StorageAway.
    """
    scope.require(RIGHT)
    said = settings_of(family.name, family.settings)
    records = family.decode(body, media_type, said)
    own = scope.subject if scope.kind == DEVICE else ""
    sender = Sender(device or own, said.channels_of(own or device), scope)
    taken = store(records, sender, source=family.name, now=now)
    return EventsTaken(len(taken.recorded), len(taken.repeated), taken.quarantined)


def take_told(told: Told, *, said: CameraSettings, source: str, now: datetime) -> DeviceEventsTaken:
    """Store what came over a connection of ours: a camera writes for itself and for what is set as its channels."""
    scope = Scope(None, (), frozenset({RIGHT}), "DEVICE", subject=told.device)
    return store(told.records, Sender(told.device, said.channels_of(told.device), scope), source=source, now=now)


def store(records: Sequence[DeviceRecord], sender: Sender, *, source: str, now: datetime) -> DeviceEventsTaken:
    """Store records of one sender, and its sign of life. Raises StorageFull, StorageAway."""
    placed = [tidied(sender.place(each)) for each in records]
    try:
        known = queries.tellers({sender.device, *(each.device for each in placed)})
        paths = {name: each.path for name, each in known.items()}
        good, strangers = _sorted(placed, sender, paths)
        taken = DeviceEventsTaken()
        if good or strangers:
            taken = actions.record_device_events(good, source=source, now=now, quarantined=strangers, known=known)
        is_told = sender.device in {each.device for each in good}
        if not is_told and sender.device in paths and not sender.problem(DeviceRecord(EventKind.OTHER, sender.device), paths[sender.device]):
            actions.note_heard([sender.device], now=now)
    except OperationalError as error:
        _log.error("device events were not stored: %s", error.__cause__ or error)
        raise outage_of(error) or StorageAway from error
    return taken


def _sorted(records: Sequence[DeviceRecord], sender: Sender, paths: Mapping[str, str]) -> tuple[list[DeviceRecord], list[NewQuarantine]]:
    good, strangers = [], []
    for each in records:
        problem = sender.problem(each, paths.get(each.device))
        if problem:
            strangers.append(actions.stranger(each, reason=problem))
        else:
            good.append(each)
    return good, strangers
