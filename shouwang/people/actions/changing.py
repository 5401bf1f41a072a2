"""Changing a person's name and telephone number, which is written into the access log."""

from __future__ import annotations

from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.moments import local
from shouwang.people import events as kinds
from shouwang.people.actions.checks import APPOINT, EDIT, person_in
from shouwang.people.actions.disclosure import note_access
from shouwang.people.models import Duty
from shouwang.people.queries import forget
from shouwang.people.rules.masking import initials
from shouwang.people.rules.scope import Scope


def change_person(scope: Scope, person_id: int, *, name: str | None = None, phone: str | None = None, now: datetime) -> list[str]:
    """Change a person's name or telephone number and return which of the two changed; None keeps one, "" drops the number.

    Links to tasks go to that number, so whoever holds a duty is changed only by those who may appoint there. The access log
    and the event say who changed which of them, not to what. Raises Refused, NotFound.
    """
    with transaction.atomic():
        person = person_in(scope, person_id, EDIT)
        _refuse_duties_beyond(scope, person_id, today=local(now).date())
        wanted = {"name": person.name if name is None else name.strip(), "phone": person.phone if phone is None else phone}
        changed = [field for field, value in wanted.items() if getattr(person, field) != value]
        if not changed:
            return []
        person.name, person.phone, person.initials = wanted["name"], wanted["phone"], initials(wanted["name"])
        person.save(update_fields=["name", "initials", "phone", "phone_hash"])
        note_access(scope, action="CHANGE", object=("person", person_id), path=person.path, reason=" ".join(changed), now=now)
        append([NewEvent(kinds.PERSON_CHANGED, person_id, {"by": scope.person_id, "fields": changed})], now=now)
        transaction.on_commit(forget)
    return changed


def _refuse_duties_beyond(scope: Scope, person_id: int, *, today: date) -> None:
    held = Duty.objects.unscoped().filter(Q(until_date__isnull=True) | Q(until_date__gt=today), person_id=person_id, object_kind="AREA")
    for path in held.values_list("path", flat=True):
        scope.require(APPOINT, path)
