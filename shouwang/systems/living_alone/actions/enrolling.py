"""Enrolling homes: the person, the household, the meter and whom to call, in one transaction; doing it again updates."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.people import actions as people
from shouwang.people.queries import find_person, households_of, members_of, person_cards
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.systems.living_alone.models import Enrolment, Gateway
from shouwang.systems.living_alone.rules.endings import ENDINGS
from shouwang.systems.living_alone.rules.errors import MeterTaken
from shouwang.systems.living_alone.rules.lines import Contact, NewHome
from shouwang.telemetry import queries as telemetry
from shouwang.telemetry.actions import add_things, place_thing
from shouwang.telemetry.queries import ThingSpot
from shouwang.telemetry.rules import NewThing
from shouwang.watch.actions import ask_learning

EDIT = "people.edit"
NEVER_ENDED = {"ended_at": None, "ended_reason": ""}
METER = "WATER_METER"
REGISTER = "register_l"
CONSENT = "METER_WATCH"
TELL_RELATIVE = "SHARE_WITH_RELATIVE"
WORDING = "enrolment-2"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What came of enrolling a home; `is_new` is False where it was enrolled already and only changed."""

    household_id: int
    is_new: bool


def enrol(*, household_id: int, datastream_id: int, area_id: int, path: str, now: datetime) -> int:
    """Watch a household through a datastream and return the enrolment's id; enrolling again updates it.

    The watch learns from the readings that its meter has sent already, in a job.
    """
    with transaction.atomic():
        row, _ = Enrolment.objects.update_or_create(
            household_id=household_id,
            defaults={"datastream_id": datastream_id, "area_id": area_id, "path": path, "active": True, "enrolled_at": now, **NEVER_ENDED},
        )
        ask_learning([datastream_id], now=now)
        append([NewEvent("living_alone.enrolled", household_id, {"datastream": datastream_id, "area": area_id})], now=now)
    return row.pk


def enrol_home(scope: Scope, home: NewHome, *, source: str, now: datetime) -> Enrolled:
    """Enrol a home with its meter and the people to call, or change what was enrolled. Raises Refused, NotFound, MeterTaken.

    A meter nobody has registered yet is registered. The home of a person who is enrolled already gets the named meter:
    that is how an exchanged meter is told.
    """
    scope.require(EDIT)
    area = places.area(home.area_id)
    if not scope.may(EDIT, area.path):
        raise NotFound(what=f"地区 {home.area_id}")
    with transaction.atomic():
        spot = telemetry.things_named([home.meter]).get(home.meter)
        resident = find_person(scope, name=home.name, area_id=area.id, phone=home.phone, id_number=home.id_number)
        before = _enrolment(scope, spot, resident, home)
        household_id, resident = _household(scope, home, before, spot, resident, now=now)
        datastream = _meter(home.meter, spot, area, household_id, now=now)
        if before is None or not before.active or (before.datastream_id, before.area_id) != (datastream, area.id):
            enrol(household_id=household_id, datastream_id=datastream, area_id=area.id, path=area.path, now=now)
        for role, contact in (("RELATIVE", home.relative), ("KEY_HOLDER", home.key_holder)):
            _add_contact(scope, household_id, role, contact, area.id, now=now)
        if home.hospital:
            set_hospital(household_id, name=home.hospital, phone=home.hospital_phone)
        if home.consent:
            for purpose in (CONSENT, TELL_RELATIVE) if home.relative else (CONSENT,):
                people.give_consent(scope, resident, purpose=purpose, wording=WORDING, source=source, now=now)
        _set_grounds(household_id, home, area)
    return Enrolled(household_id, before is None)


def _set_grounds(household_id: int, home: NewHome, area: places.AreaRow) -> None:
    """Note on which list a home stands, how often its meter sends and through which gateway, and until when its consent holds; one given anew holds until its own end."""
    grounds: dict[str, object] = {"category": home.category} if home.category else {}
    if home.consent or home.consent_until is not None:
        grounds["consent_until"] = home.consent_until
    if home.upload_h is not None:
        grounds["upload_h"] = home.upload_h
    if home.gateway:
        grounds["gateway"] = Gateway.objects.get_or_create(code=home.gateway, defaults={"area_id": area.id, "path": area.path})[0]
    if grounds:
        Enrolment.objects.filter(household_id=household_id).update(**grounds)


