"""The grid worker's phone: the list of tasks, and one task opened by a signed link."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from shouwang.activities.queries import about_case as about_matter
from shouwang.cases import actions
from shouwang.cases.links import TaskLink, read_link
from shouwang.cases.queries import case_row, procedure_of_case, task_row
from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.notify.actions import mark_read
from shouwang.notify.queries import newest
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import person_cards
from shouwang.requests.links import photo_link
from shouwang.requests.queries import about_case
from shouwang.web import queries
from shouwang.web.evidence import given_in, keep
from shouwang.web.homes import absence_of, announce, answer_as_contact, contact_view, door_of, hospital_as_contact
from shouwang.web.navigation import MESSAGES
from shouwang.web.navigation import unread as count_unread
from shouwang.web.pages.desk import language_of
from shouwang.web.rules import TASK_STATES
from shouwang.web.waters import about_beyond, about_water

REPORTER = Text("反映人", "Reporter")
_OPEN = frozenset({"CONFIRM", "OFFERED", "ACCEPTED", "ARRIVED", "SUSPENDED"})


@require_GET
@needs("case.read")
def tasks(request: HttpRequest) -> HttpResponse:
    """Show a person's open tasks, most urgent first."""
    found = queries.own_tasks(scope_of(request).person_id or 0, language_of(request))
    return render(request, "web/tasks.html", {**own_frame(request), "tasks": found})


@require_http_methods(["GET", "POST"])
@needs("case.read")
def messages(request: HttpRequest) -> HttpResponse:
    """Show the inbox of the person who is signed in; a POST marks what it showed as read."""
    scope = scope_of(request)
    if request.method == "POST":
        ids = [int(text) for text in request.POST.getlist("id")[:200] if text.isascii() and text.isdigit() and len(text) < 19]
        mark_read(scope.person_id or 0, ids, now=clock().now())
        return redirect("web:messages")
    found = queries.own_messages(scope.person_id or 0, language_of(request), may_open="case.dispatch" in scope.rights)
    return render(request, "web/messages.html", {**own_frame(request), "entries": found, "unread": any(each["unread"] for each in found)})


@require_GET
@needs("case.read")
def unread(request: HttpRequest) -> HttpResponse:
    """Show the number beside the messages alone, as it is now."""
    return render(request, "ui/_count.html", {"topic": MESSAGES.count_topic, "from": MESSAGES.count_from, "count": count_unread(request)})


def own_frame(request: HttpRequest) -> dict[str, object]:
    """Return the frame of a person's own pages: the desk's for officers, the phone's for grid workers."""
    scope = scope_of(request)
    at_desk = bool(scope.rights & {"case.dispatch", "settings.edit"})
    card = person_cards([scope.person_id or 0], language=language_of(request)).get(scope.person_id or 0)
    return {
        "frame": "ui/base.html" if at_desk else "ui/phone.html", "at_desk": at_desk, "whose": card.name if card else "",
        "stream_url": "/stream/" if "stream.read" in scope.rights else "",
    }


@require_http_methods(["GET", "POST"])
def task(request: HttpRequest, token: str) -> HttpResponse:
    """Show one task to the person of the link, and do what its buttons say."""
    link = read_link(token)
    problem = ""
    contact = contact_view(link.task_id, link.person_id, language=language_of(request), now=clock().now())
    if request.method == "POST":
        try:
            if contact is not None:
                answer_as_contact(link.task_id, person_id=link.person_id, post=request.POST, now=clock().now())
            else:
                _do(request, link)
        except ShouwangError as error:
            problem = error.text(language_of(request))
        else:
            return redirect("web:task", token)
    if contact is not None:
        said = {"contact": contact, "problem": problem, "action_url": f"/t/{token}/", "case": _row_of(link, language_of(request))}
        return render(request, "web/contact.html", said, status=409 if problem else 200)
    return render(request, "web/task.html", _context(request, link, token, problem), status=409 if problem else 200)


def _do(request: HttpRequest, link: TaskLink) -> None:
    now = clock().now()
    what = request.POST.get("do", "")
    if what == "accept":
        actions.accept(link.task_id, person_id=link.person_id, now=now)
        mark_read(link.person_id, [entry.id for entry in newest(link.person_id) if entry.task_id == link.task_id], now=now)
    elif what == "arrive":
        actions.arrive(link.task_id, person_id=link.person_id, now=now)
    elif what == "complete":
        given = given_in(request, now=now) if task_row(link.task_id).state in _OPEN else []
        key = request.POST.get("idempotency_key", "")[:40]
        actions.complete(
            link.task_id, person_id=link.person_id, result=request.POST.get("result", ""), evidence=given, key=key, now=now,
        )
        keep(given, now=now)
    elif what == "absence":
        announce(link.task_id, person_id=link.person_id, post=request.POST, now=now)


def _row_of(link: TaskLink, language: str) -> object:
    """Return the case of a link as a card."""
    return queries.rows_of([case_row(task_row(link.task_id).case_id)], language)[0]


def _context(request: HttpRequest, link: TaskLink, token: str, problem: str) -> dict[str, object]:
    language = language_of(request)
    current = task_row(link.task_id)
    case = case_row(current.case_id)
    (row,) = queries.rows_of([case], language)
    taken = current.state in {"ACCEPTED", "ARRIVED"} and current.assignee_id != link.person_id
    revealed = current.state in {"ACCEPTED", "ARRIVED"} and not taken
    home, contacts = queries.home_of(case, revealed=revealed, language=language)
    own = current.assignee_id == link.person_id and current.state in {"ACCEPTED", "ARRIVED", "DONE"}
    cards = person_cards([current.assignee_id], language=language) if current.assignee_id else {}
    names = {key: card.name for key, card in cards.items()}
    about = about_case(case, revealed=revealed, language=language)
    if about is not None:
        contacts = [{"role": REPORTER.render(language, {}), "name": name, "phone": phone} for name, phone in about.contacts]
    matter = about_matter(case, revealed=revealed)
    if matter is not None:
        home = {"name": matter.title, "address": matter.note}
        contacts = [{"role": REPORTER.render(language, {}), "name": name, "phone": phone} for name, phone in matter.contacts]
    name, note = about_beyond(case)
    if name:
        home = {"name": name, "address": note}
    return {
        "water": about_water(case), "about": about, "about_photos": [photo_link(file_id) for file_id in about.photos] if about else [],
        "case": row, "home": home, "contacts": [*hospital_as_contact(case, revealed=revealed, language=language), *contacts],
        **(absence_of(case, now=clock().now()) if own else {}), "problem": problem, "action_url": f"/t/{token}/",
        "door": door_of(case) if revealed else {}, "chain": queries.chain_of([current], names, case), "key": f"c{current.id}", "chosen": request.POST.get("result", ""),
        "results": queries.result_forms(procedure_of_case(case.id).step(current.step), language),
        "holder": names.get(current.assignee_id or 0, "") if taken else "",
        "task": {
            "id": current.id, "state": current.state, "open": current.state in _OPEN and not taken, "due_at": current.due_at,
            "state_text": TASK_STATES[current.state].render(language, {}),
        },
    }
