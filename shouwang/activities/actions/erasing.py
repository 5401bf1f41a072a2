"""What is forgotten in time: names and numbers of those who signed up, then the consents; the counts stay."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q

from shouwang.activities.models import Consent, SignUp
from shouwang.activities.rules.entries import KEEP_CONSENTS, KEEP_NAMES

AT_ONCE = 2_000


def erase_names(*, now: datetime) -> int:
    """Blank the names and numbers of sign-ups whose activity was over 30 days ago, at most 2,000, and return how many."""
    named = SignUp.objects.filter(~Q(name="") | ~Q(phone_hash=""), activity__ends_at__lt=now - KEEP_NAMES)
    with transaction.atomic():
        return SignUp.objects.filter(pk__in=list(named.values_list("pk", flat=True)[:AT_ONCE])).update(
            name="", phone="", phone_hash="", came_at=None,
        )


def drop_old_consents(*, now: datetime) -> int:
    """Drop consents to activities that were over three years ago, and return how many."""
    with transaction.atomic():
        return Consent.objects.filter(sign_up__activity__ends_at__lt=now - KEEP_CONSENTS).delete()[0]
