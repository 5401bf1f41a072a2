"""The pages of the figures: what they come to, area by area, what they mean, and the cases or activities each is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_GET

from shouwang.activities.queries import kind_of, titles_of
from shouwang.activities.rules.states import STATES as ACTIVITY_STATES
from shouwang.indicators import queries
from shouwang.indicators.queries import RIGHT
from shouwang.indicators.rules.doings import ActivityLine
from shouwang.indicators.rules.figures import Definition, Figure, number, tile
from shouwang.indicators.rules.folding import Line
from shouwang.indicators.rules.practices import OF_ACTIVITIES, PublishedFigure
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.people.rules import Scope
from shouwang.places.queries import areas, full_name, full_names
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response

PUBLISHED = "indicators/published.html"
TODAY = (Text("今日", "Today"), 0)
PERIODS: Mapping[str, tuple[Text, int]] = {
    "week": (Text("近 7 日", "Last 7 days"), 6), "month": (Text("近 30 日", "Last 30 days"), 29),
}
STATES: Mapping[str, Text] = {
    "OPEN": Text("处置中", "Open"), "COMPLETED": Text("待销号", "To be checked"), "CLOSED": Text("已销号", "Closed"),
    "WITHDRAWN": Text("已撤回", "Withdrawn"),
}
_PERIOD = Filter("period", Text("时段", "Period"), [Choice(code, title) for code, (title, _) in PERIODS.items()], TODAY[0])


@dataclass(frozen=True)
class AreaLine:
    """One area and its figures."""

    area_id: int
    name: str
    figures: Sequence[Figure]


@dataclass(frozen=True)
class Asked:
    """What the address asks for: from when, in which area."""

    since: datetime
    period: Text
    query: str
    path: str = ""
    name: str = ""
    below: str = ""


@require_GET
@needs(RIGHT)
def figures(request: HttpRequest, area_id: int | None = None) -> HttpResponse:
    """Show every figure of the reader's areas, and each area below beside."""
    scope, asked = scope_of(request), _asked(request, area_id)
    root = asked.path or next(iter(scope.paths_for(RIGHT)), "/")
    depth = len([part for part in root.split("/") if part])
    whole = [
        *queries.figures(scope, since=asked.since, path=asked.path), *queries.activity_figures(scope, since=asked.since, path=asked.path),
    ]

    def fetch(query: ListQuery) -> tuple[Sequence[AreaLine], int]:
        found = _by_area(scope, asked, depth=depth)
        names = areas(found)
        lines = [AreaLine(area_id, names[area_id].name, each) for area_id, each in found.items() if area_id in names]
        lines.sort(key=lambda line: (-(line.figures[0].value.number or 0), line.name))
        return lines[query.offset : query.offset + query.limit], len(lines)

    return list_response(request, spec=_areas(asked), fetch=fetch, template="indicators/figures.html", context={
        "figures": [tile(figure, below=asked.below + asked.query) for figure in whole], "area": asked.name,
    })


def _by_area(scope: Scope, asked: Asked, *, depth: int) -> dict[int, list[Figure]]:
    """Return the figures of cases and activities of each area that has any."""
    cases = queries.figures_by_area(scope, since=asked.since, path=asked.path, depth=depth)
    doings = queries.activity_figures_by_area(scope, since=asked.since, path=asked.path, depth=depth)
    no_cases, no_doings = queries.nothing("CASE"), queries.nothing("ACTIVITY")
    return {area_id: [*cases.get(area_id, no_cases), *doings.get(area_id, no_doings)] for area_id in cases | doings}


@require_GET
@needs(RIGHT)
def behind(request: HttpRequest, code: str, area_id: int | None = None) -> HttpResponse:
    """Show the cases or activities that one figure is made of, and what it means."""
    scope, asked, definition = scope_of(request), _asked(request, area_id), queries.definition_of(code)
    if definition.subject == "ACTIVITY":
        return _activities_behind(request, asked, definition)
    lines = queries.rows_behind(scope, code, since=asked.since, path=asked.path)
    names = full_names({line.area_id for line in lines})

    def fetch(query: ListQuery) -> tuple[Sequence[Line], int]:
        return lines[query.offset : query.offset + query.limit], len(lines)

    return list_response(request, spec=_cases(definition.title, names), fetch=fetch, template="indicators/behind.html", context={
        "definition": definition, "period": asked.period, "area": asked.name,
    })


def _activities_behind(request: HttpRequest, asked: Asked, definition: Definition) -> HttpResponse:
    lines = queries.activities_behind(scope_of(request), definition.code, since=asked.since, path=asked.path)
    spec = _doings(definition.title, full_names({line.area_id for line in lines}), titles_of([line.activity_id for line in lines]))

    def fetch(query: ListQuery) -> tuple[Sequence[ActivityLine], int]:
        return lines[query.offset : query.offset + query.limit], len(lines)

    return list_response(request, spec=spec, fetch=fetch, template="indicators/behind.html", context={
        "definition": definition, "period": asked.period, "area": asked.name,
    })


