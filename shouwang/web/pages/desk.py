"""The duty desk and its live parts; the case page; what the desk does with a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from shouwang.cases import actions
from shouwang.cases.queries import CaseRow, Filters, case_in_scope, count_cases, list_cases, tasks_of
from shouwang.cases.rules.errors import NotMergeable
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import nobody_yet
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.web import demo, queries
from shouwang.web.desk import bar, desk_queue, narrowing_of, red_cases, words_of
from shouwang.web.procedures import followed
from shouwang.web.related import may_merge, nearby, similar, taken_in
from shouwang.web.rules import CASE_STATES, FALSE_ALARM_REASONS, SPLIT_REASONS
from shouwang.web.takers import REASONS as TAKING_REASONS
from shouwang.web.takers import takers
from shouwang.web.waters import about_water


def language_of(request: HttpRequest) -> str:
    """Return the reader's language."""
    return str(getattr(request, "language", "zh"))


@require_GET
def home(request: HttpRequest) -> HttpResponseBase:
    """Send people to where their work is, and whoever is not signed in to the sign-in page: in a demo to the tour, where there is nobody yet to the first run."""
    if getattr(request, "scope", None) is None and demo.roles():
        return redirect("web:tour")
    if getattr(request, "scope", None) is None and nobody_yet():
        return redirect("web:first_run")
    return _work(request)


@needs("case.read")
def _work(request: HttpRequest) -> HttpResponse:
    """Send people to the desk, to setting up, or to their own tasks."""
    rights = scope_of(request).rights
    if "case.dispatch" in rights:
        return redirect("web:desk")
    return redirect("web:setup" if "settings.edit" in rights else "web:tasks")


@require_GET
@needs("case.read")
def desk(request: HttpRequest) -> HttpResponse:
    """Show the duty desk."""
    scope, language = scope_of(request), language_of(request)
    narrowing = narrowing_of(scope, request.GET.dict())
    queue_ = desk_queue(scope, language, narrowing=narrowing)
    return render(request, "web/desk.html", {
        **queue_, **_side(request), **bar(scope, narrowing), "reds": red_cases(scope, language),
        "stream_url": "/stream/", "map": {**queries.map_outlines(scope), "points": queries.map_points(queue_["rows"])},
        "words": words_of(narrowing, language),
    })


def _side(request: HttpRequest) -> dict[str, Any]:
    scope, now = scope_of(request), clock().now()
    found = queries.desk_overview(scope, now=now)
    return {
        **found, "most": max((number for _, number in found["counties"]), default=1),
        "gaps": queries.gaps(scope, now=now, language=language_of(request)),
    }


@require_GET
@needs("case.read")
def side(request: HttpRequest) -> HttpResponse:
    """Show what the drawer holds while no case is chosen."""
    return render(request, "web/_side.html", _side(request))


@require_GET
@needs("case.read")
def queue(request: HttpRequest) -> HttpResponse:
    """Show the queue alone, as it is now; `seen` holds back what came later, `after` marks it as new."""
    scope, language = scope_of(request), language_of(request)
    narrowing = narrowing_of(scope, request.GET.dict())
    found = desk_queue(scope, language, seen=_number(request.GET, "seen"), after=_number(request.GET, "after"), narrowing=narrowing)
    return render(request, "web/_queue.html", {**found, "reds": red_cases(scope, language)})


def _number(asked: QueryDict, name: str) -> int | None:
    text = asked.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


@require_GET
@needs("case.read")
def figures(request: HttpRequest) -> HttpResponse:
    """Show the six figures alone, as they are now."""
    return render(request, "ui/_figures.html", queries.desk_overview(scope_of(request), now=clock().now()))


