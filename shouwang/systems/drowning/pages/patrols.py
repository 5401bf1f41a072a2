"""Patrols: what is due now as large buttons for the phone, the list, and the calendar by water."""

from __future__ import annotations

from collections.abc import Sequence

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.systems.drowning.actions import patrols as actions
from shouwang.systems.drowning.actions.hazards import FIND
from shouwang.systems.drowning.pages.waters import frame_of
from shouwang.systems.drowning.queries import patrols as found
from shouwang.systems.drowning.queries.patrols import PatrolRow
from shouwang.systems.drowning.rules.patrols import STATES
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

READ = "case.read"
NOTED = Text("已登记：本次巡查正常。", "Noted: nothing was found.")
LIST: ListSpec[PatrolRow] = ListSpec(
    title=Text("水域巡查", "Patrols"),
    columns=(
        Column("water", Text("水域", "Water"), lambda row: row.water, sortable=True),
        Column("area", Text("地区", "Area"), lambda row: row.area),
        Column("first", Text("从", "From"), lambda row: row.first_day),
        Column("due", Text("到（含当日）", "Until (that day too)"), lambda row: row.last_day, sortable=True),
        Column("state", Text("状态", "State"), lambda row: STATES[row.state]),
        Column("done", Text("巡查时间", "Made"), lambda row: row.done_at),
        Column("hazard", Text("发现隐患", "Hazard found"), lambda row: row.hazard_id),
    ),
    filters=(Filter("state", Text("状态", "State"), [Choice(code, text) for code, text in STATES.items()]),),
    sort="due",
    link=lambda row: f"/waters/{row.water_id}/",
    searched=Text("水域名称", "Name of the water"),
)


@never_cache
@require_GET
@needs(READ)
def patrols(request: HttpRequest) -> HttpResponse:
    """Show what is due now, then the list of patrols in the reader's scope."""
    scope, now = scope_of(request), clock().now()

    def fetch(query: ListQuery) -> tuple[Sequence[PatrolRow], int]:
        return found.list_patrols(
            scope, now=now, text=query.text, state=query.chosen.get("state", ""), sort=query.sort, offset=query.offset, limit=query.limit,
        )

    due = [(row, STATES[row.state]) for row in found.due_patrols(scope, now=now)]
    return list_response(request, spec=LIST, fetch=fetch, template="drowning/patrols.html", context={"due": due, **frame_of(scope)})


@never_cache
@require_GET
@needs(READ)
def calendar(request: HttpRequest) -> HttpResponse:
    """Show how each water's patrols stand, week by week."""
    scope, now = scope_of(request), clock().now()
    lines = [(each, [(week, STATES.get(state), state) for week, state in zip(found.weeks_of(now), each.weeks, strict=True)]) for each in found.calendar(scope, now=now)]
    return render(request, "drowning/patrol_calendar.html", {"weeks": found.weeks_of(now), "lines": lines, **frame_of(scope)})


@require_POST
@needs(*FIND)
def do(request: HttpRequest, patrol_id: int) -> HttpResponse:
    """Note that a patrol was made and nothing found."""
    language = reader(request).language
    try:
        actions.do_patrol(scope_of(request), patrol_id, note=request.POST.get("note", ""), now=clock().now())
    except ShouwangError as error:
        if error.status in {403, 404}:
            raise
        messages.error(request, error.text(language))
    else:
        messages.success(request, NOTED.render(language, {}))
    return HttpResponseRedirect(reverse("drowning:patrols"))
