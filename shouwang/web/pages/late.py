"""What reviews of late readings found: the list of it, in the reader's area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from shouwang.alerts.registry import kinds
from shouwang.kernel.texts import Text
from shouwang.notify.rules import phrase
from shouwang.people.guard import needs, scope_of
from shouwang.people.rules import Scope
from shouwang.telemetry.queries import catalogue, datastreams
from shouwang.ui.lists import Column, ListQuery, ListSpec, list_response
from shouwang.watch.queries import ReviewRow, review_findings
from shouwang.web.pages.desk import language_of


@dataclass(frozen=True)
class LateFinding:
    """One finding of a review as the list shows it."""

    meter: str
    kind: Text
    at: datetime
    reason: str
    told: Text
    reviewed_at: datetime


TOLD = Text("已派人处置", "Somebody was sent")
OVER = Text("已过去，仅记录", "Over by now: on record only")
ENDED = Text("已告知：信号结束", "Told: the signal was over")
LIST: ListSpec[LateFinding] = ListSpec(
    title=Text("迟到读数复核", "Review of late readings"),
    columns=(
        Column("meter", Text("水表", "Meter"), lambda row: row.meter),
        Column("kind", Text("异常", "Finding"), lambda row: row.kind),
        Column("at", Text("发生时间", "True since"), lambda row: row.at),
        Column("reason", Text("原因", "Reason"), lambda row: row.reason),
        Column("told", Text("处理", "What followed"), lambda row: row.told),
        Column("reviewed_at", Text("复核时间", "Reviewed"), lambda row: row.reviewed_at),
    ),
)


@require_GET
@needs("telemetry.import", "case.dispatch")
def late(request: HttpRequest) -> HttpResponse:
    """List what was found in readings that came after their time was judged, newest first."""
    scope, language = scope_of(request), language_of(request)

    def fetch(query: ListQuery) -> tuple[Sequence[LateFinding], int]:
        rows, total = review_findings(_streams(scope), offset=query.offset, limit=query.limit)
        meters = datastreams([row.stream for row in rows])
        return [_shown(row, meters[row.stream].external_id if row.stream in meters else "", language) for row in rows], total

    return list_response(request, spec=LIST, fetch=fetch, template="web/late.html")


def _streams(scope: Scope) -> list[int] | None:
    """Return the datastreams in the reader's area, None where that is all of them."""
    known = catalogue()
    visible = known.visible(scope)
    return None if len(visible) == len(known.by_device) else [stream for streams in visible.values() for stream in streams.values()]


def _shown(row: ReviewRow, meter: str, language: str) -> LateFinding:
    kind = kinds().get(row.kind)
    title = Text(kind.title_zh, kind.title_en) if kind else Text(row.kind, row.kind)
    followed = OVER if not row.told else ENDED if row.phase == "END" else TOLD
    reason = "" if row.phase == "END" else str(phrase(row.reason, language, row.params))
    return LateFinding(meter, title, row.at, reason, followed, row.reviewed_at)
