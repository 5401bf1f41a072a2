"""The wall board: one dark page for the hall's screen, read only, as wide as the screen is."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from shouwang.journal.clock import clock
from shouwang.people.guard import needs, scope_of
from shouwang.web.board import board
from shouwang.web.pages.desk import language_of
from shouwang.web.queries import midnight


@require_GET
@needs("case.read")
def wall(request: HttpRequest) -> HttpResponse:
    """Show the board; asked by its own page, show only what changes."""
    now = clock().now()
    found = board(scope_of(request), since=midnight(now), now=now, language=language_of(request))
    template = "web/_board.html" if request.headers.get("HX-Request") else "web/board.html"
    return render(request, template, {"board": found, "stream_url": "/stream/"})
