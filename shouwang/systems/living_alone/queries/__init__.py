"""Reads of the living-alone system."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from django.db.models import Q, QuerySet

from shouwang.alerts.rules import Subject
from shouwang.journal.prepared import Prepared
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import MICROSECOND, local
from shouwang.notify.queries import enabled_channels
from shouwang.people.queries import (
    HouseholdCard,
    MemberCard,
    PersonCard,
    area_names,
    askable,
    household_cards,
    live_consents,
    matching_households,
    members_of,
    person_cards,
)
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.places.rules.calendar import is_working_day
from shouwang.systems.living_alone.models import Enrolment, Label
from shouwang.systems.living_alone.queries.checks import OpenCase, open_cases
from shouwang.systems.living_alone.queries.gateways import is_dead, silent_gateways
from shouwang.systems.living_alone.rules.absence import next_holiday
from shouwang.systems.living_alone.rules.explaining import Known
from shouwang.systems.living_alone.rules.hospital import FORCED_ENTRY, HOSPITAL, Hospital, hospital_of_text
from shouwang.systems.living_alone.rules.kinds import EXPLAINED_BY_ABSENCE
from shouwang.systems.living_alone.rules.labels import YEAR, Figures, Labelled, figures
from shouwang.systems.living_alone.rules.procedures import CALL, HOURS_SINCE_USE
from shouwang.systems.living_alone.rules.use import LastUse, last_use
from shouwang.telemetry.queries import datastreams, datastreams_like, last_readings, series

READ = "people.read"
WATCH_PURPOSE = "METER_WATCH"
READINGS = 10_000
LOOK_BACK = timedelta(days=4)
HOMES_COUNTED = 20_000
HEARD_WITHIN = timedelta(hours=24)
CHECK = "CHECK"
"""The state of homes about which a case is open, whatever else they are."""
SORTS = {"area": "path", "enrolled_at": "enrolled_at", "away": "away_until"}


@dataclass(frozen=True)
class EnrolmentRow:
    """One watched household."""

    id: int
    household_id: int
    datastream_id: int
    area_id: int
    path: str
    active: bool
    away_until: datetime | None
    hospital: str
    hospital_phone: str
    silence_told_at: datetime | None
    enrolled_at: datetime
    category: str = ""
    consent_until: date | None = None
    ended_at: datetime | None = None
    ended_reason: str = ""
    upload_h: int = 1
    upload_learnt_h: int | None = None

    def is_away(self, now: datetime) -> bool:
        """Return whether the home is announced away at `now`."""
        return self.active and self.away_until is not None and self.away_until > now


@dataclass(frozen=True)
class HomeRow:
    """One enrolled home as the list shows it, its residents masked; `open_case` is the gravest case about it that has not ended."""

    household_id: int
    residents: str
    area: str
    address: str
    meter: str
    state: str
    away_until: datetime | None
    last_at: datetime | None
    enrolled_at: datetime
    datastream_id: int = 0
    open_case: OpenCase | None = None


@dataclass(frozen=True)
class HomePage:
    """What the page of one home shows; persons are masked, their own pages show them in full for a reason."""

    enrolment: EnrolmentRow
    household: HouseholdCard
    area: str
    meter: str
    last_at: datetime | None
    members: Sequence[tuple[MemberCard, PersonCard]]
    hospital: Hospital | None
    consent: bool
    open_case: OpenCase | None


_WATCHED = Prepared(lambda ids: Enrolment.objects.filter(datastream_id__in=ids, active=True))


def resolve_datastreams(datastream_ids: list[int]) -> dict[int, Subject]:
    """Return whom each watched datastream is about, with what is known of the household that may explain a finding."""
    rows = _WATCHED.objects(datastream_ids)
    return {
        row.datastream_id: Subject(
            "household", row.household_id, row.area_id, row.path,
            {"household": row.household_id, "datastream": row.datastream_id},
            Known(
                row.away_until, row.said_well_at, row.sends_h, partial(can_be_called, row.household_id),
                partial(is_dead, row.gateway_id) if row.gateway_id else None,
            ).explains,
        )
        for row in rows
    }


def can_be_called(household_id: int, at: datetime) -> bool:
    """Return whether a resident of a home can be telephoned: a channel is on, and somebody agreed, has a telephone and hears it."""
    return any(channel in enabled_channels() for channel in CALL) and bool(
        askable({household_id}, role="RESIDENT", consent=WATCH_PURPOSE, at=at),
    )


def enrolments(scope: Scope, *, limit: int = 5_000) -> list[EnrolmentRow]:
    """Return the watched households in the scope, by area."""
    paths = scope.paths_for("case.read")
    if not paths:
        return []
    return [_row(row) for row in _inside(paths).order_by("path", "id")[:limit]]


def enrolment_of(household_id: int) -> EnrolmentRow:
    """Return the enrolment of a household. Raises NotFound."""
    row = Enrolment.objects.filter(household_id=household_id).first()
    if row is None:
        raise NotFound(what=f"住户 {household_id}")
    return _row(row)


def enrolment_in(scope: Scope, household_id: int) -> EnrolmentRow:
    """Return the enrolment of a household that `scope` sees. Raises NotFound."""
    row = enrolment_of(household_id)
    if not scope.may(READ, row.path):
        raise NotFound(what=f"住户 {household_id}")
    return row


def list_homes(
    scope: Scope, *, now: datetime, text: str = "", state: str = "", sort: str = "", offset: int = 0, limit: int = 50,
) -> tuple[list[HomeRow], int]:
    """Return a page of the enrolled homes `scope` sees, and how many there are; `state` is CHECK, HOME, AWAY, SILENT or ENDED."""
    open_ = open_cases(scope)
    rows = _inside(scope.paths_for(READ)).filter(Q(household_id__in=open_) if state == CHECK else _in_state(state, now))
    if text:
        rows = rows.filter(Q(household_id__in=matching_households(scope, text)) | Q(datastream_id__in=datastreams_like(scope, text)))
    key = SORTS.get(sort.removeprefix("-"), "path")
    page = list(rows.order_by("-" + key if sort.startswith("-") else key, "id")[offset : offset + limit])
    return _homes([_row(row) for row in page], open_, now=now), rows.count()


def home_page(scope: Scope, household_id: int, *, now: datetime, language: str) -> HomePage:
    """Return what the page of one home shows. Raises NotFound."""
    row = enrolment_in(scope, household_id)
    members = members_of([household_id]).get(household_id, ())
    cards = person_cards([member.person_id for member in members], language=language)
    stream = datastreams([row.datastream_id]).get(row.datastream_id)
    residents = [member.person_id for member in members if member.role == "RESIDENT"]
    return HomePage(
        row, household_cards([household_id])[household_id], area_names([row.area_id]).get(row.area_id, ""),
        stream.external_id if stream else "", last_readings([row.datastream_id], now=now).get(row.datastream_id),
        [(member, cards[member.person_id]) for member in members if member.person_id in cards],
        hospital_of(household_id), bool(live_consents(residents, WATCH_PURPOSE)), open_cases(scope, household_id=household_id).get(household_id),
    )


def hospital_of(household_id: int) -> Hospital | None:
    """Return the hospital to call for a home: its own, else that of the nearest area upwards that names one."""
    row = Enrolment.objects.filter(household_id=household_id).first()
    if row is None:
        return None
    if row.hospital_phone:
        return Hospital(row.hospital, row.hospital_phone, is_own=True)
    return hospital_of_text(places.setting(row.area_id, HOSPITAL.key).value)


def forced_entry_of(household_id: int) -> Hospital | None:
    """Return whom to ask before the door of a home is forced, as the nearest area upwards says; None where none does."""
    row = Enrolment.objects.filter(household_id=household_id).first()
    return None if row is None else hospital_of_text(places.setting(row.area_id, FORCED_ENTRY.key).value)


def holiday_of(household_id: int, *, now: datetime) -> tuple[date, date] | None:
    """Return the coming holiday where a home is, by the working calendar of its area; None where none comes soon."""
    row = Enrolment.objects.filter(household_id=household_id).first()
    if row is None:
        return None
    calendar = places.working_calendar(row.area_id)
    return next_holiday(local(now).date(), is_working=lambda day: bool(is_working_day(day, calendar)))


def facts_now(household_id: int, now: datetime) -> dict[str, float]:
    """Return what the meter says of a home at `now`: hours since water was used, left out where that cannot be known."""
    row = Enrolment.objects.filter(household_id=household_id).first()
    found = None if row is None else last_use_of(row.datastream_id, now=now)
    return {} if found is None else {HOURS_SINCE_USE: found.silent_h}


def last_use_of(datastream_id: int, *, now: datetime) -> LastUse | None:
    """Return when water was last used at a meter as far as the last days tell; None where that cannot be known."""
    return last_use(readings(datastream_id, now - LOOK_BACK, now))


def readings(datastream_id: int, start: datetime, end: datetime) -> Sequence[tuple[datetime, float]]:
    """Return a register's readings in [start, end], oldest first."""
    return series(datastream_id, start, end + MICROSECOND, max_points=READINGS).points()


