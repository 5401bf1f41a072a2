"""Writes about persons, households, dated facts, consents and channels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.paths import move_paths
from shouwang.journal.rules import NewEvent
from shouwang.people import events as kinds
from shouwang.people.actions.checks import area_in, areas_in, household_in, known, person_in, persons_exist, require_span
from shouwang.people.actions.credentials import move_credentials
from shouwang.people.models import (
    Consent,
    ContactPreference,
    DatedFact,
    Duty,
    Household,
    Member,
    Organisation,
    Person,
    Shift,
)
from shouwang.people.queries.roster import forget
from shouwang.people.rules.codes import CHANNELS, FACTS, LANGUAGES, PURPOSES, ROLES
from shouwang.people.rules.errors import ConsentAbsent, MemberAlready
from shouwang.people.rules.masking import initials
from shouwang.people.rules.scope import Scope

BATCH = 500


@dataclass(frozen=True, slots=True)
class NewPerson:
    """A person to add."""

    name: str
    area_id: int
    phone: str = ""
    id_number: str = ""
    birth_date: date | None = None
    language: str = "zh"
    organisation_id: int | None = None


def add_person(
    scope: Scope, *, name: str, area_id: int, phone: str = "", id_number: str = "", birth_date: date | None = None,
    language: str = "zh", organisation_id: int | None = None, now: datetime,
) -> int:
    """Add a person and return the id. Raises Refused, NotFound."""
    new = NewPerson(name, area_id, phone, id_number, birth_date, language, organisation_id)
    return add_persons(scope, [new], now=now)[0]


def add_persons(scope: Scope, new: Sequence[NewPerson], *, now: datetime) -> list[int]:
    """Add persons in bulk and return their ids in order; all or none. Raises Refused, NotFound."""
    areas = areas_in(scope, {each.area_id for each in new})
    rows = [
        Person(
            name=each.name.strip(), initials=initials(each.name), phone=each.phone, id_number=each.id_number,
            birth_date=each.birth_date, language=known("语言", each.language, LANGUAGES), area_id=each.area_id,
            path=areas[each.area_id].path, organisation_id=each.organisation_id, added_at=now,
        )
        for each in new
    ]
    with transaction.atomic():
        made = Person.objects.unscoped().bulk_create(rows, batch_size=BATCH)
        append([NewEvent(kinds.PERSON_ADDED, row.pk, {"area": row.area_id}) for row in made], now=now)
    return [row.pk for row in made]


def add_organisation(scope: Scope, *, name: str, kind: str, area_id: int, phone: str = "") -> int:
    """Add an organisation and return its id. Raises Refused, NotFound."""
    area = area_in(scope, area_id)
    with transaction.atomic():
        row = Organisation(name=name, kind=kind, phone=phone, area_id=area_id, path=area.path)
        row.save(force_insert=True)
    return int(row.pk)


def enrol_household(
    scope: Scope, *, name: str, address: str, area_id: int, residents: Sequence[int] = (), lon: float | None = None,
    lat: float | None = None, now: datetime,
) -> int:
    """Enrol a household with its residents and return its id. Raises Refused, NotFound."""
    area = area_in(scope, area_id)
    persons_exist(residents)
    with transaction.atomic():
        row = Household(name=name, address=address, area_id=area_id, path=area.path, lon=lon, lat=lat, enrolled_at=now)
        row.save(force_insert=True)
        Member.objects.unscoped().bulk_create(
            [Member(household_id=row.pk, person_id=person, role="RESIDENT", since_at=now) for person in residents],
        )
        append([NewEvent(kinds.HOUSEHOLD_ENROLLED, row.pk, {"area": area_id, "persons": list(residents)})], now=now)
    return int(row.pk)


def change_address(scope: Scope, household_id: int, *, address: str, area_id: int, now: datetime) -> None:
    """Change where a household lives. Raises Refused, NotFound."""
    household = household_in(scope, household_id)
    area = area_in(scope, area_id)
    if (household.address, household.area_id) == (address, area_id):
        return
    with transaction.atomic():
        Household.objects.unscoped().filter(pk=household_id).update(address=address, area_id=area_id, path=area.path)
        append([NewEvent(kinds.HOUSEHOLD_CHANGED, household_id, {"by": scope.person_id})], now=now)


def add_member(
    scope: Scope, household_id: int, *, person_id: int, role: str, relation: str = "", now: datetime,
) -> int:
    """Add a person to a household as RESIDENT, RELATIVE or KEY_HOLDER. Raises Refused, NotFound, MemberAlready."""
    household_in(scope, household_id)
    known("角色", role, ROLES)
    persons_exist([person_id])
    with transaction.atomic():
        if Member.objects.unscoped().filter(
            household_id=household_id, person_id=person_id, role=role, ended_at__isnull=True,
        ).exists():
            raise MemberAlready(person=person_id, household=household_id, role=role)
        row = Member(household_id=household_id, person_id=person_id, role=role, relation=relation, since_at=now)
        row.save(force_insert=True)
        append([NewEvent(kinds.MEMBER_ADDED, household_id, {"person": person_id, "role": role})], now=now)
    return int(row.pk)


def end_membership(scope: Scope, household_id: int, *, person_id: int, role: str, now: datetime) -> None:
    """End a person's role in a household; ending it twice changes nothing. Raises Refused, NotFound."""
    household_in(scope, household_id)
    with transaction.atomic():
        Member.objects.unscoped().filter(
            household_id=household_id, person_id=person_id, role=role, ended_at__isnull=True,
        ).update(ended_at=now)


