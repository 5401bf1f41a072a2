"""Handing the watch over: what is open and odd, a note, two signatures, and the printed sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.cases import actions
from shouwang.cases.queries import handover_row, handovers
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.ui.lists import Column, ListQuery, ListSpec, list_response
from shouwang.web import handover
from shouwang.web.pages.desk import language_of

GIVEN = Text("已交班，等待接班人签名", "Handed over; it waits for the second signature")
TAKEN = Text("已接班，双方签名完成", "Taken; both have signed")
BACK = Text("已撤回交班", "The hand-over was withdrawn")
CHOOSE = Text("请选择接班人", "Choose who takes the watch")
LIST: ListSpec[dict[str, Any]] = ListSpec(
    title=Text("交接班记录", "Hand-overs"),
    columns=(
        Column("given_at", Text("交班", "Given"), lambda row: row["given_at"]),
        Column("area", Text("地区", "Area"), lambda row: row["area"]),
        Column("given_by", Text("交班人", "Given by"), lambda row: row["given_by"]),
        Column("taken_by", Text("接班人", "Taken by"), lambda row: row["taken_by"]),
        Column("taken_at", Text("接班签名", "Signed"), lambda row: row["taken_at"] or Text("等待签名", "waiting")),
        Column("open", Text("未办结", "Open"), lambda row: len(row["kept"].get("open", ())), numeric=True),
    ),
    link=lambda row: f"/handover/{row['id']}/",
)


@require_http_methods(["GET", "POST"])
@needs("case.dispatch")
def give(request: HttpRequest) -> HttpResponse:
    """Show what this watch leaves to the next, and hand it over."""
    scope, language, now = scope_of(request), language_of(request), clock().now()
    watch = handover.watch_of(scope)
    if watch is None:
        raise NotFound(what="值守岗位" if language != "en" else "a watch of your own")
    since = handover.since_last(scope, watch, now=now)
    kept = handover.left_over(scope, since=since, now=now)
    persons = handover.next_persons(scope, watch, now=now, language=language, without=scope.person_id or 0)
    problem = ""
    if request.method == "POST":
        chosen = request.POST.get("to", "")
        if chosen in {str(person_id) for person_id, _ in persons}:
            try:
                number = actions.give_shift(
                    area_id=watch.area.id, path=watch.area.path, duty=watch.duty, by=scope.person_id or 0, to=int(chosen),
                    note=request.POST.get("note", ""), kept=kept, now=now,
                )
            except ShouwangError as error:
                problem = error.text(language)
            else:
                messages.success(request, GIVEN.render(language, {}))
                return redirect("web:handover_one", number)
        else:
            problem = CHOOSE.render(language, {})
    waiting = [row for row in handovers(scope, area_id=watch.area.id, limit=1)[0] if row.taken_at is None]
    return render(request, "web/handover.html", {
        "watch": watch, "since": since, "sections": handover.sections(scope, kept, language), "persons": persons, "problem": problem,
        "note": request.POST.get("note", ""), "waiting": handover.shown(waiting, language),
    }, status=409 if problem else 200)


@require_GET
@needs("case.read")
def one(request: HttpRequest, handover_id: int) -> HttpResponse:
    """Show one hand-over, with what there is to sign, or as the sheet to print."""
    scope, language = scope_of(request), language_of(request)
    row = handover_row(handover_id)
    if not scope.may("case.read", row.path):
        raise NotFound(what=f"交班 {handover_id}")
    (found,) = handover.shown([row], language)
    template = "web/handover_print.html" if request.GET.get("format") == "print" else "web/handover_one.html"
    return render(request, template, {
        "handover": found, "sections": handover.sections(scope, found["kept"], language),
        "may_take": row.taken_at is None and scope.person_id == row.taken_by,
        "may_withdraw": row.taken_at is None and scope.person_id == row.given_by,
    })


@require_POST
@needs("case.read")
def sign(request: HttpRequest, handover_id: int, what: str) -> HttpResponse:
    """Sign as the one who takes the watch, or take back what nobody has signed."""
    scope, language, now = scope_of(request), language_of(request), clock().now()
    if not scope.may("case.read", handover_row(handover_id).path):
        raise NotFound(what=f"交班 {handover_id}")
    if what == "take":
        actions.take_shift(handover_id, by=scope.person_id or 0, now=now)
        messages.success(request, TAKEN.render(language, {}))
        return redirect("web:handover_one", handover_id)
    actions.withdraw_shift(handover_id, by=scope.person_id or 0, now=now)
    messages.success(request, BACK.render(language, {}))
    return HttpResponseRedirect(reverse("web:handover"))


@require_GET
@needs("case.read")
def past(request: HttpRequest) -> HttpResponse:
    """Show the hand-overs there were, as page, XLSX or print."""
    scope, language = scope_of(request), language_of(request)

    def fetch(query: ListQuery) -> tuple[Sequence[dict[str, Any]], int]:
        rows, total = handovers(scope, offset=query.offset, limit=query.limit)
        return handover.shown(rows, language), total

    return list_response(request, spec=LIST, fetch=fetch, template="web/handovers.html")