def _below(paths: Collection[str]) -> Q:
    inside = Q(pk__in=())
    for path in paths:
        inside |= Q(path__gte=path, path__lt=path[:-1] + "0")
    return inside


def _inside(paths: Collection[str]) -> QuerySet[Enrolment]:
    return Enrolment.objects.filter(_below(paths))


def _in_state(state: str, now: datetime) -> Q:
    away, silent = Q(away_until__gt=now), Q(silence_told_at__isnull=False)
    return {
        "HOME": Q(active=True) & ~away & ~silent, "AWAY": Q(active=True) & away, "SILENT": Q(active=True) & ~away & silent,
        "ENDED": Q(active=False),
    }.get(state, Q(active=True))


def _homes(rows: Sequence[EnrolmentRow], open_: Mapping[int, OpenCase], *, now: datetime) -> list[HomeRow]:
    households = household_cards([row.household_id for row in rows])
    members = members_of(list(households))
    residents = {home: [each.person_id for each in found if each.role == "RESIDENT"] for home, found in members.items()}
    cards = person_cards({person for persons in residents.values() for person in persons}, language="zh")
    names = area_names({row.area_id for row in rows})
    streams = datastreams([row.datastream_id for row in rows])
    last = last_readings([row.datastream_id for row in rows], now=now)
    return [
        HomeRow(
            row.household_id, "、".join(cards[person].masked_name for person in residents.get(row.household_id, ())),
            names.get(row.area_id, ""), households[row.household_id].address,
            streams[row.datastream_id].external_id if row.datastream_id in streams else "", _state(row, now), row.away_until,
            last.get(row.datastream_id), row.enrolled_at, row.datastream_id, open_.get(row.household_id),
        )
        for row in rows
    ]


