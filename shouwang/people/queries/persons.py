"""Reads of persons and households."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.db.models import Q, QuerySet

from shouwang.journal.prepared import Prepared
from shouwang.journal.sealed import fingerprint_of, opened
from shouwang.journal.sql import rows_for
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.kernel.texts import Text
from shouwang.people.models import (
    ADDRESS,
    ID_NUMBER,
    PHONE,
    Consent,
    ContactPreference,
    DatedFact,
    Duty,
    Household,
    Member,
    Person,
)
from shouwang.people.rules.codes import DUTIES, FACTS, NOT_ASKED, RANKS, ROLES
from shouwang.people.rules.masking import mask_id_number, mask_name, mask_phone
from shouwang.people.rules.scope import Scope
from shouwang.places import queries as places

MATCHES = 5_000
SORTS = {"name": "initials", "added": "pk"}


@dataclass(frozen=True, slots=True)
class PersonCard:
    """A person as other rooms show it. `name` and `phone` are in full: show them only to whom the matter is given."""

    id: int
    name: str
    masked_name: str
    phone: str
    masked_phone: str
    language: str
    duty: str

    @property
    def shown(self) -> str:
        """Return the name as a case's history shows it: in full for whoever holds a duty, masked for residents and relatives."""
        return self.name if self.duty else self.masked_name


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One row of the list of persons, masked."""

    id: int
    name: str
    phone: str
    area: str
    duty: Text


@dataclass(frozen=True, slots=True)
class MemberCard:
    """One member of a household."""

    household_id: int
    person_id: int
    role: str
    relation: str


@dataclass(frozen=True, slots=True)
class HouseholdCard:
    """A household as other rooms show it."""

    id: int
    name: str
    address: str
    area_id: int
    path: str
    lon: float | None
    lat: float | None


@dataclass(frozen=True, slots=True)
class ContactRow:
    """One enabled channel of a person."""

    channel: str
    address: str


@dataclass(frozen=True, slots=True)
class FactView:
    """One dated fact; `value` is None and `source` empty while it is sensitive and no reason was given."""

    title: Text
    value: str | None
    from_date: date
    until_date: date | None
    source: str


@dataclass(frozen=True, slots=True)
class PersonPage:
    """All that the page of one person shows; masked unless it was revealed."""

    id: int
    path: str
    name: str
    phone: str
    id_number: str
    area: str
    language: str
    households: tuple[tuple[HouseholdCard, Text], ...]
    facts: tuple[FactView, ...]
    consents: tuple[tuple[str, datetime, datetime | None], ...]
    duties: tuple[tuple[int, Text, Text, str, date, date | None], ...]
    contacts: tuple[ContactRow, ...]
    revealed: bool


_MEMBERS = Prepared(
    lambda ids: Member.objects.unscoped().filter(household_id__in=ids, ended_at__isnull=True).order_by("pk")
    .values_list("household_id", "person_id", "role", "relation"),
)
_CONSENTS = Prepared(
    lambda ids, purpose: Consent.objects.unscoped().filter(person_id__in=ids, purpose=purpose, withdrawn_at__isnull=True)
    .values_list("person_id"),
)
_NOT_ASKED = Prepared(
    lambda ids, ended_after, begun_by: DatedFact.objects.unscoped().filter(
        Q(until_date__isnull=True) | Q(until_date__gt=ended_after), person_id__in=ids, kind__in=NOT_ASKED, from_date__lte=begun_by,
    ).values_list("person_id"),
)
_CARDS = "SELECT id, name, phone, language FROM people_person WHERE id IN {ids}"
_DUTIES = "SELECT person_id, code FROM people_duty WHERE until_date IS NULL AND person_id IN {ids} ORDER BY id"
_CONTACTS = "SELECT person_id, channel, address FROM people_contactpreference WHERE enabled = %s AND person_id IN {ids} ORDER BY id"


def person_cards(ids: Collection[int], *, language: str) -> dict[int, PersonCard]:
    """Return the cards of these persons in two queries; unknown ids are left out.

    Takes no scope: the caller shows persons of a matter whose scope it has checked.
    """
    duties: dict[int, str] = {}
    for person_id, code in rows_for(_DUTIES, ids):
        duties.setdefault(person_id, DUTIES[code].render(language, {}))
    return {
        pk: PersonCard(pk, name, mask_name(name), phone, mask_phone(phone), tongue, duties.get(pk, ""))
        for pk, name, sealed, tongue in rows_for(_CARDS, ids)
        for phone in (opened(sealed, about=PHONE),)
    }


def paths_of(person_ids: Collection[int]) -> dict[int, str]:
    """Return the path of the area each of these persons belongs to. One query, no scope: for sending."""
    return dict(Person.objects.unscoped().filter(pk__in=person_ids).values_list("pk", "path"))


def contacts_of(person_ids: Collection[int]) -> dict[int, tuple[ContactRow, ...]]:
    """Return the enabled channels of these persons; a person without any is left out. One query, no scope: for sending."""
    found: dict[int, list[ContactRow]] = {}
    for person_id, channel, address in rows_for(_CONTACTS, person_ids, True):
        found.setdefault(person_id, []).append(ContactRow(channel, opened(address, about=ADDRESS)))
    return {person_id: tuple(channels) for person_id, channels in found.items()}


def own_contacts(person_id: int) -> dict[str, tuple[str, bool]]:
    """Return a person's own channels as (address, whether it is on): for that person's own page."""
    rows = ContactPreference.objects.unscoped().filter(person_id=person_id).values_list("channel", "address", "enabled")
    return {channel: (address, enabled) for channel, address, enabled in rows}


def household_cards(ids: Collection[int]) -> dict[int, HouseholdCard]:
    """Return the cards of these households in one query; takes no scope, as `person_cards`."""
    return {row.pk: _household(row) for row in Household.objects.unscoped().filter(pk__in=ids)}


def household_of(scope: Scope, household_id: int) -> HouseholdCard:
    """Return one household that `scope` sees. Raises NotFound."""
    row = Household.objects.within(scope).filter(pk=household_id).first()
    if row is None:
        raise NotFound(what=f"家庭 {household_id}")
    return _household(row)


def members_of(household_ids: Collection[int]) -> dict[int, tuple[MemberCard, ...]]:
    """Return the present members of these households, in the order they were added; takes no scope, as `person_cards`."""
    found: dict[int, list[MemberCard]] = {}
    for row in _MEMBERS.rows(list(household_ids)) if household_ids else ():
        found.setdefault(row[0], []).append(MemberCard(*row))
    return {household_id: tuple(members) for household_id, members in found.items()}


def askable(household_ids: Collection[int], *, role: str, consent: str, at: datetime) -> dict[int, int]:
    """Return by household the first member of `role` who can be asked by telephone, where a resident agrees to `consent`.

    Whoever has no telephone, is deaf or has dementia at `at` cannot. Takes no scope: for sending. Four queries.
    """
    members = members_of(household_ids)
    residents = {each.person_id: home for home, found in members.items() for each in found if each.role == "RESIDENT"}
    agreed = {residents[person] for person in live_consents(residents, consent)} if consent else set(members)
    wanted = [each for home in agreed for each in members[home] if each.role == role]
    if not wanted:
        return {}
    cards = person_cards([each.person_id for each in wanted], language="zh")
    day = local(at).date()
    never = {row[0] for row in _NOT_ASKED.rows(list(cards), day, day)}
    found: dict[int, int] = {}
    for each in wanted:
        if each.person_id in cards and cards[each.person_id].phone and each.person_id not in never:
            found.setdefault(each.household_id, each.person_id)
    return found


def find_person(scope: Scope, *, name: str, area_id: int, phone: str = "", id_number: str = "") -> int | None:
    """Return the person in `scope` with this identity number, else with this name and phone at this area; None for nobody."""
    rows = Person.objects.within(scope)
    if id_number:
        found = rows.filter(id_number_hash=fingerprint_of(ID_NUMBER, id_number)).values_list("pk", flat=True).first()
        if found is not None:
            return int(found)
    if not phone:
        return None
    named = rows.filter(name=name, phone_hash=fingerprint_of(PHONE, phone), area_id=area_id).order_by("pk")
    pk = named.values_list("pk", flat=True).first()
    return None if pk is None else int(pk)


def households_of(person_id: int) -> list[int]:
    """Return the households a person lives in, in the order they were enrolled; takes no scope, as `person_cards`."""
    rows = Member.objects.unscoped().filter(person_id=person_id, role="RESIDENT", ended_at__isnull=True)
    return list(rows.order_by("household_id").values_list("household_id", flat=True))


def matching_households(scope: Scope, text: str) -> frozenset[int]:
    """Return the households in `scope` with `text` in their address, or in whose members' name, initials or phone it is found."""
    persons = Q(person__name__contains=text)
    if text.isascii() and text.isalpha():
        persons |= Q(person__initials__startswith=text.lower())
    if text.isdigit():
        persons |= Q(person__phone_hash=fingerprint_of(PHONE, text))
    of_members = Member.objects.within(scope).filter(persons, ended_at__isnull=True).values_list("household_id", flat=True)
    by_address = Household.objects.within(scope).filter(address__contains=text).values_list("pk", flat=True)
    return frozenset(of_members[:MATCHES]) | frozenset(by_address[:MATCHES])


