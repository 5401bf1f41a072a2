"""The five parties' due lists by season, and what joint meetings agreed."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from datetime import date

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
from shouwang.people.actions import find_area
from shouwang.people.guard import needs, scope_of
from shouwang.systems.drowning.actions import parties as actions
from shouwang.systems.drowning.actions.hazards import FIND, may_find
from shouwang.systems.drowning.pages.beyond_forms import JointItemForm
from shouwang.systems.drowning.pages.waters import MANY_AREAS, NO_AREA, frame_of
from shouwang.systems.drowning.queries import parties as found
from shouwang.systems.drowning.queries.parties import OVERDUE, JointRow
from shouwang.systems.drowning.rules.parties import FIRST_YEAR, KEY_LENGTH, LAST_YEAR, STATES
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

READ = "case.read"
LISTED = Text("清单已生成，共 {count} 项。", "The list is made: {count} items.")
TICKED = Text("已登记完成。", "Noted as done.")
ADDED = Text("已登记，已派单办理。", "Kept; somebody is asked to do it.")
LATE = Text("已超期", "Overdue")
NO_DAY = Text("请填写完成日期。", "Please write the day on which it was done.")
LIST: ListSpec[JointRow] = ListSpec(
    title=Text("联席会议议定事项", "Agreed at joint meetings"),
    columns=(
        Column("title", Text("事项", "What"), lambda row: row.title, sortable=True),
        Column("unit", Text("责任单位", "Who does it"), lambda row: row.unit),
        Column("area", Text("地区", "Area"), lambda row: row.area),
        Column("until", Text("期限", "By"), lambda row: row.until, sortable=True),
        Column("state", Text("状态", "State"), lambda row: LATE if row.is_overdue else found.STATES[row.state]),
        Column("done", Text("办结说明", "Closing note"), lambda row: row.done),
    ),
    filters=(Filter("state", Text("状态", "State"), [Choice(OVERDUE, LATE), *(Choice(code, text) for code, text in found.STATES.items())]),),
    sort="until",
    link=lambda row: f"/cases/{row.case_id}/" if row.case_id else "",
    searched=Text("事项、责任单位", "What, or who does it"),
)


@never_cache
@require_GET
@needs(READ)
def parties(request: HttpRequest) -> HttpResponse:
    """Show what each of the five parties has to do this year: due, overdue and done."""
    scope, now = scope_of(request), clock().now()
    today = local(now).date()
    asked = _number(request.GET.get("year", ""), default=today.year)
    year = asked if FIRST_YEAR <= asked <= LAST_YEAR else today.year
    area = _number(request.GET.get("area", ""), default=0) or None
    lists = found.party_lists(scope, year=year, area_id=area, now=now)
    shown = [(each, [(row, STATES[row.state], may_find(scope, row.path)) for row in each.rows]) for each in lists]
    return render(request, "drowning/parties.html", {
        "lists": shown, "is_empty": not any(each.rows for each in lists), "year": year, "years": (today.year, today.year + 1), "area": area,
        "areas": found.listed_areas(scope, year=year), "today": today, "may_manage": actions.MANAGE in scope.rights, **frame_of(scope),
    })


def _number(text: str, *, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else default


@require_POST
@needs(actions.MANAGE)
def make(request: HttpRequest) -> HttpResponse:
    """Make an area's list of a year."""
    scope, language = scope_of(request), reader(request).language
    asked, year = request.POST.get("area", ""), _number(request.POST.get("year", ""), default=0)
    place = find_area(scope, asked, actions.MANAGE)
    if place.area_id is None:
        messages.error(request, (MANY_AREAS if place.count else NO_AREA).render(language, {"found": asked[:40]}))
    else:
        area_id = place.area_id
        _told(request, lambda: LISTED.render(language, {"count": actions.make_list(scope, area_id, year=year, now=clock().now())}))
    back = reverse("drowning:parties")
    return HttpResponseRedirect(f"{back}?year={year}" if FIRST_YEAR <= year <= LAST_YEAR else back)


def _told(request: HttpRequest, do: Callable[[], str]) -> None:
    try:
        messages.success(request, do())
    except ShouwangError as error:
        if error.status in {403, 404}:
            raise
        messages.error(request, error.text(reader(request).language))


@require_POST
@needs(*FIND)
def tick(request: HttpRequest, party_item_id: int) -> HttpResponse:
    """Note the day on which an item was done."""
    scope, language, now = scope_of(request), reader(request).language, clock().now()
    try:
        day = date.fromisoformat(request.POST.get("day", ""))
    except ValueError:
        messages.error(request, NO_DAY.render(language, {}))
        return HttpResponseRedirect(reverse("drowning:parties"))

    def do() -> str:
        actions.tick_item(scope, party_item_id, done_on=day, note=request.POST.get("note", ""), now=now)
        return TICKED.render(language, {})

    _told(request, do)
    return HttpResponseRedirect(f"{reverse('drowning:parties')}?year={_number(request.POST.get('year', ''), default=day.year)}")


@never_cache
@require_GET
@needs(READ)
def joint(request: HttpRequest) -> HttpResponse:
    """List what joint meetings agreed in the reader's scope."""
    scope, now = scope_of(request), clock().now()

    def fetch(query: ListQuery) -> tuple[Sequence[JointRow], int]:
        return found.list_joint_items(
            scope, now=now, text=query.text, state=query.chosen.get("state", ""), sort=query.sort, offset=query.offset, limit=query.limit,
        )

    context = {"may_manage": actions.MANAGE in scope.rights, **frame_of(scope)}
    return list_response(request, spec=LIST, fetch=fetch, template="drowning/joint.html", context=context)


@require_http_methods(["GET", "POST"])
@needs(actions.MANAGE)
def new_joint(request: HttpRequest) -> HttpResponse:
    """Keep an item agreed at a joint meeting as a case."""
    scope, language = scope_of(request), reader(request).language
    form = JointItemForm(request.POST or None, language=language)
    if request.method == "POST" and form.is_valid():
        place = find_area(scope, form.cleaned_data["area"], actions.MANAGE)
        if place.area_id is None:
            form.add_error("area", (MANY_AREAS if place.count else NO_AREA).render(language, {"found": form.cleaned_data["area"]}))
        else:
            try:
                actions.add_joint_item(scope, form.item(place.area_id, request.POST.get("idempotency_key", "")[:KEY_LENGTH]), now=clock().now())
            except ShouwangError as error:
                form.add_error(None, error.text(language))
            else:
                messages.success(request, ADDED.render(language, {}))
                return HttpResponseRedirect(reverse("drowning:joint"))
    return render(request, "drowning/joint_form.html", {
        "form": form, "key": request.POST.get("idempotency_key") or uuid.uuid4().hex, **frame_of(scope),
    }, status=422 if form.errors else 200)
