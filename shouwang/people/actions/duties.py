"""Writes about duties and shifts. Each makes this process forget the roster it keeps, at once and after the commit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from django.db import transaction
from django.db.models import Q

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people import events as kinds
from shouwang.people.actions.checks import APPOINT, areas_in, known, persons_exist, require_span
from shouwang.people.models import Duty, Shift
from shouwang.people.queries.roster import forget
from shouwang.people.rules.codes import ADMINISTRATOR, DUTIES, PRIMARY, RANKS
from shouwang.people.rules.errors import DutyHeldAlready, ShiftOverlaps
from shouwang.people.rules.scope import RIGHTS_OF_DUTY, Scope

BATCH = 500


@dataclass(frozen=True, slots=True)
class NewDuty:
    """A duty to assign at an area, from a local day (inclusive) until a day (exclusive)."""

    person_id: int
    code: str
    area_id: int
    from_date: date
    rank: str = PRIMARY
    until_date: date | None = None


@dataclass(frozen=True, slots=True)
class NewShift:
    """A shift to plan, in the half-open interval [start_at, until_at)."""

    area_id: int
    code: str
    start_at: datetime
    until_at: datetime
    person_id: int
    deputy_id: int | None = None


def assign_duty(
    scope: Scope, *, person_id: int, code: str, area_id: int, from_date: date, rank: str = PRIMARY,
    until_date: date | None = None, now: datetime,
) -> int:
    """Assign a duty at an area and return its id. Raises Refused, NotFound, SpanEmpty, DutyHeldAlready.

    Only an administrator of the place assigns duties there: a duty gives rights.
    """
    return assign_duties(scope, [NewDuty(person_id, code, area_id, from_date, rank, until_date)], now=now)[0]


def assign_duties(scope: Scope, new: Sequence[NewDuty], *, now: datetime) -> list[int]:
    """Assign duties in bulk and return their ids in order; all or none. Raises as `assign_duty`."""
    areas = areas_in(scope, {each.area_id for each in new}, APPOINT)
    persons_exist(each.person_id for each in new)
    for each in new:
        known("职责", each.code, DUTIES)
        known("主备", each.rank, RANKS)
        require_span(each.from_date, each.until_date)
        if each.code == ADMINISTRATOR:
            _require_all(scope, areas[each.area_id].path)
    rows = [
        Duty(
            person_id=each.person_id, code=each.code, rank=each.rank, area_id=each.area_id, path=areas[each.area_id].path,
            level=areas[each.area_id].level, from_date=each.from_date, until_date=each.until_date,
        )
        for each in new
    ]
    with transaction.atomic():
        _refuse_held(new)
        made = Duty.objects.unscoped().bulk_create(rows, batch_size=BATCH)
        _forget()
        append(
            [
                NewEvent(kinds.DUTY_ASSIGNED, row.pk, {"person": row.person_id, "code": row.code, "area": row.area_id})
                for row in made
            ],
            now=now,
        )
    return [row.pk for row in made]


def end_duty(scope: Scope, duty_id: int, *, now: datetime) -> None:
    """End a duty today: it no longer counts from this local day on. Raises Refused, NotFound."""
    scope.require(APPOINT)
    today = local(now).date()
    with transaction.atomic():
        duty: Duty | None = Duty.objects.within(scope, APPOINT).filter(pk=duty_id).first()
        if duty is None:
            raise NotFound(what=f"职责 {duty_id}")
        if duty.code == ADMINISTRATOR:
            _require_all(scope, duty.path)
        if duty.until_date is not None and duty.until_date <= today:
            return
        duty.until_date = max(today, duty.from_date)
        duty.save(update_fields=["until_date"])
        _forget()
        append([NewEvent(kinds.DUTY_ENDED, duty_id, {"person": duty.person_id, "code": duty.code})], now=now)


def plan_shift(
    scope: Scope, *, area_id: int, code: str, start_at: datetime, until_at: datetime, person_id: int,
    deputy_id: int | None = None, now: datetime,
) -> int:
    """Plan a shift and return its id. Raises Refused, NotFound, SpanEmpty, ShiftOverlaps."""
    new = NewShift(area_id, code, start_at, until_at, person_id, deputy_id)
    return plan_shifts(scope, [new], now=now)[0]


def plan_shifts(scope: Scope, new: Sequence[NewShift], *, now: datetime) -> list[int]:
    """Plan shifts in bulk and return their ids in order; all or none. Raises as `plan_shift`.

    A shift gives its person and deputy the rights of the duty while it lasts, so only an administrator plans it, or
    an officer who dispatches there and has those rights.
    """
    areas = areas_in(scope, {each.area_id for each in new}, _planner_right(scope))
    persons_exist(person for each in new for person in (each.person_id, each.deputy_id) if person is not None)
    for each in new:
        known("职责", each.code, DUTIES)
        require_span(each.start_at, each.until_at)
        _require_rights(scope, each.code, areas[each.area_id].path)
    rows = [
        Shift(
            area_id=each.area_id, path=areas[each.area_id].path, level=areas[each.area_id].level, code=each.code,
            start_at=each.start_at, until_at=each.until_at, person_id=each.person_id,
            deputy_id=each.deputy_id if each.deputy_id != each.person_id else None,
        )
        for each in new
    ]
    with transaction.atomic():
        made = []
        for row in rows:
            _refuse_overlap(row)
            row.save(force_insert=True)
            made.append(row)
        _forget()
        append([NewEvent(kinds.SHIFT_PLANNED, row.pk, {"area": row.area_id, "code": row.code}) for row in made], now=now)
    return [row.pk for row in made]


def cancel_shift(scope: Scope, shift_id: int, *, now: datetime) -> None:
    """Cancel a shift: one still ahead is dropped, one in force ends now; one that is over stays. Raises Refused, NotFound."""
    right = _planner_right(scope)
    scope.require(right)
    with transaction.atomic():
        shift: Shift | None = Shift.objects.within(scope, right).filter(pk=shift_id).first()
        if shift is None:
            raise NotFound(what=f"班次 {shift_id}")
        _require_rights(scope, shift.code, shift.path)
        if shift.until_at <= now:
            return
        if shift.start_at >= now:
            shift.delete()
        else:
            shift.until_at = now
            shift.save(update_fields=["until_at"])
        _forget()
        append([NewEvent(kinds.SHIFT_CANCELLED, shift_id, {"area": shift.area_id, "code": shift.code})], now=now)


def _planner_right(scope: Scope) -> str:
    return APPOINT if APPOINT in scope.rights else "case.dispatch"


def _require_rights(scope: Scope, code: str, path: str) -> None:
    if scope.may(APPOINT, path) and code != ADMINISTRATOR:
        return
    for right in sorted(RIGHTS_OF_DUTY[code]):
        scope.require(right, path)


def _require_all(scope: Scope, path: str) -> None:
    for right in sorted(RIGHTS_OF_DUTY[ADMINISTRATOR]):
        scope.require(right, path)


def _refuse_held(new: Sequence[NewDuty]) -> None:
    held: dict[tuple[int, str, int], list[tuple[int, date, date | None]]] = {}
    rows = Duty.objects.unscoped().filter(person_id__in={each.person_id for each in new}, object_kind="AREA")
    for pk, person, code, area, start, until in rows.values_list(
        "pk", "person_id", "code", "area_id", "from_date", "until_date",
    ):
        held.setdefault((person, code, area), []).append((pk, start, until))
    for each in new:
        spans = held.setdefault((each.person_id, each.code, each.area_id), [])
        for pk, start, until in spans:
            if each.from_date < (until or date.max) and start < (each.until_date or date.max):
                raise DutyHeldAlready(person=each.person_id, duty=each.code, held=pk)
        spans.append((0, each.from_date, each.until_date))


def _refuse_overlap(row: Shift) -> None:
    other = Shift.objects.unscoped().filter(
        Q(start_at__lt=row.until_at) & Q(until_at__gt=row.start_at), area_id=row.area_id, code=row.code,
    ).first()
    if other is not None:
        raise ShiftOverlaps(
            shift=other.pk, start=f"{local(other.start_at):%m-%d %H:%M}", until=f"{local(other.until_at):%m-%d %H:%M}",
        )


def _forget() -> None:
    forget()
    transaction.on_commit(forget)
