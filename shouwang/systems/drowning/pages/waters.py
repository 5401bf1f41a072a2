"""The list of waters, one water with its cameras, and noting that persons there are known."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

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
from shouwang.people.rules import Scope
from shouwang.places.queries import full_names
from shouwang.systems.drowning import actions, queries
from shouwang.systems.drowning.links import picture_link
from shouwang.systems.drowning.pages.beyond import beyond_of
from shouwang.systems.drowning.pages.forms import WaterForm
from shouwang.systems.drowning.queries import pages
from shouwang.systems.drowning.queries.pages import WaterLine
from shouwang.systems.drowning.rules import TITLES
from shouwang.systems.drowning.rules.known import HOURS_OFFERED, MOST_PERSONS
from shouwang.systems.drowning.rules.waters import KINDS
from shouwang.telemetry.queries import things
from shouwang.ui.lists import Choice, Column, Filter, ListQuery, ListSpec, list_response
from shouwang.ui.reader import reader

READ = "case.read"
EDIT = "settings.edit"
WATCH = "case.dispatch"
SPEAK = ("case.handle", "case.dispatch", EDIT)
STATES = {
    "ALARM": Text("水边有人", "Somebody at the water"), "KNOWN": Text("已知人员", "Known persons"), "QUIET": Text("正常", "Quiet"),
    "BLIND": Text("没有在线的摄像机", "No camera online"), "LEFT": Text("不再看护", "Not watched"),
}
VERDICTS = {
    "ALARM": Text("报警", "Alarm"), "KNOWN": Text("已知人员", "Known"), "OUTSIDE": Text("区域外", "Outside the zones"),
    "NO_PERSON": Text("不是人", "No person"), "NOT_YET": Text("停留未到时", "Not long enough"), "LEFT": Text("已离开", "Left"),
}
SAVED = Text("已保存。", "Saved.")
NOTED = Text("已登记：{until} 前 {persons} 人以内不报警；多一个人照样报警。", "Noted: up to {persons} persons raise no alert until {until}; one more still does.")
ENDED = Text("已结束，照常报警。", "Ended; alerts as usual.")
LIST: ListSpec[WaterLine] = ListSpec(
    title=Text("防溺水", "Waters"),
    columns=(
        Column("name", Text("水域", "Water"), lambda row: row.name, sortable=True),
        Column("state", Text("状态", "State"), lambda row: STATES[row.state]),
        Column("kind", Text("种类", "Kind"), lambda row: KINDS[row.kind]),
        Column("area", Text("地区", "Area"), lambda row: row.area, sortable=True),
        Column("owner", Text("责任单位", "Who answers for it"), lambda row: row.owner),
        Column("cameras", Text("摄像机", "Cameras"), lambda row: row.cameras, numeric=True),
        Column("offline", Text("离线", "Offline"), lambda row: row.offline, numeric=True),
        Column("last", Text("最近一次有人", "Last sighting"), lambda row: row.last_at),
    ),
    filters=(
        Filter("state", Text("状态", "State"), [Choice("ALARM", STATES["ALARM"]), Choice("LEFT", STATES["LEFT"])]),
        Filter("kind", Text("种类", "Kind"), [Choice(code, text) for code, text in KINDS.items()]),
    ),
    sort="area",
    link=lambda row: f"/waters/{row.id}/",
    searched=Text("水域名称、责任单位", "Name, or who answers for it"),
)


def frame_of(scope: Scope) -> dict[str, object]:
    """Return the frame of this system's pages: the desk's, or the phone's for those who only go and look."""
    at_desk = bool(scope.rights & {"case.dispatch", EDIT})
    return {"frame": "ui/base.html" if at_desk else "ui/phone.html", "at_desk": at_desk, "can_edit": EDIT in scope.rights, "may_watch": WATCH in scope.rights}


@never_cache
@require_GET
@needs(READ)
def waters(request: HttpRequest) -> HttpResponse:
    """List the waters in the reader's scope."""
    scope, now = scope_of(request), clock().now()

    def fetch(query: ListQuery) -> tuple[Sequence[WaterLine], int]:
        return pages.list_waters(
            scope, now=now, text=query.text, state=query.chosen.get("state", ""), kind=query.chosen.get("kind", ""), sort=query.sort,
            offset=query.offset, limit=query.limit,
        )

    return list_response(request, spec=LIST, fetch=fetch, template="drowning/waters.html", context=frame_of(scope))


@require_http_methods(["GET", "POST"])
@needs(EDIT)
def new(request: HttpRequest) -> HttpResponse:
    """Register a water."""
    return _form(request, {}, back=reverse("drowning:waters"))


@require_http_methods(["GET", "POST"])
@needs(EDIT)
def edit(request: HttpRequest, water_id: int) -> HttpResponse:
    """Change what is known of a water."""
    row = queries.water_in(scope_of(request), water_id)
    names = full_names([row.area_id])
    known: dict[str, object] = {
        "name": row.name, "kind": row.kind, "area": names.get(row.area_id, ""), "owner": row.owner, "note": row.note, "lon": row.lon, "lat": row.lat,
    }
    return _form(request, known, back=reverse("drowning:water", args=[water_id]))