@require_GET
@needs("case.read")
def drawer(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show one case in the drawer."""
    return render(request, "web/_drawer.html", _case_context(request, case_id))


@require_GET
@needs("case.read")
def case(request: HttpRequest, case_id: int) -> HttpResponse:
    """Show the page of one case."""
    context = _case_context(request, case_id)
    scope, raw, now, language = scope_of(request), context["raw"], clock().now(), language_of(request)
    return render(request, "web/case.html", {
        **context, **queries.case_history(raw, language=language),
        "follows": followed(case_id), "curve": queries.meter_curve(raw, now=now, language=language),
        "near": nearby(scope, raw, now=now, language=language), "before": similar(scope, raw, language=language),
        "takers": takers(raw, now=now, language=language) if context["may_dispatch"] else (), "taking_reasons": TAKING_REASONS.items(),
        "taken_in": taken_in(scope, raw, language=language) if context["may_dispatch"] else (), "split_reasons": SPLIT_REASONS.items(),
        "false_alarm_reasons": FALSE_ALARM_REASONS.items(), "whole": True, "stream_url": "/stream/",
    })


def _case_context(request: HttpRequest, case_id: int) -> dict[str, Any]:
    scope = scope_of(request)
    view = queries.case_view(scope, case_id, language=language_of(request))
    task, row = view["task"], view["case"]
    return {
        **view, "water": about_water(view["raw"]), "may_dispatch": scope.may("case.dispatch", row.path), "problem": "", "done": "",
        "task": {"id": task.id, "state": task.state, "open": row.open} if task else None,
    }


@require_POST
@needs("case.read")
def act(request: HttpRequest, case_id: int, what: str) -> HttpResponse:
    """Do one thing with a case and show it again, with what came of it."""
    scope = scope_of(request)
    view = queries.case_view(scope, case_id, language=language_of(request))
    scope.require("case.read" if what == "note" else "case.dispatch", view["case"].path)
    problem, done = "", ""
    try:
        _act(request, view["raw"], what, by=scope.person_id or 0)
        done = "Done" if language_of(request) == "en" else "已执行"
    except ShouwangError as error:
        problem = error.text(language_of(request))
    if request.headers.get("HX-Request"):
        context = {**_case_context(request, case_id), "problem": problem, "done": done, "whole": "whole" in request.POST}
        return render(request, "web/_drawer.html", context, status=409 if problem else 200)
    return redirect("web:case", case_id)


def _act(request: HttpRequest, case: CaseRow, what: str, *, by: int) -> None:
    now, post = clock().now(), request.POST
    if what in _ON_TASKS:
        _ON_TASKS[what](_task(case.id, post.get("task", "")), by=by, now=now)
    elif what == "note":
        actions.add_note(case.id, text=post["text"][:2000], by=by, now=now)
    elif what == "false_alarm" and post.get("reason") in FALSE_ALARM_REASONS:
        actions.false_alarm(case.id, reason=post["reason"], by=by, now=now)
    elif what == "reopen":
        actions.reopen(case.id, reason="DESK", by=by, now=now)
    elif what == "merge":
        actions.merge(case.id, into=_target(request, case), by=by, now=now)
    elif what == "split" and post.get("reason") in SPLIT_REASONS:
        actions.split(case.id, taken=_part(request), reason=post["reason"], by=by, now=now)
    elif what == "hand_over" and post.get("reason") in TAKING_REASONS:
        task, to = _task(case.id, post.get("task", "")), _taker(request, case, now=now)
        actions.hand_over(task, to=to, reason=post["reason"], by=by, now=now)


_ON_TASKS: Mapping[str, Callable[..., object]] = {"dispatch": actions.dispatch, "remind": actions.remind, "escalate": actions.escalate}


def _target(request: HttpRequest, case: CaseRow) -> int:
    """Return the case that another is to be merged into. Raises NotFound out of scope, or where the two cannot be one; Refused."""
    number, scope = _number(request.POST, "into"), scope_of(request)
    into = case_in_scope(number or 0, scope)
    scope.require("case.dispatch", into.path)
    if not may_merge(case, into):
        raise NotMergeable(case=case.id, into=into.id)
    return into.id


def _part(request: HttpRequest) -> int:
    """Return the case that is to be split off. Raises NotFound out of scope; Refused."""
    scope = scope_of(request)
    part = case_in_scope(_number(request.POST, "taken") or 0, scope)
    scope.require("case.dispatch", part.path)
    return part.id


def _taker(request: HttpRequest, case: CaseRow, *, now: datetime) -> int:
    """Return to whom a task is handed over. Raises NotFound for somebody who does not answer on its ladder now."""
    person = _number(request.POST, "to")
    if person not in {each for each, _ in takers(case, now=now, language="zh")}:
        raise NotFound(what=f"可转办人员 {person or ''}".strip())
    return person or 0


def _task(case_id: int, number: str) -> int:
    """Return the task `number` of a case whose scope was checked. Raises NotFound for a task of another case."""
    if number not in {str(task.id) for task in tasks_of([case_id])}:
        raise NotFound(what=f"任务 {number[:20]}")
    return int(number)


_LIST: ListSpec[queries.Row] = ListSpec(
    title=Text("事件", "Cases"),
    columns=(
        Column("number", Text("编号", "Number"), lambda row: row.number),
        Column("severity", Text("级别", "Severity"), lambda row: row.severity),
        Column("title", Text("事项", "Matter"), lambda row: row.title),
        Column("reason", Text("原因", "Reason"), lambda row: row.reason),
        Column("place", Text("地点", "Place"), lambda row: row.place),
        Column("state", Text("状态", "State"), lambda row: row.state),
        Column("opened_at", Text("报警", "Raised"), lambda row: row.opened_at),
        Column("due_at", Text("时限", "Due"), lambda row: row.due_at),
    ),
    filters=(
        Filter("severity", Text("级别", "Severity"), [Choice(str(s.value), Text(s.zh, s.name.title())) for s in reversed(Severity)]),
        Filter("state", Text("状态", "State"), [Choice(code, title) for code, title in CASE_STATES.items()]),
        Filter("when", Text("时间", "When"), [Choice("today", Text("今日", "Today")), Choice("overdue", Text("已超时", "Overdue"))]),
    ),
    link=lambda row: f"/cases/{row.id}/",
    searched=Text("编号", "Number"),
)


@require_GET
@needs("case.read")
def cases(request: HttpRequest) -> HttpResponse:
    """Show the list of cases, with filters in the address, as page, XLSX or print."""
    scope, language = scope_of(request), language_of(request)

    def fetch(query: ListQuery) -> tuple[Sequence[queries.Row], int]:
        when = query.chosen.get("when")
        states = (query.chosen["state"],) if "state" in query.chosen else ("OPEN",) if when == "overdue" else tuple(CASE_STATES)
        now = clock().now()
        filters = Filters(
            states=states, severity=int(query.chosen.get("severity", 0)), number=query.text,
            overdue_at=now if when == "overdue" else None, opened_from=queries.midnight(now) if when == "today" else None,
        )
        found = list_cases(scope, filters, offset=query.offset, limit=query.limit)
        return queries.rows_of(found, language), count_cases(scope, filters)

    return list_response(request, spec=_LIST, fetch=fetch, template="web/cases.html")
