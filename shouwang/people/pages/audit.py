"""The page of the access log."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouwang.kernel.texts import Text
from shouwang.people import queries
from shouwang.people.guard import needs, scope_of
from shouwang.people.pages.forms import ACCESS_CHOICES
from shouwang.people.queries.access import AccessView
from shouwang.ui.lists import Column, Filter, ListQuery, ListSpec, list_response

LIST: ListSpec[AccessView] = ListSpec(
    title=Text("访问日志", "Access log"),
    columns=(
        Column("at", Text("时间", "Time"), lambda row: row.at),
        Column("actor", Text("人员", "Who"), lambda row: row.actor),
        Column("action", Text("动作", "What"), lambda row: row.action),
        Column("object", Text("对象", "Of"), lambda row: row.object),
        Column("reason", Text("事由", "Reason"), lambda row: row.reason),
    ),
    filters=(Filter("action", Text("动作", "What"), ACCESS_CHOICES),),
)


@never_cache
@require_GET
@needs("audit.read")
def access_log(request: HttpRequest) -> HttpResponse:
    """Show who saw, exported or entered what, newest first."""
    scope = scope_of(request)

    def fetch(query: ListQuery) -> tuple[Sequence[AccessView], int]:
        return queries.access_log(scope, action=query.chosen.get("action", ""), offset=query.offset, limit=query.limit)

    return list_response(request, spec=LIST, fetch=fetch, template="people/access_log.html")