def _state(row: EnrolmentRow, now: datetime) -> str:
    if not row.active:
        return "ENDED"
    if row.is_away(now):
        return "AWAY"
    return "SILENT" if row.silence_told_at is not None else "HOME"


def _row(row: Enrolment) -> EnrolmentRow:
    return EnrolmentRow(
        row.pk, row.household_id, row.datastream_id, row.area_id, row.path, row.active, row.away_until, row.hospital,
        row.hospital_phone, row.silence_told_at, row.enrolled_at, row.category, row.consent_until, row.ended_at, row.ended_reason,
        row.upload_h, row.upload_learnt_h,
    )


@dataclass(frozen=True)
class VillageRow:
    """One area of a programme: its homes on the list, and those whose meter was heard within a day."""

    area: str
    homes: int
    heard: int


@dataclass(frozen=True)
class GatewayLine:
    """A silent gateway of a programme: where it stands, since when it is told of, and how many watched meters hang on it."""

    code: str
    area: str
    told_at: datetime
    meters: int


@dataclass(frozen=True)
class Programme:
    """What the programme page shows of the homes in a scope."""

    states: Mapping[str, int]
    checks: int
    figures: Figures
    villages: Sequence[VillageRow]
    gateways: Sequence[GatewayLine]


def programme(scope: Scope, *, now: datetime) -> Programme:
    """Return the state of the homes in `scope` and the figures of the last year, from the labels of closed cases."""
    rows = [_row(row) for row in _inside(scope.paths_for(READ)).order_by("path", "id")[:HOMES_COUNTED]]
    since = now - YEAR
    watched = {row.household_id: max((row.ended_at or now) - max(row.enrolled_at, since), timedelta()) for row in rows}
    labels = Label.objects.filter(household_id__in=watched, alert_kind__in=EXPLAINED_BY_ABSENCE, opened_at__gte=since).order_by("pk")
    found = [Labelled(each.household_id, each.label, each.opened_at, each.contact_at) for each in labels]
    active = [row for row in rows if row.active]
    last = last_readings([row.datastream_id for row in active], now=now)
    heard = {row.id for row in active if row.datastream_id in last and last[row.datastream_id] > now - HEARD_WITHIN}
    open_ = open_cases(scope)
    checks = sum(row.household_id in open_ for row in rows)
    return Programme(Counter(_state(row, now) for row in rows), checks, figures(found, watched), _villages(active, heard), _gateways(scope))


def _villages(rows: Sequence[EnrolmentRow], heard: Collection[int]) -> list[VillageRow]:
    names = area_names({row.area_id for row in rows})
    homes, with_readings = Counter(row.area_id for row in rows), Counter(row.area_id for row in rows if row.id in heard)
    return [VillageRow(names.get(area_id, ""), number, with_readings[area_id]) for area_id, number in homes.items()]


def _gateways(scope: Scope) -> list[GatewayLine]:
    found = silent_gateways(_below(scope.paths_for(READ)))
    names = area_names({row.area_id for row in found})
    return [GatewayLine(row.code, names.get(row.area_id, ""), row.told_at, row.meters) for row in found]
