"""What an SMS gateway calls: delivery reports, and replies. Both need the channel's callback token."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from typing import Annotated

import msgspec
from django.http import HttpRequest, HttpResponse
from ninja import Router
from ninja.security import HttpBearer

from shouwang.journal.clock import clock
from shouwang.notify import actions, queries
from shouwang.notify.channels.sms import outcome_of
from shouwang.ui.answers import KEPT_OR_NOT, BodyTooLarge, T, answer, body_of, described, described_field, read_body

SMS = "sms"
ACCEPTS = "1"
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


class Report(msgspec.Struct):
    """What became of one message."""

    out_id: OutId
    status: Annotated[str, described_field("DELIVERED、ACCEPTED 或 FAILED", "DELIVERED, ACCEPTED or FAILED")]
    err_code: Annotated[str, described_field("失败原因代码", "The code of why it failed")] = "FAILED"


class Reply(msgspec.Struct):
    """What a person answered to one message."""

    out_id: OutId
    text: Annotated[str, described_field("回复内容；1 表示签收，文字不保存", "The words; 1 accepts, the words are not kept")]


class Counted(msgspec.Struct):
    """How many rows changed something, and how many did not."""

    taken: int
    ignored: int


_reports = msgspec.json.Decoder(list[Report])
_replies = msgspec.json.Decoder(list[Reply])


@router.post(
    "/sms/reports", auth=GatewayToken(), url_name="sms_reports", summary="Report deliveries",
    openapi_extra=described(
        zh="短信送达回执", zh_about="一次最多 1000 条；已知的回执不再计。", takes=list[Report], gives=Counted, example=[{"out_id": "a1", "status": "DELIVERED"}], failures=FAILS,
    ),
)
def sms_reports(request: HttpRequest) -> HttpResponse:
    """Takes at most 1,000 delivery reports; one that is known already is ignored."""
    rows, now = _rows(request, _reports), clock().now()
    return _counted(actions.report_delivery(SMS, row.out_id, outcome_of(row.status, row.err_code), now=now) for row in rows)


@router.post(
    "/sms/replies", auth=GatewayToken(), url_name="sms_replies", summary="Pass replies on",
    openapi_extra=described(
        zh="短信回复", zh_about="一次最多 1000 条；回复 1 表示签收。", takes=list[Reply], gives=Counted, example=[{"out_id": "a1", "text": "1"}], failures=FAILS,
    ),
)
def sms_replies(request: HttpRequest) -> HttpResponse:
    """Takes at most 1,000 replies; "1" means that the person accepts."""
    rows, now = _rows(request, _replies), clock().now()
    return _counted(actions.take_reply(SMS, row.out_id, accepts=row.text.strip() == ACCEPTS, now=now) for row in rows)


def _rows(request: HttpRequest, decoder: msgspec.json.Decoder[list[T]]) -> list[T]:
    """Return the rows of the body. Raises BodyTooLarge, BodyInvalid."""
    rows = read_body(decoder, body_of(request, most=MAX_BODY_BYTES), expected="[{…}, …]")
    if len(rows) > MAX_ROWS:
        raise BodyTooLarge(found=f"{len(rows)} rows", most=f"{MAX_ROWS} rows")
    return rows


def _counted(changes: Iterable[bool]) -> HttpResponse:
    changed = list(changes)
    return answer(Counted(sum(changed), len(changed) - sum(changed)))
