"""Posters with the QR of an area's form, one to a page, to be printed and hung up."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_GET

from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.actions import find_area
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import area_names
from shouwang.places import queries as places
from shouwang.requests.pages.resident import qr_of
from shouwang.ui.reader import reader

RIGHTS = ("case.dispatch", "settings.edit", "places.edit")
AT_ONCE = 100
UNKNOWN = Text("没有找到“{found}”，或不止一处", "{found} was not found, or there are several")


@require_GET
@needs(*RIGHTS)
def posters(request: HttpRequest) -> HttpResponse:
    """Ask for a place, then show the posters of it, or of everything just below it."""
    scope, language = scope_of(request), reader(request).language
    right = next(each for each in RIGHTS if each in scope.rights)
    text = " ".join(request.GET.get("place", "").split())[:60]
    found = find_area(scope, text, right) if text else None
    problem = UNKNOWN.render(language, {"found": text}) if found is not None and found.area_id is None else ""
    if found is None or found.area_id is None:
        return render(request, "requests/posters.html", {"problem": problem, "text": text}, status=422 if problem else 200)
    here = places.area(found.area_id)
    below = places.children(here.id)[:AT_ONCE] if "below" in request.GET else [here]
    if not below:
        raise NotFound(what=f"{here.name}的下级")
    names = area_names([area.id for area in below])
    sheets = [(names.get(area.id, area.name), *_address(area.id)) for area in below]
    return render(request, "requests/poster.html", {"sheets": sheets, "area_name": here.name})


def _address(area_id: int) -> tuple[str, str]:
    address = f"{settings.SHOUWANG_ADDRESS}{reverse('requests:report', args=[area_id])}"
    return address, qr_of(address)
