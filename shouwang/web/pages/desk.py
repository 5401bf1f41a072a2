"""The duty desk and its live parts; the case page; what the desk does with a case."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from shouwang.cases import actions
from shouwang.cases.queries import Filters, count_cases, list_cases, tasks_of
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.web import demo, queries
from shouwang.web.desk import bar, desk_queue, narrowing_of, red_cases
from shouwang.web.rules import CASE_STATES, FALSE_ALARM_REASONS


def language_of(request: HttpRequest) -> str:
    """Return the reader's language."""
    return str(getattr(request, "language", "zh"))


@require_GET
def home(request: HttpRequest) -> HttpResponseBase:
    """Send people to where their work is, and whoever is not signed in to the sign-in page, in a demo to the tour."""
    if getattr(request, "scope", None) is None and demo.roles():
        return redirect("web:tour")
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
    found = desk_queue(scope, language, seen=_number(request, "seen"), after=_number(request, "after"), narrowing=narrowing)
    return render(request, "web/_queue.html", {**found, "reds": red_cases(scope, language)})


def _number(request: HttpRequest, name: str) -> int | None:
    text = request.GET.get(name, "")
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
    language = language_of(request)
    return render(request, "web/case.html", {
        **context, **queries.case_history(context["raw"], language=language),
        "curve": queries.meter_curve(context["raw"], now=clock().now(), language=language),
        "false_alarm_reasons": FALSE_ALARM_REASONS.items(), "whole": True, "stream_url": "/stream/",
    })


def _case_context(request: HttpRequest, case_id: int) -> dict[str, Any]:
    scope = scope_of(request)
    view = queries.case_view(scope, case_id, language=language_of(request))
    task, row = view["task"], view["case"]
    return {
        **view, "may_dispatch": scope.may("case.dispatch", row.path), "problem": "", "done": "",
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
        _act(request, case_id, what, by=scope.person_id or 0)
        done = "Done" if language_of(request) == "en" else "已执行"
    except ShouwangError as error:
        problem = error.text(language_of(request))
    if request.headers.get("HX-Request"):
        context = {**_case_context(request, case_id), "problem": problem, "done": done, "whole": "whole" in request.POST}
        return render(request, "web/_drawer.html", context, status=409 if problem else 200)
    return redirect("web:case", case_id)


def _act(request: HttpRequest, case_id: int, what: str, *, by: int) -> None:
    now = clock().now()
    post = request.POST
    if what == "dispatch":
        actions.dispatch(_task(case_id, post.get("task", "")), by=by, now=now)
    elif what == "remind":
        actions.remind(_task(case_id, post.get("task", "")), by=by, now=now)
    elif what == "escalate":
        actions.escalate(_task(case_id, post.get("task", "")), by=by, now=now)
    elif what == "note":
        actions.add_note(case_id, text=post["text"][:2000], by=by, now=now)
    elif what == "false_alarm" and post.get("reason") in FALSE_ALARM_REASONS:
        actions.false_alarm(case_id, reason=post["reason"], by=by, now=now)
    elif what == "reopen":
        actions.reopen(case_id, reason="DESK", by=by, now=now)


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
