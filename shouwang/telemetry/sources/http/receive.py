"""From the bytes of a request to its answer, without Django's request: the core that the page, the benches and tests call."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import OperationalError, transaction

from shouwang.people.rules import Scope
from shouwang.telemetry import actions, queries
from shouwang.telemetry.rules import IngestResult
from shouwang.telemetry.sources.http.decode import BadBody, Decoded, decode, place, restored

MAX_BODY_BYTES = 4 * 1024 * 1024
RIGHT = "telemetry.write"
SOURCE = "http"
_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Response:
    """The status and JSON body of an answer."""

    status: int
    body: Mapping[str, object]

    @classmethod
    def error(cls, status: int, code: str, *, zh: str, en: str, field: str | None = None) -> Response:
        """Return an error in both languages, naming the field where there is one."""
        said: dict[str, object] = {"code": code, "message": en, "message_zh": zh}
        if field is not None:
            said["field"] = field
        return cls(status, {"error": said})


def receive(body: bytes, scope: Scope | None, *, now: datetime) -> Response:
    """Store the readings of one request and return the answer; 200 is returned only after they are committed.

    `scope` is what the token allows, None when it is not valid.
    """
    if scope is None:
        return Response.error(401, "WrongToken", zh="令牌无效或已过期；请在设备页重新签发。", en="The token is not valid or has expired; issue a new one on the device's page.")
    if RIGHT not in scope.rights:
        return Response.error(403, "Refused", zh=f"这个令牌没有“{RIGHT}”权限。", en=f"This token lacks the right {RIGHT}.")
    if len(body) > MAX_BODY_BYTES:
        return too_large(len(body))
    try:
        decoded = _placed(body, scope)
        result = actions.ingest(decoded.columns, now=now, source=SOURCE, quarantined=decoded.quarantined)
    except BadBody as bad:
        return _unreadable(bad)
    except OperationalError:
        _log.exception("readings were not stored")
        return Response.error(503, "NotStored", zh="数据库暂时无法写入，读数没有保存；请稍后重发。", en="The database cannot be written now and nothing was stored; send again shortly.")
    return Response(200, _counts(result, decoded))


def too_large(size: int) -> Response:
    """Return the answer to a body over the limit."""
    return Response.error(
        413, "BodyTooLarge", zh=f"请求为 {size} 字节，上限 {MAX_BODY_BYTES} 字节；请分批发送。",
        en=f"The body has {size} bytes, at most {MAX_BODY_BYTES} are taken; send smaller batches.",
    )


def _unreadable(bad: BadBody) -> Response:
    where = bad.field or "body"
    return Response.error(
        422, "BadBody", zh=f'字段 {where} 无法读取：{bad.detail}；应为 {{"readings": [{{"datastream", "phenomenon_time", "result"}}]}}。',
        en=f'{where} cannot be read: {bad.detail}; expected {{"readings": [{{"datastream", "phenomenon_time", "result"}}]}}.', field=where,
    )


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


def _counts(result: IngestResult, decoded: Decoded) -> dict[str, object]:
    return {
        "accepted": result.accepted, "duplicates": result.duplicates, "quarantined": decoded.quarantined_rows, "future": result.future,
    }


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
