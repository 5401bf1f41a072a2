"""Places that have become free go to those who wait, in the order of signing up."""

from __future__ import annotations

from django.db.models import Sum

from shouwang.activities import events as kinds
from shouwang.activities.actions.holding import event
from shouwang.activities.models import Activity, SignUp
from shouwang.activities.rules.entries import moving_up
from shouwang.journal.rules import NewEvent


def seats_taken(row: Activity) -> int:
    """Return how many places are taken; the caller holds the activity."""
    return SignUp.objects.filter(activity_id=row.pk, state="IN").aggregate(Sum("party"))["party__sum"] or 0


def move_up(row: Activity) -> list[NewEvent]:
    """Give free places to those who wait and return the events to append; the caller holds the activity."""
    waiting = SignUp.objects.filter(activity_id=row.pk, state="WAITING").order_by("pk").values_list("pk", "party")
    lucky = moving_up(taken=seats_taken(row), waiting=waiting, capacity=row.capacity)
    SignUp.objects.filter(pk__in=lucky).update(state="IN")
    return [event(row, kinds.MOVED_UP, sign_up=sign_up_id) for sign_up_id in lucky]
