"""The calling screen of one window, numbers given at the desk, and matters recorded while somebody sits there."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from shouwang.activities import actions, queries
from shouwang.activities.actions import NewMatter
from shouwang.activities.actions.matters import HANDLED
from shouwang.activities.models import Activity
from shouwang.activities.pages.parts import frame_of, new_key, number_in, told
from shouwang.activities.queries import MANAGE, kind_of
from shouwang.activities.rules.queue import require_window
from shouwang.activities.rules.states import STATES
from shouwang.journal.clock import clock
from shouwang.kernel.errors import NotFound
from shouwang.kernel.texts import Text
from shouwang.people.guard import needs, scope_of
from shouwang.ui.reader import reader

GIVEN = Text("{number} 号", "Number {number}")
NOBODY = Text("暂时无人等候。", "Nobody is waiting.")
RECORDED = Text("已登记。", "Recorded.")


@never_cache
@require_GET
@needs(*MANAGE)
def window(request: HttpRequest, activity_id: int, number: int) -> HttpResponse:
    """Show a window its number in hand, whom it may call, and what it may record."""
    row = _row(request, activity_id, number)
    kind = kind_of(row.kind)
    return render(request, "activities/window.html", {
        **_now(row, number), "matter_kinds": queries.matters_of(kind), "handled": HANDLED.items(), "windows": range(1, row.windows + 1),
        "state": STATES[row.state], "is_running": row.state == "RUNNING", **frame_of(scope_of(request)), "frame": "ui/base.html",  # type: ignore[index]
    })


@never_cache
@require_GET
@needs(*MANAGE)
def waiting(request: HttpRequest, activity_id: int, number: int) -> HttpResponse:
    """Show who waits and who was passed over, as it is now."""
    return render(request, "activities/_waiting.html", _now(_row(request, activity_id, number), number))


@require_POST
@needs(*MANAGE)
def call(request: HttpRequest, activity_id: int, number: int, what: str) -> HttpResponse:
    """Call the next number, call one again, or finish the one in hand."""
    scope, post, now = scope_of(request), request.POST, clock().now()
    key, ticket = post.get("idempotency_key", ""), number_in(post.get("number", ""))
    if what == "next":
        finishing = "SKIP" if post.get("finishing") == "SKIP" else "DONE"
        found: list[int | None] = []
        told(request, lambda: found.append(actions.call_next(
            scope, activity_id, window=number, key=key, having=ticket, finishing=finishing, now=now,  # type: ignore[arg-type]
        )))
        if found == [None]:
            messages.info(request, NOBODY.render(reader(request).language, {}))
    elif what == "again" and ticket is not None:
        told(request, lambda: actions.call_again(scope, activity_id, number=ticket, window=number, key=key, now=now))
    elif what in {"done", "skip"} and ticket is not None:
        told(request, lambda: actions.finish(
            scope, activity_id, number=ticket, window=number, finishing=what.upper(), now=now,  # type: ignore[arg-type]
        ))
    else:
        raise NotFound(what=what[:20])
    return HttpResponseRedirect(reverse("activities:window", args=[activity_id, number]))


@require_POST
@needs(*MANAGE)
def give(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Give the next number at the desk and show it."""
    scope, given = scope_of(request), []
    if told(request, lambda: given.append(actions.give_number(scope, activity_id, key=request.POST.get("idempotency_key", ""), now=clock().now()))):
        messages.success(request, GIVEN.render(reader(request).language, {"number": given[0]}))
    return HttpResponseRedirect(reverse("activities:activity", args=[activity_id]) + "#queue")


@require_POST
@needs(*MANAGE)
def matter(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Record one matter: settled or answered on the spot, or handed on."""
    scope, post = scope_of(request), request.POST
    handled = post.get("handled", "")
    new = NewMatter(
        post.get("matter", ""), handled, post.get("idempotency_key", ""), number_in(post.get("number", "")),  # type: ignore[arg-type]
        post.get("note", ""), post.get("name", ""), post.get("phone", ""),
    )
    told(request, lambda: actions.record_matter(scope, activity_id, new, now=clock().now()), done=RECORDED)
    at = number_in(post.get("window", ""))
    if at is not None:
        return HttpResponseRedirect(reverse("activities:window", args=[activity_id, at]))
    return HttpResponseRedirect(reverse("activities:activity", args=[activity_id]) + "#matters")


def _row(request: HttpRequest, activity_id: int, number: int) -> Activity:
    row = queries.activity_in(scope_of(request), activity_id)
    kind_of(row.kind).require("QUEUE")
    require_window(number, row.windows)
    return row


def _now(row: Activity, number: int) -> dict[str, Any]:
    return {"activity": row, "window": number, "shown": queries.window_now(row, number), "key": new_key()}
