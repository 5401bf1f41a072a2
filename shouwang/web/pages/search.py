"""The search: a page that works alone, and the lines of the dialog that Ctrl+K opens, which posts so that no address holds what was typed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shouwang.people.guard import needs, scope_of
from shouwang.ui.navigation import links
from shouwang.web.pages.desk import language_of
from shouwang.web.pages.phone import own_frame
from shouwang.web.search import TEXT_LENGTH, cleaned, find


@never_cache
@require_http_methods(["GET", "POST"])
@needs("case.read")
def search(request: HttpRequest) -> HttpResponse:
    """Show what the reader may see of what `q` names; posted, the lines alone."""
    text = cleaned((request.POST if request.method == "POST" else request.GET).get("q", ""))
    ways = [(link.title, link.href) for link in links(request)] if text else []
    groups = find(scope_of(request), text, ways=ways, language=language_of(request))
    context = {"text": text, "groups": groups, "number": sum(len(group.rows) for group in groups), "longest": TEXT_LENGTH}
    if request.method == "POST":
        return render(request, "web/_found.html", context)
    return render(request, "web/search.html", {**own_frame(request), **context})
