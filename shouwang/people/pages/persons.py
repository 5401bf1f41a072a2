"""Pages of persons: the list, one person, adding one, seeing one in full for a reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text
from shouwang.people import actions, queries
from shouwang.people.guard import needs, scope_of
from shouwang.people.pages.forms import DUTY_CHOICES, AccountForm, ChangeForm, DutyForm, LeaveForm, PersonForm, RevealForm
from shouwang.people.queries import PersonRow
from shouwang.people.rules.codes import CHANNELS, PURPOSES
from shouwang.people.rules.lines import Found, Problem
from shouwang.ui.lists import Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

ADDED = Text("已添加。", "Added.")
LIST: ListSpec[PersonRow] = ListSpec(
    title=Text("人员", "Persons"),
    columns=(
        Column("name", Text("姓名", "Name"), lambda row: row.name, sortable=True),
        Column("phone", Text("电话", "Phone"), lambda row: row.phone),
        Column("area", Text("地区", "Area"), lambda row: row.area),
        Column("duty", Text("职责", "Duty"), lambda row: row.duty),
    ),
    filters=(Filter("duty", Text("职责", "Duty"), DUTY_CHOICES),),
    sort="name",
    link=lambda row: f"/people/{row.id}/",
    searched=Text("姓名、拼音首字母或完整电话", "Name, pinyin initials or whole phone"),
)


@require_GET
@needs("people.read")
def persons(request: HttpRequest) -> HttpResponse:
    """Show the persons in the reader's scope, masked; an export is written into the access log."""
    scope = scope_of(request)

    def fetch(query: ListQuery) -> tuple[Sequence[PersonRow], int]:
        return queries.list_persons(
            scope, text=query.text, duty=query.chosen.get("duty", ""), sort=query.sort, offset=query.offset, limit=query.limit,
        )

    if request.GET.get("format") in {"xlsx", "print"}:
        actions.note_access(scope, action="EXPORT", object=("person", None), now=clock().now())
    can = {"can_edit": "people.edit" in scope.rights, "can_audit": "audit.read" in scope.rights}
    return list_response(request, spec=LIST, fetch=fetch, template="people/persons.html", context=can)


@never_cache
@require_GET
@needs("people.read")
def person(request: HttpRequest, person_id: int) -> HttpResponse:
    """Show one person, masked."""
    return show_person(request, person_id)


@never_cache
@require_POST
@needs("people.reveal")
def reveal(request: HttpRequest, person_id: int) -> HttpResponse:
    """Write the reason down, then show the person in full, this once."""
    form = RevealForm(request.POST, language=reader(request).language)
    if not form.is_valid():
        return show_person(request, person_id, reveal_form=form)
    actions.reveal(scope_of(request), person_id, reason=form.cleaned_data["reason"], now=clock().now())
    return show_person(request, person_id, revealed=True)


@require_http_methods(["GET", "POST"])
@needs("people.edit")
def add(request: HttpRequest) -> HttpResponse:
    """Add a person."""
    language, scope = reader(request).language, scope_of(request)
    form = PersonForm(request.POST or None, language=language)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        found = actions.find_area(scope, values["area"])
        if found.area_id is None:
            form.add_error("area", area_problem(found, values["area"]).text(language))
        else:
            try:
                made = actions.add_person(
                    scope, name=values["name"], area_id=found.area_id, phone=values["phone"], id_number=values["id_number"],
                    language=values["tongue"], now=clock().now(),
                )
            except ShouwangError as error:
                form.add_error(None, error.text(language))
            else:
                messages.success(request, ADDED.render(language, {}))
                return HttpResponseRedirect(reverse("people:person", args=[made]))
    return render(request, "people/add.html", {"form": form}, status=422 if form.errors else 200)


@require_POST
@needs("duties.edit")
def assign(request: HttpRequest, person_id: int) -> HttpResponse:
    """Assign a duty to the person."""
    language, scope = reader(request).language, scope_of(request)
    form = DutyForm(request.POST, language=language)
    if form.is_valid():
        values = form.cleaned_data
        found = actions.find_area(scope, values["area"], "duties.edit")
        if found.area_id is None:
            form.add_error("area", area_problem(found, values["area"]).text(language))
        else:
            queries.person_page(scope, person_id)
            try:
                actions.assign_duty(
                    scope, person_id=person_id, code=values["code"], area_id=found.area_id, from_date=values["from_date"],
                    rank=values["rank"], until_date=values["until_date"], now=clock().now(),
                )
            except ShouwangError as error:
                form.add_error(None, error.text(language))
            else:
                messages.success(request, ADDED.render(language, {}))
                return HttpResponseRedirect(reverse("people:person", args=[person_id]))
    return show_person(request, person_id, duty_form=form)


def area_problem(found: Found, text: str) -> Problem:
    """Return why a text does not mean one area."""
    return Problem("AREA_AMBIGUOUS" if found.count > 1 else "AREA_UNKNOWN", text)


def show_person(
    request: HttpRequest, person_id: int, *, revealed: bool = False, reveal_form: RevealForm | None = None,
    duty_form: DutyForm | None = None, account_form: AccountForm | None = None, entry_link: str = "",
    leave_form: LeaveForm | None = None, change_form: ChangeForm | None = None,
) -> HttpResponse:
    """Return the page of a person with what the reader may do; an `entry_link` is shown this once."""
    language, scope = reader(request).language, scope_of(request)
    shown = queries.person_page(scope, person_id, revealed=revealed)
    may = {right: scope.may(right, shown.path) for right in ("people.reveal", "people.edit", "duties.edit")}
    today = local(clock().now()).date()
    accounts = queries.accounts_of(scope, person_id) if may["duties.edit"] else []
    context: dict[str, Any] = {
        "person": shown,
        "consents": [(PURPOSES[purpose], given, withdrawn) for purpose, given, withdrawn in shown.consents],
        "contacts": [(CHANNELS[row.channel], row.address) for row in shown.contacts],
        "reveal_form": (reveal_form or RevealForm(language=language)) if may["people.reveal"] and not revealed else None,
        "change_form": (change_form or ChangeForm(language=language)) if may["people.edit"] else None,
        "duty_form": (duty_form or DutyForm(language=language)) if may["duties.edit"] else None,
        "account_form": (account_form or AccountForm(language=language)) if may["duties.edit"] and not accounts else None,
        "leaves": queries.leaves(scope, start=today, end=date.max, person_id=person_id),
        "leave_form": (leave_form or LeaveForm(language=language)) if shown.duties and scope.may(actions.planner_right(scope), shown.path) else None,
        "accounts": accounts, "own_account": scope.account_id, "entry_link": entry_link,
    }
    if context["duty_form"] and not duty_form:
        context["duty_form"].fields["from_date"].initial = today.isoformat()
    wrong = (change_form and change_form.errors) or (leave_form and leave_form.errors) or (account_form and account_form.errors) or (reveal_form and reveal_form.errors) or (duty_form and duty_form.errors)
    return render(request, "people/person.html", context, status=422 if wrong else 200)
