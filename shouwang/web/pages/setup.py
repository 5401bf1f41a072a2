"""Where an administrator begins: what can be set up here, each in one sentence."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.people.guard import needs, scope_of
from shouwang.web import demo, queries
from shouwang.web.checklist import checklist, choose, may_do_without
from shouwang.web.pages.desk import language_of
from shouwang.web.rules import SETUP


@require_GET
@needs("settings.edit", "places.edit", "people.edit")
def setup(request: HttpRequest) -> HttpResponse:
    """Show what the reader may set up, first of all what an office has not set up yet, and where nobody is on duty."""
    scope, now = scope_of(request), clock().now()
    return render(request, "web/setup.html", {
        "cards": [card for card in SETUP if card.right in scope.rights],
        "gaps": queries.gaps(scope, now=now, language=language_of(request)),
        "checklist": [] if demo.roles() else checklist(scope, now=now),
    })


@require_POST
@needs("settings.edit")
def step(request: HttpRequest, code: str) -> HttpResponse:
    """Note that the office does without a step of the list, or not without it after all."""
    if not may_do_without(code):
        raise NotFound(what=f"步骤 {code}")
    choose(scope_of(request), code, needed=bool(request.POST.get("needed")), now=clock().now())
    return redirect("web:setup")
