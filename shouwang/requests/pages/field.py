"""The grid worker's report on the phone: a photo, one line, the place from the phone or the own grid; and what became of them."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import area_names
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.requests import actions, queries
from shouwang.requests.links import follow_link
from shouwang.requests.pages.forms import FieldForm
from shouwang.requests.pages.photos import keep, photos_in
from shouwang.requests.pages.resident import new_key
from shouwang.requests.rules.numbers import spoken
from shouwang.ui.reader import reader

RIGHT = "case.handle"
OWN_AREAS = 30
SHOWN = 20
SENT = Text("已上报，编号 {number}。", "Reported, number {number}.")


def own_areas(scope: Scope) -> dict[int, str]:
    """Return the areas where the person handles cases, the deepest duty's first, by full name."""
    ids = [int(path.rstrip("/").rpartition("/")[2]) for path in scope.paths_for(RIGHT) if path.strip("/")]
    known = places.areas(ids[:OWN_AREAS])
    names = area_names(known)
    return {row.id: names.get(row.id, row.name) for row in sorted(known.values(), key=lambda row: (-row.path.count("/"), row.path))}


@never_cache
@require_http_methods(["GET", "POST"])
@needs(RIGHT)
def report(request: HttpRequest) -> HttpResponse:
    """Show the form with the own reports, and take what it is sent; sent again, it changes nothing.

    Always the phone's page, for officers too: it keeps what finds no network.
    """
    scope, language, now = scope_of(request), reader(request).language, clock().now()
    areas = own_areas(scope)
    form = FieldForm(request.POST if request.method == "POST" else None, language=language, areas=areas)
    status = 200
    if request.method == "GET":
        form.initial.update(idempotency_key=new_key(), area=str(next(iter(areas), "")))
    elif form.is_valid() and areas:
        area_id = int(form.cleaned_data["area"] or next(iter(areas)))
        try:
            photos = photos_in(request, now=now)
            taken = actions.report_from_field(scope, form.report("FIELD_REPORT", area_id), photos=photos, now=now)
        except ShouwangError as error:
            form.add_error(None, error.text(language))
            status = error.status
        else:
            keep(photos, now=now)
            messages.success(request, SENT.render(language, {"number": spoken(taken.number)}))
            return HttpResponseRedirect(reverse("requests:field"))
    else:
        status = 422
    context = {"form": form, "areas": areas, "here": next(iter(areas.values()), ""), "own": _own(scope), "at_desk": frame_of(scope)["at_desk"]}
    return render(request, "requests/field.html", context, status=status)


def _own(scope: Scope) -> list[dict[str, object]]:
    found = queries.own_reports(scope.person_id or 0, limit=SHOWN)
    return [{"row": each.row, "asks": each.asks, "link": follow_link(each.report_id)} for each in found]


def frame_of(scope: Scope) -> dict[str, object]:
    """Return the frame of a page: the desk's, or the phone's for those who only go and look."""
    at_desk = bool(scope.rights & {"case.dispatch", "settings.edit", "people.edit"})
    return {"frame": "ui/base.html" if at_desk else "ui/phone.html", "at_desk": at_desk}
