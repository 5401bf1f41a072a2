"""What an SMS gateway calls: delivery reports, and replies. Both need the channel's callback token."""

from __future__ import annotations

import hmac
from typing import TypeVar

import msgspec
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shouwang.journal.clock import clock
from shouwang.notify import actions, queries
from shouwang.notify.channels.sms import outcome_of

SMS = "sms"
ACCEPTS = "1"
MAX_BODY_BYTES = 512 * 1024
MAX_ROWS = 1_000
S = TypeVar("S", bound=msgspec.Struct)


class Report(msgspec.Struct):
    """What became of one message: DELIVERED, ACCEPTED or FAILED."""

    out_id: str
    status: str
    err_code: str = "FAILED"


class Reply(msgspec.Struct):
    """What a person answered to one message."""

    out_id: str
    text: str


@csrf_exempt
@require_POST
def sms_reports(request: HttpRequest) -> JsonResponse:
    """Take delivery reports: a JSON list of {out_id, status, err_code}; answers how many changed something."""
    rows = _rows(request, Report)
    if isinstance(rows, JsonResponse):
        return rows
    now = clock().now()
    taken = sum(actions.report_delivery(SMS, row.out_id, outcome_of(row.status, row.err_code), now=now) for row in rows)
    return JsonResponse({"taken": taken, "ignored": len(rows) - taken})


@csrf_exempt
@require_POST
def sms_replies(request: HttpRequest) -> JsonResponse:
    """Take replies: a JSON list of {out_id, text}; "1" means that the person accepts. The words are not kept."""
    rows = _rows(request, Reply)
    if isinstance(rows, JsonResponse):
        return rows
    now = clock().now()
    taken = sum(actions.take_reply(SMS, row.out_id, accepts=row.text.strip() == ACCEPTS, now=now) for row in rows)
    return JsonResponse({"taken": taken, "ignored": len(rows) - taken})


def _rows(request: HttpRequest, shape: type[S]) -> list[S] | JsonResponse:
    """Return the rows of the body, or the answer that says what is wrong with the request."""
    if not _has_token(request):
        return _error(401, "WrongToken", zh="令牌无效。", en="The token is not valid.")
    if int(request.headers.get("Content-Length") or 0) > MAX_BODY_BYTES:
        return _error(413, "BodyTooLarge", zh="请求过大；请分批发送。", en="The body is too large; send smaller batches.")
    try:
        rows = msgspec.json.decode(request.body, type=list[shape])  # type: ignore[valid-type] # a type made at run time
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _error(422, "BadBody", zh=f"无法读取：{error}", en=f"This cannot be read: {error}")
    if len(rows) > MAX_ROWS:
        return _error(413, "TooManyRows", zh=f"一次最多 {MAX_ROWS} 条。", en=f"At most {MAX_ROWS} rows are taken at once.")
    return rows


def _has_token(request: HttpRequest) -> bool:
    setting = queries.settings().get(SMS)
    expected = str(setting.settings.get("callback_token", "")) if setting and setting.enabled else ""
    given = request.headers.get("Authorization", "").removeprefix("Bearer ")
    return bool(expected) and hmac.compare_digest(expected.encode(), given.encode())


def _error(status: int, code: str, *, zh: str, en: str) -> JsonResponse:
    return JsonResponse({"error": {"code": code, "message": en, "message_zh": zh}}, status=status)
