"""The programme: how many homes in which state, which meters are heard, and what the alarms turned out to be."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouwang.journal.clock import clock
from shouwang.people.guard import needs, scope_of
from shouwang.systems.living_alone import queries
from shouwang.systems.living_alone.pages.homes import READ, STATES, frame_of
from shouwang.systems.living_alone.rules.labels import LABELS


@never_cache
@require_GET
@needs(READ)
def programme(request: HttpRequest) -> HttpResponse:
    """Show the homes in the reader's scope as counts and figures; no home is named."""
    scope = scope_of(request)
    shown = queries.programme(scope, now=clock().now())
    states = [(code, title, shown.states.get(code, 0)) for code, title in STATES.items()]
    labels = [(title, shown.figures.by_label.get(code, 0)) for code, title in LABELS.items()]
    numbers = shown.figures
    return render(request, "living_alone/programme.html", {
        "programme": shown, "states": states, "labels": labels, "figures": numbers, "years": f"{numbers.home_years:.1f}",
        "contact_median": f"{numbers.contact_median_min or 0:.0f}", "contact_p90": f"{numbers.contact_p90_min or 0:.0f}", **frame_of(scope),
    })
