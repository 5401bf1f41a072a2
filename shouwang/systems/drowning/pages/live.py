"""The hall's own waters as pictures, and what happened at waters in figures."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouwang.journal.clock import clock
from shouwang.kernel.texts import Text
from shouwang.people.actions import note_access
from shouwang.people.guard import needs, scope_of
from shouwang.systems.drowning.links import picture_link
from shouwang.systems.drowning.pages.waters import VERDICTS, WATCH, frame_of
from shouwang.systems.drowning.queries import pages
from shouwang.ui.reader import reader

TIMES = Text("次", "times")


@never_cache
@require_GET
@needs(WATCH)
def live(request: HttpRequest) -> HttpResponse:
    """Show up to nine of the reader's own waters as pictures; every viewing is written into the access log, camera by camera."""
    scope, now = scope_of(request), clock().now()
    shown = pages.live_cameras(scope, now=now)
    for each in shown:
        note_access(scope, action="WATCH", object=("camera", each.camera.id), path=each.camera.water.path, now=now)
    return render(request, "drowning/live.html", {"cards": _cards(shown), **frame_of(scope)})


@never_cache
@require_GET
@needs(WATCH)
def pictures(request: HttpRequest) -> HttpResponse:
    """Show the pictures alone, as they are now."""
    return render(request, "drowning/_pictures.html", {"cards": _cards(pages.live_cameras(scope_of(request), now=clock().now()))})


def _cards(lines: list[pages.CameraLine]) -> list[tuple[pages.CameraLine, str]]:
    return [(each, picture_link(each.camera.picture_event_id) if each.camera.picture_event_id else "") for each in lines]


@never_cache
@require_GET
@needs("case.read")
def figures(request: HttpRequest) -> HttpResponse:
    """Show what happened at the reader's waters in thirty days, by hour and by water."""
    scope = scope_of(request)
    found = pages.figures(scope, now=clock().now())
    chart = {
        "categories": [f"{hour}" for hour in range(24)], "unit": TIMES.render(reader(request).language, {}),
        "series": [{"name": VERDICTS["ALARM"].render(reader(request).language, {}), "values": list(found.by_hour), "kind": "bar"}],
    }
    return render(request, "drowning/figures.html", {
        "figures": found, "verdicts": [(title, found.verdicts.get(code, 0)) for code, title in VERDICTS.items()], "chart": chart, **frame_of(scope),
    })
