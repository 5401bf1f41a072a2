"""What the desk sees of requests: the list with its filters and exports, one request, a contact for a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text
from shouwang.people.actions import note_access, reveal
from shouwang.people.guard import needs, scope_of
from shouwang.requests import queries
from shouwang.requests.pages.field import frame_of
from shouwang.requests.pages.forms import TITLES
from shouwang.requests.queries import Filters, RequestRow
from shouwang.requests.rules.intake import CHANNELS
from shouwang.requests.rules.progress import ANSWERS
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

READ = "case.read"
CASE_STATES = {
    "OPEN": Text("办理中", "Being handled"), "COMPLETED": Text("待反映人确认", "Waiting for the reporter"),
    "CLOSED": Text("已结束", "Closed"), "WITHDRAWN": Text("已撤回", "Withdrawn"),
}
WHEN = {"today": Text("今日", "Today"), "overdue": Text("已超承诺时限", "Past the promise")}
LIST: ListSpec[RequestRow] = ListSpec(
    title=Text("群众诉求", "Requests"),
    columns=(
        Column("number", Text("编号", "Number"), lambda row: row.number, sortable=True),
        Column("service", Text("类别", "Kind"), lambda row: row.service),
        Column("description", Text("什么事", "What"), lambda row: row.description),
        Column("area", Text("地区", "Area"), lambda row: row.area),
        Column("address", Text("具体位置", "Where"), lambda row: row.address),
        Column("channel", Text("来源", "Channel"), lambda row: row.channel),
        Column("state", Text("状态", "State"), lambda row: row.state),
        Column("requested_at", Text("反映时间", "Told"), lambda row: row.requested_at, sortable=True),
        Column("due_at", Text("承诺时限", "Promised"), lambda row: row.due_at, sortable=True),
        Column("reporters", Text("反映人数", "Reporters"), lambda row: row.reporters, numeric=True),
    ),
    filters=(
        Filter("state", Text("状态", "State"), [Choice(code, title) for code, title in CASE_STATES.items()]),
        Filter("service", Text("类别", "Kind"), [Choice(code, title) for code, title in TITLES.items()]),
        Filter("channel", Text("来源", "Channel"), [Choice(code, title) for code, title in CHANNELS.items()]),
        Filter("answer", Text("答复", "Answer"), [Choice(code, ANSWERS[code]) for code in ("SOLVED", "NO_ANSWER")]),
        Filter("when", Text("时间", "When"), [Choice(code, title) for code, title in WHEN.items()]),
    ),
    sort="-requested_at",
    link=lambda row: f"/requests/{row.id}/",
    searched=Text("编号、内容、地点、拼音首字母或完整电话", "Number, words, place, pinyin initials or whole phone"),
)


@never_cache
@require_GET
@needs(READ)
def requests(request: HttpRequest) -> HttpResponse:
    """List the requests in the reader's scope, with the filters in the address; an export is written into the access log."""
    scope, now = scope_of(request), clock().now()

    def fetch(query: ListQuery) -> tuple[Sequence[RequestRow], int]:
        return queries.list_requests(scope, filters_of(query, now), sort=query.sort, offset=query.offset, limit=query.limit)

    if request.GET.get("format") in {"xlsx", "print"}:
        note_access(scope, action="EXPORT", object=("request", None), now=now)
    context = {**frame_of(scope), "may_take": "case.dispatch" in scope.rights, "may_report": "case.handle" in scope.rights}
    return list_response(request, spec=LIST, fetch=fetch, template="requests/list.html", context=context)


def filters_of(query: ListQuery, now: datetime) -> Filters:
    """Return what the address narrows the list to."""
    when = query.chosen.get("when", "")
    midnight = local(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return Filters(
        text=query.text, state=query.chosen.get("state", ""), service=query.chosen.get("service", ""),
        channel=query.chosen.get("channel", ""), answer=query.chosen.get("answer", ""), overdue_at=now if when == "overdue" else None,
        said_from=midnight if when == "today" else None,
    )


@never_cache
@require_GET
@needs(READ)
def one(request: HttpRequest, request_id: int) -> HttpResponse:
    """Show one request: what was told by whom, masked; its photos, its case, and what may be the same."""
    return _page(request, request_id)


@never_cache
@require_POST
@needs("people.reveal")
def show_contact(request: HttpRequest, request_id: int, report_id: int) -> HttpResponse:
    """Write the reason down, then show one reporter's name and phone, this once."""
    scope, language = scope_of(request), reader(request).language
    page = queries.request_page(scope, request_id, language=language)
    person_id = next((card.person_id for card in page.reports if card.id == report_id), None)
    if person_id is None:
        raise NotFound(what=f"反映 {report_id}")
    try:
        shown = reveal(scope, person_id, reason=request.POST.get("reason", ""), now=clock().now())
    except ShouwangError as error:
        return _page(request, request_id, problem=error.text(language), status=error.status)
    return _page(request, request_id, shown={report_id: shown})


def _page(
    request: HttpRequest, request_id: int, *, shown: dict[int, object] | None = None, problem: str = "", status: int = 200,
) -> HttpResponse:
    scope, language, now = scope_of(request), reader(request).language, clock().now()
    page = queries.request_page(scope, request_id, language=language)
    row = page.row
    doubles = queries.nearby(
        scope, READ, service=row.service_code, area_id=row.area_id, lon=row.lon, lat=row.lat, address=row.address, but=row.id, now=now,
    )
    context = {
        **frame_of(scope), "page": page, "row": row, "doubles": doubles, "problem": problem,
        "reports": [(card, (shown or {}).get(card.id)) for card in page.reports], "may_reveal": scope.may("people.reveal", row.path),
        "may_open": scope.may("case.dispatch", row.path),
    }
    return render(request, "requests/one.html", context, status=status)
