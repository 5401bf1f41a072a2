"""Procedures: which one holds where, its ladder and limits, changed for one area or followed from above again."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from shouwang.cases.actions import inherit_procedure, publish_procedure
from shouwang.cases.queries import current_procedure
from shouwang.cases.rules.editing import edited, field_names
from shouwang.cases.rules.procedures import ProcedureInvalid
from shouwang.journal.clock import clock
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.places.queries import ancestors_of, area_asked, children
from shouwang.ui.lists import Column, ListQuery, ListSpec, list_response
from shouwang.web.pages.desk import language_of
from shouwang.web.procedures import Line, listed, shown

RIGHT = "settings.edit"
PUBLISHED = Text("已发布；未办结的事件仍按原版本办理", "Published; open cases keep the version they began with")
FOLLOWS = Text("已恢复为随上级", "It follows the area above again")


@require_GET
@needs(RIGHT)
def procedures(request: HttpRequest) -> HttpResponse:
    """Show every procedure as it holds in one area."""
    scope, language = scope_of(request), language_of(request)
    place = area_asked(request.GET.get("area", ""), scope.paths_for(RIGHT))
    lines = listed(place, language)

    def fetch(query: ListQuery) -> tuple[Sequence[Line], int]:
        return lines[query.offset : query.offset + query.limit], len(lines)

    spec: ListSpec[Line] = ListSpec(
        title=Text("流程", "Procedures"),
        columns=(
            Column("title", Text("流程", "Procedure"), lambda line: line.title),
            Column("source", Text("来自", "From"), lambda line: line.source),
            Column("number", Text("版本", "Version"), lambda line: line.number, numeric=True),
            Column("at", Text("发布", "Published"), lambda line: line.published_at),
            Column("own", Text("自有版本的地区", "Areas with their own"), lambda line: line.own, numeric=True),
        ),
        link=lambda line: f"/setup/procedures/{line.code}/?{urlencode({'area': place.id})}",
    )
    return list_response(request, spec=spec, fetch=fetch, template="web/procedures.html", context={"place": place})


@require_http_methods(["GET", "POST"])
@needs(RIGHT)
def procedure(request: HttpRequest, code: str) -> HttpResponse:
    """Show one procedure as it holds in an area; publish it with other minutes for that area and below."""
    scope, language = scope_of(request), language_of(request)
    place = area_asked((request.POST if request.method == "POST" else request.GET).get("area", ""), scope.paths_for(RIGHT))
    problem, given = "", {}
    if request.method == "POST":
        _, text = current_procedure(code, place.path)
        given = {name: request.POST[name] for name in field_names(text) if name in request.POST}
        try:
            publish_procedure(edited(text, given), shipped=False, path=place.path, by=scope.person_id, now=clock().now())
        except ProcedureInvalid as error:
            problem = error.text(language)
        else:
            messages.success(request, PUBLISHED.render(language, {}))
            return _back(code, place.id)
    return render(request, "web/procedure.html", {
        "procedure": shown(code, place, language, given), "place": place, "problem": problem,
        "above": [each for each in ancestors_of(place.path) if scope.may(RIGHT, each.path) and each.id != place.id], "below": children(place.id),
    }, status=422 if problem else 200)


@require_POST
@needs(RIGHT)
def follow(request: HttpRequest, code: str) -> HttpResponse:
    """Let an area follow the procedure of the area above again."""
    scope = scope_of(request)
    place = area_asked(request.POST.get("area", ""), scope.paths_for(RIGHT))
    inherit_procedure(code, path=place.path, by=scope.person_id or 0, now=clock().now())
    messages.success(request, FOLLOWS.render(language_of(request), {}))
    return _back(code, place.id)


def _back(code: str, area_id: int) -> HttpResponseRedirect:
    return HttpResponseRedirect(f"{reverse('web:procedure', args=[code])}?{urlencode({'area': area_id})}")