def record_fact(
    scope: Scope, person_id: int, *, kind: str, source: str, from_date: date, until_date: date | None = None, value: str = "",
    now: datetime,
) -> int:
    """Record a dated fact about a person and who says so; return its id. Raises Refused, NotFound, SpanEmpty."""
    person_in(scope, person_id)
    known("事实", kind, FACTS)
    require_span(from_date, until_date)
    with transaction.atomic():
        row = DatedFact(
            person_id=person_id, kind=kind, value=value, from_date=from_date, until_date=until_date, source=source,
            recorded_by=scope.person_id, recorded_at=now,
        )
        row.save(force_insert=True)
        append([NewEvent(kinds.FACT_RECORDED, person_id, {"fact": row.pk, "kind": kind})], now=now)
    return int(row.pk)


def give_consent(
    scope: Scope, person_id: int, *, purpose: str, wording: str, source: str, now: datetime,
) -> int:
    """Record that a person agrees to one purpose, in which wording; return its id.

    Agreeing again while a consent is live keeps the first. Raises Refused, NotFound.
    """
    _own_or_edit(scope, person_id)
    known("目的", purpose, PURPOSES)
    with transaction.atomic():
        live = Consent.objects.unscoped().filter(person_id=person_id, purpose=purpose, withdrawn_at__isnull=True).first()
        if live is not None:
            return int(live.pk)
        row = Consent(
            person_id=person_id, purpose=purpose, wording=wording, source=source, given_at=now, recorded_by=scope.person_id,
        )
        row.save(force_insert=True)
        append([NewEvent(kinds.CONSENT_GIVEN, person_id, {"consent": row.pk, "purpose": purpose})], now=now)
    return int(row.pk)


def withdraw_consent(scope: Scope, person_id: int, *, purpose: str, now: datetime) -> None:
    """Withdraw a person's live consent to one purpose. Raises Refused, NotFound, ConsentAbsent."""
    _own_or_edit(scope, person_id)
    known("目的", purpose, PURPOSES)
    with transaction.atomic():
        ended = Consent.objects.unscoped().filter(
            person_id=person_id, purpose=purpose, withdrawn_at__isnull=True,
        ).update(withdrawn_at=now)
        if not ended:
            raise ConsentAbsent(person=person_id, purpose=purpose)
        append([NewEvent(kinds.CONSENT_WITHDRAWN, person_id, {"purpose": purpose})], now=now)


def set_contact(scope: Scope, person_id: int, *, channel: str, address: str = "", enabled: bool = True) -> None:
    """Set on which address a person is reached through a channel. Raises Refused, NotFound."""
    _own_or_edit(scope, person_id)
    known("渠道", channel, CHANNELS)
    with transaction.atomic():
        ContactPreference.objects.unscoped().update_or_create(
            person_id=person_id, channel=channel, defaults={"address": address, "enabled": enabled},
        )


def set_language(scope: Scope, person_id: int, *, language: str) -> None:
    """Set in which language a person is told. Raises Refused, NotFound, CodeUnknown."""
    _own_or_edit(scope, person_id)
    known("语言", language, LANGUAGES)
    with transaction.atomic():
        Person.objects.unscoped().filter(pk=person_id).update(language=language)


def follow_move(old_path: str, new_path: str) -> None:
    """Give every row below `old_path` its new path, after an area was moved; following a move twice changes nothing."""
    with transaction.atomic():
        for model in (Organisation, Person, Household, Duty, Shift):
            move_paths(model.objects.unscoped(), old=old_path, new=new_path)
        move_credentials(old_path, new_path)
        transaction.on_commit(forget)
    forget()


def _own_or_edit(scope: Scope, person_id: int) -> None:
    if scope.kind == "ACCOUNT" and scope.person_id is not None and scope.person_id == person_id:
        return
    person_in(scope, person_id)
