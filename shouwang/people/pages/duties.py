"""Pages of duties and of the roster: who answers where, and the week as planned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text
from shouwang.people import actions, queries
from shouwang.people.guard import needs, scope_of
from shouwang.people.pages.forms import DUTY_CHOICES, ShiftForm
from shouwang.people.queries import DutyView, ShiftView
from shouwang.people.rules.codes import DUTIES
from shouwang.people.rules.roster import week_of
from shouwang.people.rules.scope import Scope
from shouwang.places import queries as places
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

DONE = Text("已保存。", "Saved.")
LEVELS = {
    "PREFECTURE": Text("市", "City"), "COUNTY": Text("县", "County"), "TOWNSHIP": Text("乡镇", "Township"),
    "VILLAGE": Text("村", "Village"), "GRID": Text("网格", "Grid"),
}
LIST: ListSpec[DutyView] = ListSpec(
    title=Text("职责", "Duties"),
    columns=(
        Column("area", Text("地区", "Area"), lambda row: row.area),
        Column("duty", Text("职责", "Duty"), lambda row: row.duty),
        Column("rank", Text("主备", "Rank"), lambda row: row.rank),
        Column("person", Text("姓名", "Name"), lambda row: row.person),
        Column("phone", Text("电话", "Phone"), lambda row: row.phone),
        Column("from_date", Text("开始", "From"), lambda row: row.from_date),
        Column("until_date", Text("结束", "Until"), lambda row: row.until_date),
    ),
    filters=(
        Filter("level", Text("层级", "Level"), [Choice(code, text) for code, text in LEVELS.items()]),
        Filter("duty", Text("职责", "Duty"), DUTY_CHOICES),
    ),
    link=lambda row: f"/people/{row.person_id}/",
    searched=Text("姓名或拼音首字母", "Name or pinyin initials"),
)


@require_GET
@needs("people.read")
def duties(request: HttpRequest) -> HttpResponse:
    """Show the duties in the reader's scope, by area."""
    scope, now = scope_of(request), clock().now()

    def fetch(query: ListQuery) -> tuple[Sequence[DutyView], int]:
        return queries.list_duties(
            scope, on=local(now).date(), text=query.text, code=query.chosen.get("duty", ""),
            level=query.chosen.get("level", ""), offset=query.offset, limit=query.limit,
        )

    if request.GET.get("format") in {"xlsx", "print"}:
        actions.note_access(scope, action="EXPORT", object=("duty", None), now=now)
    return list_response(request, spec=LIST, fetch=fetch, template="people/duties.html")


@require_POST
@needs("duties.edit")
def end(request: HttpRequest, duty_id: int) -> HttpResponse:
    """End a duty today and go back to its person."""
    actions.end_duty(scope_of(request), duty_id, now=clock().now())
    messages.success(request, DONE.render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("people:person", args=[int(request.POST["person"])]) if _digits(request, "person") else "/people/duties/")


@require_http_methods(["GET", "POST"])
@needs("people.read")
def roster(request: HttpRequest) -> HttpResponse:
    """Show the week of shifts; for one area and duty, plan one."""
    language, scope, now = reader(request).language, scope_of(request), clock().now()
    asked = request.POST if request.method == "POST" else request.GET
    day = _day(asked.get("week", ""), local(now).date())
    days = week_of(day)
    text, code = asked.get("area", "").strip()[:120], asked.get("duty", "")
    found = actions.find_area(scope, text, "people.read")
    area = places.area(found.area_id) if found.area_id else None
    form = None
    if area is not None and code in DUTIES and _may_plan(scope, area.path):
        persons = queries.holders(scope, area.id, code, on=days[0], language=language)
        form = ShiftForm(request.POST if request.method == "POST" else None, language=language, persons=persons)
        if form.is_valid() and _plan(form, scope, area.id, code, now):
            messages.success(request, DONE.render(language, {}))
            again = urlencode({"week": days[0].isoformat(), "area": text, "duty": code})
            return HttpResponseRedirect(f"{reverse('people:roster')}?{again}")
    rows, names = queries.roster_week(scope, days, path=area.path if area else "")
    context = {
        "days": days, "rows": _named(rows, names), "form": form, "area_text": text, "duty": code, "area": area,
        "leaves": queries.leaves(scope, start=days[0], end=days[-1] + timedelta(days=1), path=area.path if area else ""),
        "duties": list(DUTIES.items()), "unknown_area": bool(text) and area is None, "today": local(now).date(),
        "before": days[0] - timedelta(days=7), "after": days[0] + timedelta(days=7), "cancel": _may_plan_somewhere(scope),
    }
    return render(request, "people/roster.html", context, status=422 if form is not None and form.errors else 200)


@require_POST
@needs("duties.edit", "case.dispatch")
def cancel_shift(request: HttpRequest, shift_id: int) -> HttpResponse:
    """Cancel a shift and go back to its week."""
    actions.cancel_shift(scope_of(request), shift_id, now=clock().now())
    messages.success(request, DONE.render(reader(request).language, {}))
    week = _day(request.POST.get("week", ""), local(clock().now()).date())
    return HttpResponseRedirect(f"{reverse('people:roster')}?week={week.isoformat()}")


def _named(rows: Sequence[ShiftView], names: Mapping[int, str]) -> list[dict[str, object]]:
    return [
        {
            "area": row.area, "duty": row.duty,
            "cells": [
                [(number, start, until, names[person], names.get(deputy or 0, "")) for number, start, until, person, deputy in cell.shifts]
                for cell in row.cells
            ],
        }
        for row in rows
    ]


def _plan(form: ShiftForm, scope: Scope, area_id: int, code: str, now: datetime) -> bool:
    values = form.cleaned_data
    try:
        actions.plan_shift(
            scope, area_id=area_id, code=code, start_at=values["start_at"], until_at=values["until_at"],
            person_id=values["person"], deputy_id=values["deputy"], now=now,
        )
    except ShouwangError as error:
        form.add_error(None, error.text(form.spoken))
        return False
    return True


def _may_plan(scope: Scope, path: str) -> bool:
    return scope.may("duties.edit", path) or scope.may("case.dispatch", path)


def _may_plan_somewhere(scope: Scope) -> bool:
    return bool(scope.rights & {"duties.edit", "case.dispatch"})


def _day(text: str, default: date) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return default


def _digits(request: HttpRequest, name: str) -> bool:
    text = request.POST.get(name, "")
    return text.isascii() and text.isdigit()
