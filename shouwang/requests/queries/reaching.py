"""Which residents an SMS can reach."""

from __future__ import annotations

from collections.abc import Collection

from shouwang.notify.queries import enabled_channels
from shouwang.people.queries import live_consents, person_cards
from shouwang.requests.models import Report
from shouwang.requests.rules.procedures import CONSENT, SMS


def reachable(persons: Collection[int]) -> frozenset[int]:
    """Return those of the persons who agree to be told and have a phone, while SMS is on."""
    if not persons or SMS not in enabled_channels():
        return frozenset()
    agree = live_consents(persons, CONSENT)
    cards = person_cards(agree, language="zh")
    return frozenset(person for person in agree if person in cards and cards[person].phone)


def will_be_told(report_id: int) -> bool:
    """Return whether the reporter would be told of the end: a grid worker as officers are, a resident by SMS."""
    channel, person = Report.objects.filter(pk=report_id).values_list("channel", "person_id").first() or ("", None)
    return person is not None and (channel == "FIELD_REPORT" or person in reachable({person}))
