"""Says on each request who asks (`request.scope`), in which language, and at which moment of this installation's clock."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from shouwang.journal.clock import clock
from shouwang.people.models import Account
from shouwang.people.queries import scope_of_account
from shouwang.ui.rules import reader_of

IDLE_MINUTES = 120
HOURS_AT_MOST = 12
SEEN_EVERY_S = 60
SEEN = "seen_s"
SINCE = "since_s"
LANGUAGE = "language"
UNATTENDED = "shouwang.unattended"
"""What the server writes into the environment of a request that nobody in front of the screen has made."""


class WhoIsAsking:
    """Sets `scope` (None for nobody), `language`, `now` and `clock_speed`; ends a session left idle, or too old.

    Idle time is real time, on a scaled clock too: it is about the chair in front of the screen.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Return the answer of the rest of the stack."""
        now = clock().now()
        user = request.user
        if isinstance(user, Account) and not _still_here(request):
            logout(request)
            user = request.user
        scope = scope_of_account(user, now) if isinstance(user, Account) else None
        own = request.session.get(LANGUAGE) if scope is not None else None
        language = reader_of(request.COOKIES, language=request.COOKIES.get(LANGUAGE) or own).language
        asked = {"scope": scope, "language": language, "now": now, "clock_speed": getattr(clock(), "speed", 1.0)}
        for name, value in asked.items():
            setattr(request, name, value)
        return self.get_response(request)


def _still_here(request: HttpRequest) -> bool:
    now_s = int(time.time())
    seen_s = request.session.get(SEEN, now_s)
    since_s = request.session.setdefault(SINCE, now_s)
    idle_s = 60 * int(getattr(settings, "SHOUWANG_IDLE_MINUTES", IDLE_MINUTES))
    if now_s - seen_s > idle_s or now_s - since_s > HOURS_AT_MOST * 3600:
        return False
    if SEEN not in request.session or (now_s - seen_s >= SEEN_EVERY_S and not request.META.get(UNATTENDED)):
        request.session[SEEN] = now_s
    return True
