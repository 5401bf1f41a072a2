"""The first page of a demo: one card a practice of the city. An installation that is no demo has no such page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouwang.kernel.errors import NotFound
from shouwang.web.demo import roles
from shouwang.web.tour import cards


@never_cache
@require_GET
def tour(request: HttpRequest) -> HttpResponse:
    """Show the practices with their figures and running loops, and the roles one may enter as. Raises NotFound outside a demo."""
    known = roles()
    if not known:
        raise NotFound(what="页面")
    found = cards(known)
    return render(request, "web/tour.html", {
        "running": [card for card in found if card.opens], "waiting": [card for card in found if not card.opens], "roles": known,
    })