def live_consents(person_ids: Collection[int], purpose: str) -> frozenset[int]:
    """Return those of the persons who agree to `purpose`."""
    return frozenset(row[0] for row in _CONSENTS.rows(list(person_ids), purpose)) if person_ids else frozenset()


def list_persons(
    scope: Scope, *, text: str = "", duty: str = "", sort: str = "", offset: int = 0, limit: int = 50,
) -> tuple[list[PersonRow], int]:
    """Return a page of the persons `scope` sees, masked, and how many there are.

    `text` matches a part of the name, the beginning of its pinyin initials or a whole phone number.
    """
    rows: QuerySet[Person] = Person.objects.within(scope)
    if text:
        match = Q(name__contains=text)
        if text.isascii() and text.isalpha():
            match |= Q(initials__startswith=text.lower())
        if text.isdigit():
            match |= Q(phone_hash=fingerprint_of(PHONE, text))
        rows = rows.filter(match)
    if duty:
        holders = Duty.objects.within(scope).filter(code=duty, until_date__isnull=True)
        rows = rows.filter(pk__in=holders.values("person_id"))
    key = SORTS.get(sort.removeprefix("-"), "initials")
    ordered = rows.order_by("-" + key if sort.startswith("-") else key, "pk")
    page = list(ordered.values_list("pk", "name", "phone", "area_id")[offset : offset + limit])
    duties = _duty_titles([row[0] for row in page])
    names = area_names({row[3] for row in page})
    shown = [PersonRow(pk, mask_name(name), mask_phone(phone), names[area], duties.get(pk, Text("", ""))) for pk, name, phone, area in page]
    return shown, rows.count()


