"""The views a person has saved of the desk: save, list, rename, delete, and take a deletion back."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound, ShouwangError
from shouwang.people.actions import drop_view, rename_view, restore_view, save_view
from shouwang.people.guard import needs, scope_of
from shouwang.people.queries import dropped_view, own_views
from shouwang.people.rules.views import VIEW_NAME_LENGTH, VIEWS_MOST
from shouwang.web.desk import PAGE, narrowing_of
from shouwang.web.pages.desk import language_of


@never_cache
@require_GET
@needs("case.read")
def views(request: HttpRequest) -> HttpResponse:
    """Show the own saved views of the desk; `dropped` names one that was just deleted and can be taken back."""
    return _list(request, dropped=request.GET.get("dropped", ""))


def _list(request: HttpRequest, *, dropped: str = "", problem: str = "", status: int = 200) -> HttpResponse:
    scope = scope_of(request)
    number = int(dropped) if dropped.isascii() and dropped.isdigit() and len(dropped) < 19 else 0
    return render(request, "web/views.html", {
        "views": own_views(scope, PAGE), "dropped": dropped_view(scope, number) if number else None, "problem": problem,
        "longest": VIEW_NAME_LENGTH, "most": VIEWS_MOST,
    }, status=status)


@require_POST
@needs("case.read")
def save(request: HttpRequest) -> HttpResponse:
    """Keep what the desk is narrowed to under a name and open it."""
    scope = scope_of(request)
    try:
        query = narrowing_of(scope, QueryDict(request.POST.get("query", "")[:500]).dict()).query
        save_view(scope, page=PAGE, name=request.POST.get("name", ""), query=query, now=clock().now())
    except ShouwangError as error:
        return _list(request, problem=error.text(language_of(request)), status=error.status)
    return redirect(f"{reverse('web:desk')}?{query}" if query else "web:desk")


@require_POST
@needs("case.read")
def change(request: HttpRequest, view_id: int, what: str) -> HttpResponse:
    """Rename, drop or restore one of the own views and show the list."""
    scope, address = scope_of(request), reverse("web:views")
    try:
        if what == "rename":
            rename_view(scope, view_id, name=request.POST.get("name", ""))
        elif what == "drop":
            drop_view(scope, view_id, now=clock().now())
            address += f"?dropped={view_id}"
        elif what == "restore":
            restore_view(scope, view_id)
        else:
            raise NotFound(what=f"视图 {view_id}")
    except ShouwangError as error:
        return _list(request, problem=error.text(language_of(request)), status=error.status)
    return redirect(address)
