"""What is printed: the notice that is put up, and the sheet of who has signed up, masked."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from shouwang.activities import queries
from shouwang.activities.pages.parts import qr_of
from shouwang.activities.queries import READ, kind_of
from shouwang.activities.queries.public import notice as notice_in
from shouwang.activities.rules.notice import span_of
from shouwang.activities.rules.plans import ENTRIES
from shouwang.journal.clock import clock
from shouwang.kernel.moments import local
from shouwang.people.actions import note_access
from shouwang.people.guard import needs, scope_of

PEOPLE = "people.read"
EMPTY_LINES = 12


@require_GET
@needs(READ)
def notice(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Show the notice of an activity for print, with the QR of its public page."""
    row = queries.activity_in(scope_of(request), activity_id)
    shown = notice_in(row)
    address, qr = qr_of(row.code)
    return render(request, "activities/notice.html", {
        "notice": shown, "span": span_of(row.starts_at, row.ends_at), "entry": ENTRIES[row.entry], "address": address, "qr": qr,
        "capacity": row.capacity, "today": local(clock().now()).date(),
    })


@never_cache
@require_GET
@needs(PEOPLE)
def sheet(request: HttpRequest, activity_id: int) -> HttpResponse:
    """Show who has signed up for print, masked and without a place to sign; written into the access log."""
    scope, now = scope_of(request), clock().now()
    row = queries.activity_in(scope, activity_id)
    scope.require(PEOPLE, row.path)
    kind = kind_of(row.kind)
    kind.require("SIGN_UP")
    note_access(scope, action="EXPORT", object=("sign_up", None), path=row.path, now=now)
    found = queries.sign_ups(scope, row)
    return render(request, "activities/sheet.html", {
        "notice": notice_in(row), "span": span_of(row.starts_at, row.ends_at), "found": found, "asks_consent": "CONSENT" in kind.uses,
        "people": sum(each.party for each in found if each.state_code == "IN"), "empty": range(EMPTY_LINES),
    })
