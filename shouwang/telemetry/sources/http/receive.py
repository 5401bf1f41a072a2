"""From the bytes of a request to its answer, without Django's request: the core that the page, the benches and tests call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec
from django.db import OperationalError, transaction

from shouwang.kernel.errors import ShouwangError, StorageAway
from shouwang.people.rules import Scope
from shouwang.telemetry import actions, queries
from shouwang.telemetry.rules import IngestResult
from shouwang.telemetry.sources.http.decode import Decoded, decode, place, restored
from shouwang.ui.answers import BodyTooLarge, Failure, TokenInvalid, problem_of
from shouwang.ui.outage import outage_of

MAX_BODY_BYTES = 4 * 1024 * 1024
RIGHT = "telemetry.write"
SOURCE = "http"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Response:
    """The status and JSON body of an answer."""

    status: int
    body: Mapping[str, object]


class ReadingsTaken(msgspec.Struct, frozen=True):
    """What became of the readings of one request; those from the future are among the accepted."""

    accepted: int
    duplicates: int
    quarantined: int
    future: int


def receive(body: bytes, scope: Scope | None, *, now: datetime) -> Response:
    """Store the readings of one request and return the answer; 200 is returned only after they are committed.

    `scope` is what the token allows, None when it is not valid.
    """
    try:
        return Response(200, msgspec.to_builtins(take(body, scope, now=now)))
    except ShouwangError as error:
        return Response(error.status, msgspec.to_builtins(Failure(problem_of(error))))


def take(body: bytes, scope: Scope | None, *, now: datetime) -> ReadingsTaken:
    """Store the readings of one request. Raises TokenInvalid, Refused, BodyTooLarge, BodyInvalid, StorageFull, StorageAway."""
    if scope is None:
        raise TokenInvalid
    scope.require(RIGHT)
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge(found=f"{len(body)} B", most=f"{MAX_BODY_BYTES} B")
    decoded = _placed(body, scope)
    try:
        result = actions.ingest(decoded.columns, now=now, source=SOURCE, quarantined=decoded.quarantined)
    except OperationalError as error:
        _log.error("readings were not stored: %s", error.__cause__ or error)  # a full disk fails every request: a line says it
        raise outage_of(error) or StorageAway from error
    return ReadingsTaken(result.accepted, result.duplicates, decoded.quarantined_rows, result.future)


def _placed(body: bytes, scope: Scope) -> Decoded:
    readings = decode(body)
    own = _own_device(scope)
    decoded = place(readings, own_device=own, streams=_streams(queries.catalogue(), scope, own))
    if decoded.quarantined:
        decoded = place(readings, own_device=own, streams=_streams(queries.newer_catalogue(), scope, own))
    return decoded


def _own_device(scope: Scope) -> str | None:
    return scope.subject if scope.kind == "DEVICE" else None


def _streams(known: queries.Catalogue, scope: Scope, own: str | None) -> Mapping[str, Mapping[str, int]]:
    return known.by_device if own is not None else known.visible(scope)


def release(quarantine_id: int, *, raw: str, device: str, now: datetime) -> IngestResult | None:
    """Store readings from quarantine, now that their device is known; None while they still cannot be placed."""
    readings = restored(raw)
    named = device or None
    decoded = place(readings, own_device=named, streams=queries.newer_catalogue().by_device)
    if decoded.quarantined:
        return None
    with transaction.atomic():
        if not actions.mark_released(quarantine_id, now=now):
            return None
        return actions.ingest(decoded.columns, now=now, source=SOURCE)
