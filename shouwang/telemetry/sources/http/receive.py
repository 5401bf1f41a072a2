"""From the bytes of a request to its answer, without Django's request: the core that the page, the benches and tests call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import msgspec

from shouwang.kernel.errors import ShouwangError
from shouwang.people.rules import Scope
from shouwang.telemetry.receiving import RIGHT, Message, ReadingsTaken, store
from shouwang.telemetry.rules import Unmapped, unmapped
from shouwang.telemetry.sources import decoder_of, sources_found
from shouwang.ui.answers import BodyTooLarge, Failure, TokenInvalid, problem_of

MAX_BODY_BYTES = 4 * 1024 * 1024
SOURCE = "http"


@dataclass(frozen=True)
class Response:
    """The status and JSON body of an answer."""

    status: int
    body: Mapping[str, object]


def receive(body: bytes, scope: Scope | None, *, now: datetime) -> Response:
    """Store the readings of one request and return the answer; 200 is returned only after they are committed.

    `scope` is what the token allows, None when it is not valid.
    """
    try:
        return Response(200, msgspec.to_builtins(take(body, scope, now=now)))
    except ShouwangError as error:
        return Response(error.status, msgspec.to_builtins(Failure(problem_of(error))))


def take(body: bytes, scope: Scope | None, *, now: datetime, source: str = SOURCE) -> ReadingsTaken:
    """Store the readings of one request, in the shape of `source`.

    A platform's message of which nothing is known is kept in quarantine and acknowledged: the platform would stop pushing.
    Raises TokenInvalid, Refused, BodyTooLarge, BodyInvalid, StorageFull, StorageAway, and NotFound for a source that is not pushed.
    """
    if scope is None:
        raise TokenInvalid
    scope.require(RIGHT)
    decode = decoder_of(source)
    most = sources_found()[source].limits["body_bytes"]
    if len(body) > most:
        raise BodyTooLarge(found=f"{len(body)} B", most=f"{most} B")
    try:
        readings = decode(body)
    except Unmapped as error:
        return store([], now=now, source=source, quarantined=[unmapped(error, body)])
    return store([Message(readings, scope)], now=now, source=source)
