"""Switching the rules that watch the meters on and off: they hold for the whole installation."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.systems.living_alone.actions.enrolling import METER
from shouwang.watch.actions import switch_watch
from shouwang.watch.queries import watches

SETTLE = "settings.edit"


def may_switch(scope: Scope) -> bool:
    """Return whether `scope` may settle what holds everywhere."""
    return all(scope.may(SETTLE, root.path) for root in places.roots())


def switch_rule(scope: Scope, code: str, *, enabled: bool, now: datetime) -> None:
    """Switch a rule that watches water meters on or off; what it opened stays open. Raises Refused, NotFound."""
    scope.require(SETTLE)
    if not may_switch(scope) or code not in {row.code for row in watches() if row.thing_kind == METER}:
        raise NotFound(what=f"监测 {code[:48]}")
    with transaction.atomic():
        if switch_watch(code, enabled=enabled, now=now):
            append([NewEvent("living_alone.rule_switched", None, {"code": code, "enabled": enabled, "by": scope.person_id})], now=now)
