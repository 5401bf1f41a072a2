"""The public feed: what this office warns of, as CAP 1.2 messages listed in Atom. Read without an account."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from shouwang.alerts.queries import public_alert, public_alerts
from shouwang.alerts.rules.cap import CAP_TYPE, Office, feed, message
from shouwang.journal.clock import clock
from shouwang.places.queries import roots

FEED_SPAN = timedelta(days=7)
KEPT_S = 30


@require_safe
def alerts_feed(request: HttpRequest) -> HttpResponse:
    """Return the alerts of public kinds of the last seven days."""
    del request
    now = clock().now()
    return _served(feed(public_alerts(since=now - FEED_SPAN), _office(), now=now), "application/atom+xml")


@require_safe
def alert_message(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Return one alert as it stands now; 404 for what is not public."""
    del request
    return _served(message(public_alert(alert_id), _office()), CAP_TYPE)


def _served(content: bytes, kind: str) -> HttpResponse:
    return HttpResponse(content, content_type=f"{kind}; charset=utf-8", headers={"Cache-Control": f"public, max-age={KEPT_S}"})


def _office() -> Office:
    first = next(iter(roots()), None)
    name = f"{first.name}守望" if first else "守望"
    return Office(settings.SHOUWANG_CELL, f"shouwang@{settings.SHOUWANG_CELL}", name, settings.SHOUWANG_ADDRESS)
