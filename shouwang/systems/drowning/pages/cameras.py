"""One camera: its zones drawn on its last picture, its health and history; and the pictures themselves."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.files.queries import open_file
from shouwang.journal.clock import clock
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.systems.drowning import actions, queries
from shouwang.systems.drowning.links import picture_link, read_picture
from shouwang.systems.drowning.pages.waters import EDIT, READ, SAVED, VERDICTS, frame_of
from shouwang.systems.drowning.queries import pages
from shouwang.systems.drowning.rules import TITLES
from shouwang.systems.drowning.rules.errors import ThresholdWrong, ZoneWrong
from shouwang.systems.drowning.rules.thresholds import effects, proposed
from shouwang.ui.reader import reader

BANDS = {"SHORE": Text("岸边", "Shore"), "WATER": Text("水中", "Water")}


class DrawnZone(msgspec.Struct, forbid_unknown_fields=True):
    """A zone as the editor sends it."""

    code: str
    band: str
    polygon: list[Any]
    season_first: int = 101
    season_last: int = 1231
    hours_start: int = 0
    hours_end: int = 0
    level_from: float | None = None
    level_to: float | None = None
    stay_s: int = 0
    group_from: int = 3


@never_cache
@require_GET
@needs(READ)
def camera(request: HttpRequest, camera_id: int) -> HttpResponse:
    """Show a camera."""
    scope, now = scope_of(request), clock().now()
    row = queries.camera_in(scope, camera_id)
    line = next((each for each in pages.camera_lines(row.water.id, now=now) if each.camera.id == camera_id), None)
    drawn = [
        {
            "code": zone.code, "band": zone.band, "polygon": zone.polygon, "season_first": zone.season.first, "season_last": zone.season.last,
            "hours_start": zone.hours.start, "hours_end": zone.hours.end, "level_from": zone.level_from, "level_to": zone.level_to,
            "stay_s": zone.stay_s, "group_from": zone.group_from,
        }
        for zone in queries.zones_of([camera_id]).get(camera_id, ())
    ]
    labels = pages.labelled(camera_id)
    shown = effects(labels)
    return render(request, "drowning/camera.html", {
        "camera": row, "line": line, "zones": drawn, "bands": BANDS, "picture": picture_link(row.picture_event_id) if row.picture_event_id else "",
        "zone_rows": [(each, BANDS[str(each["band"])]) for each in drawn],
        "history": [(each, VERDICTS[each.verdict], TITLES.get(each.kind, "")) for each in pages.history(camera_id=camera_id)],
        "labels": len(labels), "effects": shown, "proposed": proposed(shown), "may_edit": scope.may(EDIT, row.water.path), **frame_of(scope),
    })


@require_POST
@needs(EDIT)
def threshold(request: HttpRequest, camera_id: int) -> HttpResponse:
    """Take over a threshold whose effect was shown."""
    try:
        least = float(request.POST.get("least_score", ""))
    except ValueError:
        least = -1.0
    try:
        actions.set_threshold(scope_of(request), camera_id, least_score=least, now=clock().now())
    except ThresholdWrong as error:
        messages.error(request, error.text(reader(request).language))
    else:
        messages.success(request, SAVED.render(reader(request).language, {}))
    return HttpResponseRedirect(reverse("drowning:camera", args=[camera_id]))


@require_POST
@needs(EDIT)
def zones(request: HttpRequest, camera_id: int) -> HttpResponse:
    """Keep the zones that were drawn."""
    language = reader(request).language
    try:
        drawn = msgspec.json.decode(request.POST.get("zones", "").encode(), type=list[DrawnZone])
        new = [
            actions.NewZone(
                each.code, each.band, each.polygon, (each.season_first, each.season_last), (each.hours_start, each.hours_end),
                (each.level_from, each.level_to), each.stay_s, each.group_from,
            )
            for each in drawn
        ]
        actions.save_zones(scope_of(request), camera_id, new, now=clock().now())
    except msgspec.DecodeError as error:
        messages.error(request, ZoneWrong(found=str(error)[:80], problem="JSON").text(language))
    except ShouwangError as error:
        messages.error(request, error.text(language))
    else:
        messages.success(request, SAVED.render(language, {}))
    return HttpResponseRedirect(reverse("drowning:camera", args=[camera_id]))


@never_cache
@require_GET
def picture(request: HttpRequest, token: str) -> HttpResponseBase:
    """Show the distributed copy of a camera's picture to whoever was shown its page within the last hour."""
    del request
    file_id, box = queries.picture_of(*read_picture(token))
    copy = actions.shown_copy(file_id, box=box, now=clock().now())
    return FileResponse(open_file(copy), content_type="image/jpeg")
