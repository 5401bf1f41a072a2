"""The list of homes that somebody cares for: carried along on the phone, also where there is no network."""

from __future__ import annotations

from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouwang.journal.clock import clock
from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity
from shouwang.people.guard import needs, scope_of
from shouwang.systems.living_alone.pages.homes import READ, SPEAK, STATES, frame_of, why_of
from shouwang.systems.living_alone.queries import lives
from shouwang.ui.reader import reader

WORKER = Path(__file__).parents[1] / "static/living_alone/care_worker.js"


@never_cache
@require_GET
@needs(READ)
def care(request: HttpRequest) -> HttpResponse:
    """List the homes somebody cares for, to be carried along: state and last use of each, an absence in one tap also without a network."""
    scope, now = scope_of(request), clock().now()
    (rows, total), language = lives.care_list(scope, now=now), reader(request).language
    shown = [(row, STATES[row.home.state], Severity(row.severity).css if row.severity else "", why_of(row.home.open_case, language)) for row in rows]
    return render(request, "living_alone/care.html", {
        "rows": shown, "total": total, "shown": len(rows), "may_speak": bool(scope.rights & frozenset(SPEAK)), "now": now,
        "at": f"{local(now):%m-%d %H:%M}", **frame_of(scope),
    })


@never_cache
@require_GET
@needs(READ)
def worker(_: HttpRequest) -> HttpResponse:
    """Give the browser the service worker of the list: from below the list's address, for a worker serves only what lies there."""
    return HttpResponse(WORKER.read_bytes(), content_type="text/javascript; charset=utf-8")
