"""The grid worker's phone: the list of tasks, and one task opened by a signed link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from shouwang.cases import actions
from shouwang.cases.links import TaskLink, read_link, task_link
from shouwang.cases.queries import case_row, procedure_of_case, task_row, tasks_for
from shouwang.cases.rules.evidence import Given
from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import person_cards
from shouwang.web import queries
from shouwang.web.pages.desk import language_of
from shouwang.web.rules import TASK_STATES, chain

_OPEN = frozenset({"CONFIRM", "OFFERED", "ACCEPTED", "ARRIVED", "SUSPENDED"})


@require_GET
@needs("case.read")
def tasks(request: HttpRequest) -> HttpResponse:
    """Show a person's open tasks, most urgent first."""
    person_id = scope_of(request).person_id or 0
    language = language_of(request)
    found = tasks_for(person_id)
    rows = {row.id: row for row in queries.rows_of([case_row(task.case_id) for task in found], language)}
    items = [
        {
            "severity": rows[task.case_id].severity, "css": rows[task.case_id].css, "title": rows[task.case_id].title,
            "place": rows[task.case_id].place, "reason": rows[task.case_id].reason, "due_at": task.due_at,
            "link": task_link(task.id, person_id),
        }
        for task in found
    ]
    card = person_cards([person_id], language=language).get(person_id)
    return render(request, "web/tasks.html", {"tasks": items, "who": card.name if card else ""})


@require_http_methods(["GET", "POST"])
def task(request: HttpRequest, token: str) -> HttpResponse:
    """Show one task to the person of the link, and do what its buttons say."""
    link = read_link(token)
    problem = ""
    if request.method == "POST":
        try:
            _do(request, link)
        except ShouwangError as error:
            problem = error.text(language_of(request))
        else:
            return redirect("web:task", token)
    return render(request, "web/task.html", _context(request, link, token, problem), status=409 if problem else 200)


def _do(request: HttpRequest, link: TaskLink) -> None:
    now = clock().now()
    what = request.POST.get("do", "")
    if what == "accept":
        actions.accept(link.task_id, person_id=link.person_id, now=now)
    elif what == "arrive":
        actions.arrive(link.task_id, person_id=link.person_id, now=now)
    elif what == "complete":
        given = [Given(name[2:], str(value)[:2000]) for name, value in request.POST.items() if name.startswith("e_") and value]
        key = request.POST.get("idempotency_key", "")[:40]
        actions.complete(
            link.task_id, person_id=link.person_id, result=request.POST.get("result", ""), evidence=given, key=key, now=now,
        )


def _context(request: HttpRequest, link: TaskLink, token: str, problem: str) -> dict[str, object]:
    language = language_of(request)
    current = task_row(link.task_id)
    case = case_row(current.case_id)
    (row,) = queries.rows_of([case], language)
    revealed = current.state in {"ACCEPTED", "ARRIVED"} and current.assignee_id == link.person_id
    home, contacts = queries.home_of(case, revealed=revealed, language=language)
    step = procedure_of_case(case.id).step(current.step)
    return {
        "case": row, "home": home, "contacts": contacts, "problem": problem, "action_url": f"/t/{token}/",
        "chain": chain([current.state], closed=current.state == "DONE"), "results": queries.result_forms(step, language),
        "key": f"c{current.id}", "chosen": request.POST.get("result", ""),
        "task": {
            "id": current.id, "state": current.state, "open": current.state in _OPEN, "due_at": current.due_at,
            "state_text": TASK_STATES[current.state].render(language, {}),
        },
    }