@require_GET
@needs(RIGHT)
def published(request: HttpRequest, code: str) -> HttpResponse:
    """Show the cases or activities of all time that a published figure counts in the reader's areas; things have their own list."""
    figure = queries.published_figure(code)
    if figure.counted == "THINGS":
        return HttpResponseRedirect(f"/things/?kind={figure.kinds[0]}")
    return _held_behind(request, figure) if figure.counted in OF_ACTIVITIES else _handled_behind(request, figure)


def _handled_behind(request: HttpRequest, figure: PublishedFigure) -> HttpResponse:
    names: dict[int, str] = {}

    def fetch(query: ListQuery) -> tuple[Sequence[Line], int]:
        lines, total = queries.handled_behind(scope_of(request), figure, offset=query.offset, limit=query.limit)
        names.update(full_names({line.area_id for line in lines}))
        return lines, total

    spec = replace(_cases(figure.title, names), filters=())
    return list_response(request, spec=spec, fetch=fetch, template=PUBLISHED, context=_published(request, figure))


def _held_behind(request: HttpRequest, figure: PublishedFigure) -> HttpResponse:
    names: dict[int, str] = {}
    titles: dict[int, str] = {}

    def fetch(query: ListQuery) -> tuple[Sequence[ActivityLine], int]:
        lines, total = queries.held_behind(scope_of(request), figure, offset=query.offset, limit=query.limit)
        names.update(full_names({line.area_id for line in lines}))
        titles.update(titles_of([line.activity_id for line in lines]))
        return lines, total

    spec = replace(_doings(figure.title, names, titles), filters=())
    return list_response(request, spec=spec, fetch=fetch, template=PUBLISHED, context=_published(request, figure))


def _published(request: HttpRequest, figure: PublishedFigure) -> dict[str, object]:
    return {"figure": figure, "value": queries.published_value(scope_of(request), figure)}


def _asked(request: HttpRequest, area_id: int | None) -> Asked:
    """Return what is asked for; an area out of the reader's scope is as unknown as one that is not there."""
    chosen = request.GET.get("period", "")
    title, days = PERIODS.get(chosen, TODAY)
    since = local(clock().now()).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days)
    query = f"?period={chosen}" if chosen in PERIODS else ""
    if area_id is None:
        return Asked(since, title, query)
    area = areas([area_id]).get(area_id)
    if area is None or not scope_of(request).may(RIGHT, area.path):
        raise NotFound(what=f"区域 {area_id}")
    return Asked(since, title, query, area.path, full_name(area.id), f"areas/{area.id}/")


def _areas(asked: Asked) -> ListSpec[AreaLine]:
    return ListSpec(
        title=Text("指标", "Figures"),
        columns=(
            Column("area", Text("地区", "Area"), lambda line: line.name),
            *(
                Column(definition.code, definition.title, _nth(index), numeric=True)
                for index, definition in enumerate((*queries.definitions(), *queries.definitions("ACTIVITY")))
            ),
        ),
        filters=(_PERIOD,),
        link=lambda line: f"/figures/areas/{line.area_id}/{asked.query}",
    )


def _nth(index: int) -> Callable[[AreaLine], str]:
    def value(line: AreaLine) -> str:
        return number(line.figures[index].definition, line.figures[index].value)

    return value


def _cases(title: Text, names: Mapping[int, str]) -> ListSpec[Line]:
    return ListSpec(
        title=title,
        columns=(
            Column("case", Text("事件", "Case"), lambda line: line.case_id, numeric=True),
            Column("severity", Text("级别", "Severity"), lambda line: Severity(line.severity)),
            Column("place", Text("地点", "Place"), lambda line: names.get(line.area_id, "")),
            Column("state", Text("状态", "State"), lambda line: STATES[line.state]),
            Column("opened_at", Text("立案", "Opened"), lambda line: line.opened_at),
            Column("accepted_at", Text("签收", "Accepted"), lambda line: line.accepted_at),
            Column("completed_at", Text("办结", "Completed"), lambda line: line.completed_at),
            Column("late", Text("超时", "Overdue"), lambda line: Text("是", "yes") if line.late else Text("", "")),
        ),
        filters=(_PERIOD,),
        link=lambda line: f"/cases/{line.case_id}/",
    )


def _doings(title: Text, names: Mapping[int, str], titles: Mapping[int, str]) -> ListSpec[ActivityLine]:
    return ListSpec(
        title=title,
        columns=(
            Column("activity", Text("活动", "Activity"), lambda line: titles.get(line.activity_id, str(line.activity_id))),
            Column("kind", Text("类型", "Kind"), lambda line: kind_of(line.kind).title),
            Column("place", Text("地点", "Place"), lambda line: names.get(line.area_id, "")),
            Column("state", Text("状态", "State"), lambda line: ACTIVITY_STATES[line.state]),
            Column("started_at", Text("开始", "Began"), lambda line: line.started_at),
            Column("matters", Text("事项", "Matters"), lambda line: line.matters, numeric=True),
            Column("on_the_spot", Text("当场办结", "On the spot"), lambda line: line.on_the_spot, numeric=True),
            Column("people", Text("人次", "People"), lambda line: line.people, numeric=True),
        ),
        filters=(_PERIOD,),
        link=lambda line: f"/activities/{line.activity_id}/",
    )