def person_page(scope: Scope, person_id: int, *, revealed: bool = False) -> PersonPage:
    """Return all about one person that `scope` sees; masked unless `revealed`. Raises NotFound.

    Only `actions.reveal`'s page passes `revealed`, after the reason has been written down.
    """
    person = Person.objects.within(scope).filter(pk=person_id).first()
    if person is None:
        raise NotFound(what=f"人员 {person_id}")
    members = Member.objects.within(scope).filter(person_id=person_id, ended_at__isnull=True).select_related("household")
    duties = Duty.objects.within(scope).filter(person_id=person_id).order_by("-from_date")
    names = area_names({person.area_id, *(duty.area_id for duty in duties if duty.area_id)})
    return PersonPage(
        id=person.pk, path=person.path,
        name=person.name if revealed else mask_name(person.name),
        phone=person.phone if revealed else mask_phone(person.phone),
        id_number=person.id_number if revealed else mask_id_number(person.id_number),
        area=names[person.area_id], language=person.language,
        households=tuple(_home(_household(member.household), ROLES[member.role], revealed=revealed) for member in members),
        facts=_facts(person_id, revealed=revealed),
        consents=tuple(
            Consent.objects.unscoped().filter(person_id=person_id).order_by("-given_at")
            .values_list("purpose", "given_at", "withdrawn_at"),
        ),
        duties=tuple(
            (duty.pk, DUTIES[duty.code], RANKS[duty.rank], names.get(duty.area_id or 0, ""), duty.from_date, duty.until_date)
            for duty in duties
        ),
        contacts=tuple(
            ContactRow(row.channel, row.address if revealed else mask_phone(row.address))
            for row in contacts_of([person_id]).get(person_id, ())
        ),
        revealed=revealed,
    )


def area_names(area_ids: Iterable[int]) -> dict[int, str]:
    """Return the full names of these areas."""
    return places.full_names(set(area_ids))


def _household(row: Household) -> HouseholdCard:
    return HouseholdCard(row.pk, row.name, row.address, row.area_id, row.path, row.lon, row.lat)


def _home(card: HouseholdCard, role: Text, *, revealed: bool) -> tuple[HouseholdCard, Text]:
    return (card if revealed else replace(card, name=""), role)  # a household is mostly named after its people


def _facts(person_id: int, *, revealed: bool) -> tuple[FactView, ...]:
    rows = DatedFact.objects.unscoped().filter(person_id=person_id).order_by("-from_date", "-pk")
    shown = []
    for row in rows:
        hidden = FACTS[row.kind].sensitive and not revealed
        shown.append(FactView(
            FACTS[row.kind].title, None if hidden else row.value, row.from_date, row.until_date, "" if hidden else row.source,
        ))
    return tuple(shown)


def _duty_titles(person_ids: Collection[int]) -> dict[int, Text]:
    rows = Duty.objects.unscoped().filter(person_id__in=person_ids, until_date__isnull=True).order_by("-pk")
    return {person_id: DUTIES[code] for person_id, code in rows.values_list("person_id", "code")}
