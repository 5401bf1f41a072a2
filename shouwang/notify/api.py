"""What gateways call: an SMS gateway's delivery reports and replies, by token; a voice gateway's calls, signed."""

from __future__ import annotations

import hmac
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.security import APIKeyHeader, HttpBearer

from shouwang.journal.clock import clock
from shouwang.notify import actions, queries
from shouwang.notify.channels.sms import outcome_of
from shouwang.notify.channels.voice import outcome_of as outcome_of_call
from shouwang.notify.rules.signatures import is_signed
from shouwang.ui.answers import KEPT_OR_NOT, BodyTooLarge, T, answer, body_of, described, described_field, read_body

SMS = "sms"
VOICE = "voice"
MAX_BODY_BYTES = 512 * 1024
MAX_ROWS = 1_000
FAILS = (401, 413, 422, *KEPT_OR_NOT)
OutId = Annotated[str, described_field("发送时给出的消息编号", "The number the message was sent with")]
router = Router(tags=["notify"])


class GatewayToken(HttpBearer):
    """The callback token of the SMS channel's settings."""

    def authenticate(self, request: HttpRequest, token: str) -> bool:
        """Return whether the token is the one that is set."""
        del request
        setting = queries.settings().get(SMS)
        expected = str(setting.settings.get("callback_token", "")) if setting and setting.enabled else ""
        return bool(expected) and hmac.compare_digest(expected.encode(), token.encode())


@dataclass(frozen=True)
class SignedBody:
    """The bytes of a request whose signature is good: they can be read only once."""

    body: bytes


class GatewaySignature(APIKeyHeader):
    """A signature by the secret of the voice channel's settings: webhook-id, webhook-timestamp and webhook-signature."""

    param_name = "webhook-signature"

    def authenticate(self, request: HttpRequest, key: str | None) -> SignedBody | None:
        """Return the body if it is signed, within five minutes of now. Raises BodyTooLarge."""
        setting = queries.settings().get(VOICE)
        secret = str(setting.settings.get("callback_secret", "")) if setting and setting.enabled else ""
        headers = {name.lower(): value for name, value in request.headers.items()}
        body = body_of(request, most=MAX_BODY_BYTES) if secret and key else b""
        return SignedBody(body) if is_signed(body, headers, secret, at_s=time.time()) else None


class Report(msgspec.Struct):
    """What became of one message."""

    out_id: OutId
    status: Annotated[str, described_field("DELIVERED、ACCEPTED 或 FAILED", "DELIVERED, ACCEPTED or FAILED")]
    err_code: Annotated[str, described_field("失败原因代码", "The code of why it failed")] = "FAILED"


class Reply(msgspec.Struct):
    """What a person answered to one message."""

    out_id: OutId
    text: Annotated[str, described_field("回复内容；1 表示签收，询问平安的短信按其列出的数字；文字不保存", "The words; 1 accepts, or a number the message asked for; the words are not kept")]


class Call(msgspec.Struct):
    """How one call stands, or which key was pressed in it."""

    out_id: OutId
    event: Annotated[
        str, described_field("ACCEPTED、ANSWERED、UNANSWERED、BUSY 或 FAILED", "ACCEPTED, ANSWERED, UNANSWERED, BUSY or FAILED"),
    ]
    key: Annotated[str, described_field("接听后按下的键，可带数字（如 23）；1 表示签收，询问平安的电话按其列出的键", "The keys pressed in an answered call, such as 23; 1 accepts, or a key the call asked for")] = ""
    err_code: Annotated[str, described_field("失败原因代码", "The code of why it failed")] = "FAILED"


class Counted(msgspec.Struct):
    """How many rows changed something, and how many did not."""

    taken: int
    ignored: int


_reports = msgspec.json.Decoder(list[Report])
_replies = msgspec.json.Decoder(list[Reply])
_calls = msgspec.json.Decoder(list[Call])


@router.post(
    "/sms/reports", auth=GatewayToken(), url_name="sms_reports", summary="Report deliveries",
    openapi_extra=described(
        zh="短信送达回执", zh_about="一次最多 1000 条；已知的回执不再计。", takes=list[Report], gives=Counted, example=[{"out_id": "a1", "status": "DELIVERED"}], failures=FAILS,
    ),
)
def sms_reports(request: HttpRequest) -> HttpResponse:
    """Takes at most 1,000 delivery reports; one that is known already is ignored."""
    rows, now = _rows(body_of(request, most=MAX_BODY_BYTES), _reports), clock().now()
    return _counted(actions.report_delivery(SMS, row.out_id, outcome_of(row.status, row.err_code), now=now) for row in rows)


@router.post(
    "/sms/replies", auth=GatewayToken(), url_name="sms_replies", summary="Pass replies on",
    openapi_extra=described(
        zh="短信回复", zh_about="一次最多 1000 条；回复 1 表示签收。", takes=list[Reply], gives=Counted, example=[{"out_id": "a1", "text": "1"}], failures=FAILS,
    ),
)
def sms_replies(request: HttpRequest) -> HttpResponse:
    """Takes at most 1,000 replies; "1" means that the person accepts, unless the message asked for something else."""
    rows, now = _rows(body_of(request, most=MAX_BODY_BYTES), _replies), clock().now()
    return _counted(actions.take_reply(SMS, row.out_id, said=row.text, now=now) for row in rows)


@router.post(
    "/voice/events", auth=GatewaySignature(), url_name="voice_events", summary="Report calls",
    openapi_extra=described(
        zh="电话结果与按键", zh_about="一次最多 1000 条；接听后按 1 表示签收。", takes=list[Call], gives=Counted,
        example=[{"out_id": "a1", "event": "ANSWERED", "key": "1"}], failures=FAILS,
    ),
)
def voice_events(request: HttpRequest) -> HttpResponse:
    """Takes at most 1,000 calls; "1" pressed in an answered one means that the person accepts, unless the call asked for something else."""
    signed: SignedBody = request.auth  # type: ignore[attr-defined] # set by ninja
    rows, now = _rows(signed.body, _calls), clock().now()
    return _counted(_take_call(row, now) for row in rows)


def _take_call(row: Call, now: datetime) -> bool:
    changed = actions.report_delivery(VOICE, row.out_id, outcome_of_call(row.event, row.err_code), now=now)
    if row.event != "ANSWERED" or not row.key:
        return changed
    return actions.take_reply(VOICE, row.out_id, said=row.key, now=now) or changed


def _rows(body: bytes, decoder: msgspec.json.Decoder[list[T]]) -> list[T]:
    """Return the rows of a body. Raises BodyTooLarge, BodyInvalid."""
    rows = read_body(decoder, body, expected="[{…}, …]")
    if len(rows) > MAX_ROWS:
        raise BodyTooLarge(found=f"{len(rows)} rows", most=f"{MAX_ROWS} rows")
    return rows


def _counted(changes: Iterable[bool]) -> HttpResponse:
    changed = list(changes)
    return answer(Counted(sum(changed), len(changed) - sum(changed)))