def _form(request: HttpRequest, known: dict[str, object], *, back: str) -> HttpResponse:
    language, scope = reader(request).language, scope_of(request)
    form = WaterForm(request.POST or None, language=language)
    form.initial = known
    if request.method == "POST" and form.is_valid():
        found = find_area(scope, form.cleaned_data["area"], EDIT)
        if found.area_id is None:
            said = NO_AREA if not found.count else MANY_AREAS
            form.add_error("area", said.render(language, {"found": form.cleaned_data["area"]}))
        else:
            try:
                water_id = actions.add_water(scope, form.water(found.area_id), now=clock().now())
            except ShouwangError as error:
                form.add_error("name", error.text(language))
            else:
                messages.success(request, SAVED.render(language, {}))
                return HttpResponseRedirect(reverse("drowning:water", args=[water_id]))
    return render(request, "drowning/form.html", {"form": form, "back": back, **frame_of(scope)}, status=422 if form.errors else 200)


NO_AREA = Text("没有找到地区“{found}”，或不在您的管辖范围内", "The area {found} was not found, or lies outside yours")
MANY_AREAS = Text("“{found}”有多个，请写全称", "{found} may be several; write the full name")


@never_cache
@require_GET
@needs(READ)
def water(request: HttpRequest, water_id: int) -> HttpResponse:
    """Show one water: its cameras with their last pictures, who is known there, what was seen."""
    scope, now, language = scope_of(request), clock().now(), reader(request).language
    row = queries.water_in(scope, water_id)
    line = pages.water_line(water_id, now=now)
    return render(request, "drowning/water.html", {
        "water": row, "line": line, "state": STATES[line.state], "kind": KINDS[row.kind], "area": full_names([row.area_id]).get(row.area_id, ""),
        "cameras": [(each, picture_link(each.camera.picture_event_id) if each.camera.picture_event_id else "") for each in pages.camera_lines(water_id, now=now)],
        "known": [(each, each.ended_at is None and each.until > now) for each in pages.known_rows(water_id, now=now, language=language)],
        "history": [(each, VERDICTS[each.verdict], TITLES.get(each.kind, "")) for each in pages.history(water_id=water_id)],
        "may_speak": any(scope.may(right, row.path) for right in SPEAK), "may_edit": scope.may(EDIT, row.path),
        "hours": HOURS_OFFERED, "most_persons": MOST_PERSONS, "free_cameras": _free(scope) if scope.may(EDIT, row.path) else [],
        **beyond_of(scope, row, now=now, language=language), **frame_of(scope),
    })


def _free(scope: Scope) -> list[tuple[str, str]]:
    """Return the registered cameras of the reader's areas that watch no water yet."""
    found, _ = things(scope, now=clock().now(), kind="CAMERA", limit=500)
    taken = queries.cameras_of([each.id for each in found])
    return [(each.external_id, each.name) for each in found if each.id not in taken and scope.may(EDIT, each.path)][:200]


@require_POST
@needs(*SPEAK)
def known(request: HttpRequest, water_id: int) -> HttpResponse:
    """Note that some persons at a water are known for some hours."""
    scope, now, language = scope_of(request), clock().now(), reader(request).language
    queries.water_in(scope, water_id)
    hours, persons = request.POST.get("hours", ""), request.POST.get("persons", "")
    until = now + timedelta(hours=int(hours) if hours.isascii() and hours.isdigit() and len(hours) < 4 else 0)
    number = int(persons) if persons.isascii() and persons.isdigit() and len(persons) < 4 else 0
    try:
        actions.declare_known(scope, water_id, persons=number, reason=request.POST.get("reason", ""), until=until, now=now)
    except ShouwangError as error:
        messages.error(request, error.text(language))
    else:
        messages.success(request, NOTED.render(language, {"persons": number, "until": f"{local(until):%H:%M}"}))
    return HttpResponseRedirect(reverse("drowning:water", args=[water_id]))


@require_POST
@needs(*SPEAK)
def end_known(request: HttpRequest, known_id: int) -> HttpResponse:
    """End such a notice before its time."""
    scope = scope_of(request)
    water_id = actions.end_known(scope, known_id, now=clock().now())
    messages.success(request, ENDED.render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("drowning:water", args=[water_id]))


@require_POST
@needs(EDIT)
def add_camera(request: HttpRequest, water_id: int) -> HttpResponse:
    """Let a registered camera watch the water."""
    scope, language = scope_of(request), reader(request).language
    try:
        actions.add_camera(scope, water_id, external_id=request.POST.get("camera", ""), now=clock().now())
    except ShouwangError as error:
        messages.error(request, error.text(language))
    else:
        messages.success(request, SAVED.render(language, {}))
    return HttpResponseRedirect(reverse("drowning:water", args=[water_id]))


@require_POST
@needs(EDIT)
def watch(request: HttpRequest, water_id: int) -> HttpResponse:
    """Stop watching a water, or watch it again."""
    actions.retire_water(scope_of(request), water_id, active=request.POST.get("do") == "on", now=clock().now())
    messages.success(request, SAVED.render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("drowning:water", args=[water_id]))