def set_hospital(household_id: int, *, name: str, phone: str) -> None:
    """Say which hospital a home goes to; the caller has checked the right."""
    with transaction.atomic():
        Enrolment.objects.filter(household_id=household_id).update(hospital=name, hospital_phone=phone)


def end_watching(household_id: int, *, reason: str, by: int | None, now: datetime) -> None:
    """Stop watching a home for one of ENDINGS; the caller has checked the right. Enrolling it again goes on. Raises NotFound."""
    if reason not in ENDINGS:
        raise NotFound(what=f"停止原因 {reason[:20]}")
    with transaction.atomic():
        ended = {"active": False, "ended_at": now, "ended_reason": reason, "away_until": None, "look_again_at": None, "stop_at": None}
        if Enrolment.objects.filter(household_id=household_id, active=True).update(**ended):
            append([NewEvent("living_alone.ended", household_id, {"by": by, "reason": reason})], now=now)


def _enrolment(scope: Scope, spot: ThingSpot | None, resident: int | None, home: NewHome) -> Enrolment | None:
    """Return the enrolment this home has already, by its meter or by its resident. Raises MeterTaken."""
    if spot is not None and not scope.may(EDIT, spot.path):
        raise MeterTaken(meter=home.meter)
    stream = spot.datastreams.get(REGISTER) if spot else None
    by_meter = Enrolment.objects.filter(datastream_id=stream).first() if stream else None
    if by_meter is None:
        return _enrolment_of(resident)
    residents = _residents(by_meter.household_id)
    cards = person_cards(residents, language="zh")
    if resident in residents or (resident is None and any(card.name == home.name for card in cards.values())):
        return by_meter
    raise MeterTaken(meter=home.meter)


def _enrolment_of(resident: int | None) -> Enrolment | None:
    if resident is None:
        return None
    for row in Enrolment.objects.filter(household_id__in=households_of(resident)):
        return row
    return None


def _household(
    scope: Scope, home: NewHome, before: Enrolment | None, spot: ThingSpot | None, resident: int | None, *, now: datetime,
) -> tuple[int, int]:
    """Return the household and its resident, made where they are missing."""
    household_id = before.household_id if before else spot.household_id if spot else None
    if resident is None and household_id is not None:
        cards = person_cards(_residents(household_id), language="zh")
        resident = next((card.id for card in cards.values() if card.name == home.name), None)
    if resident is None:
        resident = people.add_person(
            scope, name=home.name, area_id=home.area_id, phone=home.phone, id_number=home.id_number, now=now,
        )
    if household_id is None:
        household_id = people.enrol_household(
            scope, name=f"{home.name}家", address=home.address, area_id=home.area_id, residents=[resident], now=now,
        )
    else:
        people.change_address(scope, household_id, address=home.address, area_id=home.area_id, now=now)
        if resident not in _residents(household_id):
            people.add_member(scope, household_id, person_id=resident, role="RESIDENT", now=now)
    return household_id, resident


def _meter(external_id: str, spot: ThingSpot | None, area: places.AreaRow, household_id: int, *, now: datetime) -> int:
    if spot is None:
        new = NewThing(external_id, METER, external_id, ((REGISTER, "L"),), area.id, area.path, household_id)
        return add_things([new], now=now)[0].datastreams[REGISTER]
    if REGISTER not in spot.datastreams:
        raise NotFound(what=f"水表 {external_id} 的读数 {REGISTER}")
    if (spot.household_id, spot.path) != (household_id, area.path):
        place_thing(spot.id, household_id=household_id, area_id=area.id, path=area.path, now=now)
    return spot.datastreams[REGISTER]


def _add_contact(scope: Scope, household_id: int, role: str, contact: Contact | None, area_id: int, *, now: datetime) -> None:
    if contact is None:
        return
    present = {member.person_id for member in members_of([household_id]).get(household_id, ()) if member.role == role}
    cards = person_cards(present, language="zh")
    if any((card.name, card.phone) == (contact.name, contact.phone) for card in cards.values()):
        return
    person = find_person(scope, name=contact.name, area_id=area_id, phone=contact.phone)
    if person is None:
        person = people.add_person(scope, name=contact.name, area_id=area_id, phone=contact.phone, now=now)
    people.add_member(scope, household_id, person_id=person, role=role, relation=contact.relation, now=now)


def _residents(household_id: int) -> set[int]:
    return {member.person_id for member in members_of([household_id]).get(household_id, ()) if member.role == "RESIDENT"}
