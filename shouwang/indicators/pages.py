"""The pages of the figures: what they come to, area by area, what they mean, and the cases each is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from shouwang.indicators import queries
from shouwang.indicators.queries import RIGHT
from shouwang.indicators.rules.figures import Definition, Figure, number, tile
from shouwang.indicators.rules.folding import Line
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.places.queries import areas, full_name, full_names
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response

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
    whole = queries.figures(scope, since=asked.since, path=asked.path)

    def fetch(query: ListQuery) -> tuple[Sequence[AreaLine], int]:
        found = queries.figures_by_area(scope, since=asked.since, path=asked.path, depth=depth)
        names = areas(found)
        lines = [AreaLine(area_id, names[area_id].name, each) for area_id, each in found.items() if area_id in names]
        lines.sort(key=lambda line: (-(line.figures[0].value.number or 0), line.name))
        return lines[query.offset : query.offset + query.limit], len(lines)

    return list_response(request, spec=_areas(asked), fetch=fetch, template="indicators/figures.html", context={
        "figures": [tile(figure, below=asked.below + asked.query) for figure in whole], "area": asked.name,
    })


@require_GET
@needs(RIGHT)
def behind(request: HttpRequest, code: str, area_id: int | None = None) -> HttpResponse:
    """Show the cases that one figure is made of, and what it means."""
    scope, asked, definition = scope_of(request), _asked(request, area_id), queries.definition_of(code)
    lines = queries.rows_behind(scope, code, since=asked.since, path=asked.path)
    names = full_names({line.area_id for line in lines})

    def fetch(query: ListQuery) -> tuple[Sequence[Line], int]:
        return lines[query.offset : query.offset + query.limit], len(lines)

    return list_response(request, spec=_cases(definition, names), fetch=fetch, template="indicators/behind.html", context={
        "definition": definition, "period": asked.period, "area": asked.name,
    })


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
                for index, definition in enumerate(queries.definitions())
            ),
        ),
        filters=(_PERIOD,),
        link=lambda line: f"/figures/areas/{line.area_id}/{asked.query}",
    )


def _nth(index: int) -> Callable[[AreaLine], str]:
    def value(line: AreaLine) -> str:
        return number(line.figures[index].definition, line.figures[index].value)

    return value


def _cases(definition: Definition, names: Mapping[int, str]) -> ListSpec[Line]:
    return ListSpec(
        title=definition.title,
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
