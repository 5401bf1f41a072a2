"""Reads of the figures: their definitions, what they come to for a scope, and the rows behind them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import fields
from datetime import datetime, timedelta
from functools import cache
from importlib.resources import files

from django.db.models import Q, QuerySet, Sum
from django.db.models.functions import Coalesce

from shouwang.indicators.models import ActivityRow, CaseLine
from shouwang.indicators.rules import figures as rules
from shouwang.indicators.rules import practices as published
from shouwang.indicators.rules.doings import HELD_STATES, ActivityLine
from shouwang.indicators.rules.figures import Definition, Figure, Subject
from shouwang.indicators.rules.folding import CLOSED, COMPLETED, OPEN, Counted, Line
from shouwang.indicators.rules.practices import Practices, PublishedFigure
from shouwang.journal.prepared import Prepared
from shouwang.journal.sql import run
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import to_us
from shouwang.people.rules import Scope
from shouwang.telemetry.queries import count_things

RIGHT = "case.read"
SETTLED_THERE = "activities"
_FIELDS = tuple(each.name for each in fields(Line))
_ACTIVITY_FIELDS = tuple(each.name for each in fields(ActivityLine))


_LINES = Prepared(lambda ids: CaseLine.objects.filter(pk__in=ids).values_list(*_FIELDS))


@cache
def _all() -> tuple[Definition, ...]:
    return rules.definitions(_data("figures.toml"))


@cache
def definitions(subject: Subject = "CASE") -> tuple[Definition, ...]:
    """Return the shipped definitions of the figures of cases, or of activities, in the order they are shown."""
    return tuple(definition for definition in _all() if definition.subject == subject)


def definition_of(code: str) -> Definition:
    """Return one definition. Raises NotFound."""
    for definition in _all():
        if definition.code == code:
            return definition
    raise NotFound(what=f"指标 {code}")


def figures(scope: Scope, *, since: datetime, kind: str = "", path: str = "") -> list[Figure]:
    """Return every figure of the cases `scope` sees: the period begins at `since`; two queries."""
    return _of_cases(_counted(scope, since=since, kind=kind, path=path), since=since)


def overview(scope: Scope, *, since: datetime, depth: int) -> tuple[list[Figure], Counter[int]]:
    """Return the figures of all that `scope` sees, and how many cases are open in each area `depth` steps below the root; two queries."""
    lines = _counted(scope, since=since)
    places = (line.path.split("/") for line in lines if line.state == OPEN)
    return _of_cases(lines, since=since), Counter(int(parts[depth + 1]) for parts in places if len(parts) > depth + 2)


def figures_by_area(scope: Scope, *, since: datetime, kind: str = "", path: str = "", depth: int) -> dict[int, list[Figure]]:
    """Return the figures of each area that has cases, `depth` steps below the root and inside `path`, by its id; two queries."""
    groups: dict[int, list[Counted]] = {}
    for line in _counted(scope, since=since, kind=kind, path=path):
        parts = line.path.split("/")
        if len(parts) > depth + 2:
            groups.setdefault(int(parts[depth + 1]), []).append(line)
    return {area_id: _of_cases(lines, since=since) for area_id, lines in groups.items()}


def _of_cases(lines: Sequence[Counted], *, since: datetime) -> list[Figure]:
    since_us = to_us(since)
    return [Figure(definition, rules.value(definition, lines, since=since_us)) for definition in definitions()]


def by_hour(scope: Scope, *, since: datetime, hours: int) -> dict[str, list[float]]:
    """Return how many cases of each kind were opened in each hour from `since` on; one query."""
    end = since + timedelta(hours=hours)
    rows = _within(scope, since=since, kind="", path="").filter(opened_at__gte=since, opened_at__lt=end)
    found: dict[str, list[float]] = {}
    for kind, opened_at in rows.values_list("kind", "opened_at"):
        found.setdefault(kind, [0.0] * hours)[int((opened_at - since) / timedelta(hours=1))] += 1
    return found


def rows_behind(scope: Scope, code: str, *, since: datetime, kind: str = "", path: str = "") -> list[Line]:
    """Return the lines one figure is made of, newest first. Raises NotFound for an unknown figure."""
    found = rules.rows(definition_of(code), _lines(scope, since=since, kind=kind, path=path), since=since)
    return sorted(found, key=lambda line: (line.opened_at, line.case_id), reverse=True)


def nothing(subject: Subject) -> list[Figure]:
    """Return the figures of a subject where there is none of it."""
    return [rules.nothing(definition) for definition in definitions(subject)]


def activity_figures(scope: Scope, *, since: datetime, path: str = "") -> list[Figure]:
    """Return every figure of the activities `scope` sees; one query."""
    return _of_activities([line for _, line in _activities(scope, since=since, path=path)], since=since)


def activity_figures_by_area(scope: Scope, *, since: datetime, path: str = "", depth: int) -> dict[int, list[Figure]]:
    """Return the figures of each area that has activities, `depth` steps below the root and inside `path`, by its id; one query."""
    groups: dict[int, list[ActivityLine]] = {}
    for place, line in _activities(scope, since=since, path=path):
        parts = [part for part in place.split("/") if part]
        if len(parts) > depth:
            groups.setdefault(int(parts[depth]), []).append(line)
    return {area_id: _of_activities(lines, since=since) for area_id, lines in groups.items()}


def activities_behind(scope: Scope, code: str, *, since: datetime, path: str = "") -> list[ActivityLine]:
    """Return the activities one figure is made of, newest first. Raises NotFound for an unknown figure."""
    lines = [line for _, line in _activities(scope, since=since, path=path)]
    found = rules.rows(definition_of(code), lines, since=since)
    return sorted(found, key=lambda line: (line.started_at or since, line.activity_id), reverse=True)


def activity_lines_of(activity_ids: Collection[int]) -> list[ActivityLine]:
    """Return the lines of these activities, for the fold; whoever shows lines asks for them with a scope."""
    return [ActivityLine(*row) for row in ActivityRow.objects.filter(pk__in=activity_ids).values_list(*_ACTIVITY_FIELDS)]


def _of_activities(lines: Sequence[ActivityLine], *, since: datetime) -> list[Figure]:
    return [Figure(definition, rules.value(definition, lines, since=since)) for definition in definitions("ACTIVITY")]


def _activities(scope: Scope, *, since: datetime, path: str) -> list[tuple[str, ActivityLine]]:
    rows = ActivityRow.objects.filter(_seen_by(scope), started_at__gte=since, exercise_id=None)
    if path:
        rows = rows.filter(_below(path))
    return [(place, ActivityLine(*columns)) for place, *columns in rows.values_list("path", *_ACTIVITY_FIELDS)]


@cache
def practices() -> Practices:
    """Return the practices of the city and the figures published of them."""
    return published.practices(_data("practices.toml"))


def published_figure(code: str) -> PublishedFigure:
    """Return one published figure. Raises NotFound."""
    found = practices().figures.get(code)
    if found is None:
        raise NotFound(what=f"指标 {code[:32]}")
    return found


def published_value(scope: Scope, figure: PublishedFigure) -> int:
    """Return what a published figure comes to over the rows that `scope` sees, of all time; one query."""
    if figure.counted == "THINGS":
        return count_things(scope, kinds=figure.kinds)
    if figure.counted == "CASES_HANDLED":
        return _handled(scope, figure).count()
    rows = _held(scope, figure)
    if figure.counted == "ACTIVITIES":
        return rows.count()
    of = Sum("matters") if figure.counted == "MATTERS" else Sum(Coalesce("attended", "numbers_done"))
    return rows.aggregate(sum=of)["sum"] or 0


def handled_behind(scope: Scope, figure: PublishedFigure, *, offset: int = 0, limit: int = 50) -> tuple[list[Line], int]:
    """Return a page of the cases a published figure counts, newest first, and how many there are."""
    rows = _handled(scope, figure)
    page = rows.order_by("-opened_at", "-pk")[offset : offset + limit]
    return [Line(*row) for row in page.values_list(*_FIELDS)], rows.count()


def held_behind(scope: Scope, figure: PublishedFigure, *, offset: int = 0, limit: int = 50) -> tuple[list[ActivityLine], int]:
    """Return a page of the activities a published figure counts, newest first, and how many there are."""
    rows = _held(scope, figure)
    page = rows.order_by("-started_at", "-pk")[offset : offset + limit]
    return [ActivityLine(*row) for row in page.values_list(*_ACTIVITY_FIELDS)], rows.count()


def _handled(scope: Scope, figure: PublishedFigure) -> QuerySet[CaseLine]:
    done = CaseLine.objects.filter(state__in=(COMPLETED, CLOSED), false_alarm=False, exercise_id=None, kind__in=figure.kinds)
    return done.filter(_seen_by(scope))


def _held(scope: Scope, figure: PublishedFigure) -> QuerySet[ActivityRow]:
    held = ActivityRow.objects.filter(state__in=HELD_STATES, started_at__isnull=False, exercise_id=None, kind__in=figure.kinds)
    return held.filter(_seen_by(scope))


def _seen_by(scope: Scope) -> Q:
    inside = Q(pk__in=())
    for each in scope.paths_for(RIGHT):
        inside |= _below(each)
    return inside


def lines_of(case_ids: Collection[int]) -> list[Line]:
    """Return the lines of these cases, for the fold; whoever shows lines asks for them with a scope."""
    return [Line(*row) for row in _LINES.rows(case_ids)]


def _lines(scope: Scope, *, since: datetime, kind: str, path: str) -> list[Line]:
    return [Line(*row) for row in _within(scope, since=since, kind=kind, path=path).values_list(*_FIELDS)]


_COUNTED = f"SELECT {', '.join(Counted._fields)} FROM indicators_case WHERE exercise_id IS NULL"  # noqa: S608 - names from here


def _counted(scope: Scope, *, since: datetime, kind: str = "", path: str = "") -> list[Counted]:
    """Return what the figures count of the lines of `_within`: a page makes thousands, which the ORM is too slow for."""
    found: list[Counted] = []
    for each in scope.paths_for(RIGHT):
        bounds = (each, each[:-1] + "0", *((path, path[:-1] + "0") if path else ()), kind or SETTLED_THERE)
        asked = f"{_COUNTED}{' AND path >= %s AND path < %s' * (2 if path else 1)}{' AND kind = %s' if kind else ' AND kind <> %s'}"
        found += map(Counted._make, run(f"{asked} AND state = 'OPEN'", bounds))
        found += map(Counted._make, run(f"{asked} AND state <> 'OPEN' AND opened_at >= %s", (*bounds, to_us(since))))
    return found


def _within(scope: Scope, *, since: datetime, kind: str, path: str) -> QuerySet[CaseLine]:
    paths = scope.paths_for(RIGHT)
    if not paths:
        return CaseLine.objects.none()
    inside = Q()
    for each in paths:
        inside |= _below(each)
    rows = CaseLine.objects.filter(inside, Q(state="OPEN") | Q(opened_at__gte=since), exercise_id=None)
    if path:
        rows = rows.filter(_below(path))
    # Matters settled at an activity are counted by its own figures: as cases of no minutes they would hide how long cases take.
    return rows.filter(kind=kind) if kind else rows.exclude(kind=SETTLED_THERE)


def _below(path: str) -> Q:
    return Q(path__gte=path, path__lt=path[:-1] + "0")


def _data(name: str) -> str:
    return files("shouwang.indicators").joinpath("data", name).read_text("utf-8")
