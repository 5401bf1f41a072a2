"""Hazards: the list, one with its photos, the form with which one is found, and what becomes of a proposal."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.files.queries import file, open_file
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text
from shouwang.people.actions import note_access
from shouwang.people.guard import needs, scope_of
from shouwang.people.rules import Scope
from shouwang.systems.drowning import queries
from shouwang.systems.drowning.actions import hazards as actions
from shouwang.systems.drowning.pages.beyond_forms import HazardForm
from shouwang.systems.drowning.pages.waters import frame_of
from shouwang.systems.drowning.queries import hazards as found
from shouwang.systems.drowning.queries.hazards import OVERDUE, HazardRow
from shouwang.systems.drowning.rules.hazards import DAYS_OFFERED, KEY_LENGTH, KINDS, PROPOSED, STATES
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

READ = "case.read"
FOUND = Text("隐患已登记，已派单整改。", "The hazard is recorded; somebody is asked to mend it.")
DROPPED = Text("已注明不作隐患。", "Noted: no hazard.")
LATE = Text("已超期", "Overdue")
LIST: ListSpec[HazardRow] = ListSpec(
    title=Text("水域隐患", "Hazards at waters"),
    columns=(
        Column("water", Text("水域", "Water"), lambda row: row.water, sortable=True),
        Column("kind", Text("隐患", "Hazard"), lambda row: KINDS[row.kind]),
        Column("what", Text("情况", "In words"), lambda row: row.what),
        Column("unit", Text("由谁整改", "Who mends it"), lambda row: row.unit),
        Column("until", Text("期限", "By"), lambda row: row.until, sortable=True),
        Column("state", Text("状态", "State"), lambda row: LATE if row.is_overdue else STATES[row.state]),
        Column("found", Text("发现时间", "Found"), lambda row: row.found_at, sortable=True),
        Column("done", Text("做了什么", "What was done"), lambda row: row.done),
    ),
    filters=(
        Filter("state", Text("状态", "State"), [Choice(OVERDUE, LATE), *(Choice(code, text) for code, text in STATES.items())]),
        Filter("kind", Text("种类", "Kind"), [Choice(code, text) for code, text in KINDS.items()]),
    ),
    sort="until",
    link=lambda row: f"/waters/hazards/{row.id}/",
    searched=Text("水域、情况、责任单位", "Water, what is wrong, who mends it"),
)


@never_cache
@require_GET
@needs(READ)
def hazards(request: HttpRequest) -> HttpResponse:
    """List the hazards in the reader's scope."""
    scope, now, language = scope_of(request), clock().now(), reader(request).language

    def fetch(query: ListQuery) -> tuple[Sequence[HazardRow], int]:
        return found.list_hazards(
            scope, now=now, language=language, text=query.text, state=query.chosen.get("state", ""), kind=query.chosen.get("kind", ""),
            sort=query.sort, offset=query.offset, limit=query.limit,
        )

    return list_response(request, spec=LIST, fetch=fetch, template="drowning/hazards.html", context=frame_of(scope))


@never_cache
@require_GET
@needs(READ)
def hazard(request: HttpRequest, hazard_id: int) -> HttpResponse:
    """Show one hazard: what is wrong, who mends it by when, and what was done."""
    scope, now, language = scope_of(request), clock().now(), reader(request).language
    row = found.hazard_in(scope, hazard_id, now=now, language=language)
    may_decide = row.state == PROPOSED and scope.may(actions.DECIDE, row.path)
    form = _new_form(None, language=language, unit=row.unit) if may_decide else None
    return render(request, "drowning/hazard.html", _shown(scope, row, form))


def _shown(scope: Scope, row: HazardRow, form: HazardForm | None) -> dict[str, Any]:
    return {
        "hazard": row, "kind": KINDS[row.kind], "state": LATE if row.is_overdue else STATES[row.state], "is_proposed": row.state == PROPOSED,
        "form": form, "key": uuid.uuid4().hex, **frame_of(scope),
    }


def _new_form(data: Any, *, language: str, unit: str) -> HazardForm:
    form = HazardForm(data, language=language)
    form.initial = {"unit": unit, "until": local(clock().now()).date() + timedelta(days=DAYS_OFFERED)}
    return form


@require_http_methods(["GET", "POST"])
@needs(*actions.FIND)
def new_hazard(request: HttpRequest, water_id: int) -> HttpResponse:
    """Record a hazard found at a water, on a patrol or otherwise."""
    scope, language = scope_of(request), reader(request).language
    water = queries.water_in(scope, water_id)
    actions.require_find(scope, water.path)
    asked = request.POST if request.method == "POST" else request.GET
    patrol = asked.get("patrol", "")
    form = _new_form(request.POST if request.method == "POST" else None, language=language, unit=water.owner)
    if request.method == "POST" and form.is_valid():
        photo = request.FILES.get("photo")
        try:
            actions.find_hazard(
                scope, water_id, form.hazard(request.POST.get("idempotency_key", "")[:KEY_LENGTH]), photo=photo.read() if photo else None,
                patrol_id=int(patrol) if patrol.isascii() and patrol.isdigit() and len(patrol) < 16 else None, now=clock().now(),
            )
        except ShouwangError as error:
            form.add_error(None, error.text(language))
        else:
            messages.success(request, FOUND.render(language, {}))
            return HttpResponseRedirect(reverse("drowning:water", args=[water_id]))
    return render(request, "drowning/hazard_form.html", {
        "form": form, "water": water, "patrol": patrol, "key": request.POST.get("idempotency_key") or uuid.uuid4().hex, **frame_of(scope),
    }, status=422 if form.errors else 200)


@require_POST
@needs(actions.DECIDE)
def take(request: HttpRequest, hazard_id: int) -> HttpResponse:
    """Have a proposed hazard mended, or say why it is none."""
    scope, now, language = scope_of(request), clock().now(), reader(request).language
    row = found.hazard_in(scope, hazard_id, now=now, language=language)
    back = HttpResponseRedirect(reverse("drowning:hazard", args=[hazard_id]))
    if request.POST.get("do") == "drop":
        _told(request, lambda: actions.drop_proposal(scope, hazard_id, why=request.POST.get("why", ""), now=now), done=DROPPED)
        return back
    form = _new_form(request.POST, language=language, unit=row.unit)
    if not form.is_valid():
        return render(request, "drowning/hazard.html", _shown(scope, row, form), status=422)
    key = request.POST.get("idempotency_key", "")[:KEY_LENGTH]
    _told(request, lambda: actions.take_proposal(scope, hazard_id, form.hazard(key), now=now), done=FOUND)
    return back


def _told(request: HttpRequest, do: Any, *, done: Text) -> None:
    language = reader(request).language
    try:
        do()
    except ShouwangError as error:
        if error.status in {403, 404}:
            raise
        messages.error(request, error.text(language))
    else:
        messages.success(request, done.render(language, {}))


@never_cache
@require_GET
@needs(READ)
def photo(request: HttpRequest, hazard_id: int, number: int) -> HttpResponseBase:
    """Show the photo of a hazard as it was found (0) or mended (1): always the cleaned copy; each opening is logged."""
    scope, now = scope_of(request), clock().now()
    row = found.hazard_in(scope, hazard_id, now=now, language=reader(request).language)
    file_id = {0: row.photo_id, 1: row.done_photo_id}.get(number)
    if file_id is None or file(file_id).derived_from_id is None:
        raise NotFound(what=f"照片 {number}")
    content = open_file(file_id)
    note_access(scope, action="PHOTO", object=("hazard", hazard_id), path=row.path, now=now)
    return FileResponse(content, content_type="image/jpeg")
