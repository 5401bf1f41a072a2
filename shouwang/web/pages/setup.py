"""Where an administrator begins: what can be set up here, each in one sentence."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from shouwang.journal.clock import clock
from shouwang.people.guard import needs, scope_of
from shouwang.web import queries
from shouwang.web.pages.desk import language_of
from shouwang.web.rules import SETUP


@require_GET
@needs("settings.edit", "places.edit", "people.edit")
def setup(request: HttpRequest) -> HttpResponse:
    """Show what the reader may set up, and where nobody is on duty."""
    scope = scope_of(request)
    return render(request, "web/setup.html", {
        "cards": [card for card in SETUP if card.right in scope.rights],
        "gaps": queries.gaps(scope, now=clock().now(), language=language_of(request)),
    })
