"""The limits of the public forms, kept in the database: a county has no other place that all its processes share."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import F

from shouwang.requests.models import Allowance
from shouwang.requests.rules.errors import TooOften
from shouwang.requests.rules.limits import BUDGETS, DAY, minutes_left, pseudonym, window_of


def spend(budget: str, who: str, *, now: datetime) -> None:
    """Count one use of a public form by `who`, kept as a pseudonym. Raises TooOften when the window's budget is spent.

    The row is claimed by a conditional update, so that no two requests take the last use.
    """
    limit = BUDGETS[budget]
    window_at = window_of(limit, now)
    name = pseudonym(settings.SECRET_KEY, budget, who)
    with transaction.atomic():
        Allowance.objects.bulk_create([Allowance(budget=budget, who=name, window_at=window_at, used=0)], ignore_conflicts=True)
        rows = Allowance.objects.filter(budget=budget, who=name)
        rows.filter(window_at__lt=window_at).update(window_at=window_at, used=0)
        taken = rows.filter(used__lt=limit.most).update(used=F("used") + 1)
    if not taken:
        raise TooOften(minutes=minutes_left(limit, now))


def tidy(*, now: datetime) -> int:
    """Forget who used the public forms in windows that are over, and return how many rows that were."""
    with transaction.atomic():
        return Allowance.objects.filter(window_at__lt=now - 2 * DAY).delete()[0]
