"""Writes of hazards: found or proposed, mended as a case that somebody above checks, late ones told above."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from django.db import transaction

from shouwang.cases.actions import NewCase, add_note, open_cases
from shouwang.cases.queries import case_row, evidence_of, tasks_of
from shouwang.files.actions import store_photo
from shouwang.files.queries import StoredFile
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity
from shouwang.people.rules import Scope
from shouwang.systems.drowning.actions.telling import ABOVE_TOWNSHIP, tell_duty
from shouwang.systems.drowning.models import Hazard, Patrol, Water
from shouwang.systems.drowning.queries import water_in
from shouwang.systems.drowning.rules import hazards as rules
from shouwang.systems.drowning.rules.errors import HazardMoved, HazardWrong
from shouwang.systems.drowning.rules.hazards import NewHazard
from shouwang.systems.drowning.rules.mending import WATER_HAZARD
from shouwang.systems.drowning.rules.procedures import RESCUED

FIND = ("case.handle", "case.dispatch")
DECIDE = "case.dispatch"
KEPT = timedelta(days=3 * 366)
TOLD_AT_ONCE = 200


def may_find(scope: Scope, path: str) -> bool:
    """Return whether somebody may report hazards and tell patrols done at a place."""
    return any(scope.may(right, path) for right in FIND)


def require_find(scope: Scope, path: str) -> None:
    """Raise Refused where somebody may not."""
    if not may_find(scope, path):
        scope.require(FIND[0], path)


def keep_photo(photo: bytes | None, *, now: datetime) -> StoredFile | None:
    """Store the photo of a form, if there is one; call it before the transaction. Raises what `store_photo` raises."""
    return store_photo(photo, now=now, keep_for=KEPT) if photo else None


def find_hazard(scope: Scope, water_id: int, new: NewHazard, *, photo: bytes | None = None, patrol_id: int | None = None, now: datetime) -> int:
    """Record a hazard, open its case and return the hazard's number; the same key again returns the first.

    A patrol on which it was found is done by it. Raises NotFound, Refused, HazardWrong and what `store_photo` raises.
    """
    water = water_in(scope, water_id)
    require_find(scope, water.path)
    new = rules.checked(new, today=local(now).date())
    known = Hazard.objects.filter(key=new.key).first()
    if known is not None:
        if known.water_id != water_id:
            raise HazardWrong(field="提交编号 key", found=new.key[:8], expected="一次一个 a key of its own")
        return known.pk
    stored = keep_photo(photo, now=now)
    with transaction.atomic():
        row = Hazard.objects.create(
            water_id=water_id, path=water.path, kind=new.kind, what=new.what, unit=new.unit, key=new.key, photo_id=stored.id if stored else None,
            found_by=scope.person_id, found_at=now, until=new.until, state=rules.OPEN,
        )
        said = _open(row, water.name, water.area_id, by=scope.person_id, now=now)
        if patrol_id is not None:
            made = Patrol.objects.filter(pk=patrol_id, water_id=water_id, done_at__isnull=True, due_from__lte=now)
            if made.update(done_at=now, by=scope.person_id, hazard_id=row.pk):
                said.append(NewEvent("drowning.patrol_done", patrol_id, {"water": water_id, "hazard": row.pk}))
        append(said, now=now)
    return row.pk


def _open(row: Hazard, water: str, area_id: int, *, by: int | None, now: datetime) -> list[NewEvent]:
    """Open the case of a hazard and return the events the caller appends last."""
    params = {"water": water, "until": row.until.isoformat(), "hazard": row.pk}
    opened = open_cases([
        NewCase(
            WATER_HAZARD.code, rules.CASE_KIND, Severity.BLUE, area_id, row.path, rules.SUBJECT, row.pk, rules.REASON + row.kind, params,
        ),
    ], now=now)
    Hazard.objects.filter(pk=row.pk).update(case_id=opened.ids[0])
    found = NewEvent("drowning.hazard_found", row.pk, {"water": row.water_id, "kind": row.kind, "case": opened.ids[0], "by": by})
    return [*opened.events, found]


def propose_hazard(case_id: int, *, now: datetime) -> int | None:
    """Propose a hazard where the closed case of a water ended with a rescue, once; return its number."""
    case = case_row(case_id)
    if case.subject_kind != "water" or case.exercise_id is not None or all(task.result != RESCUED for task in tasks_of([case_id])):
        return None
    water = Water.objects.filter(pk=case.subject_id).first()
    if water is None:
        return None
    with transaction.atomic():
        row, is_new = Hazard.objects.get_or_create(from_case_id=case_id, defaults={
            "water_id": water.pk, "path": water.path, "kind": "OTHER", "what": "", "unit": water.owner[:80], "found_at": now,
            "until": local(now).date() + timedelta(days=rules.DAYS_OFFERED), "state": rules.PROPOSED,
        })
        if is_new:
            append([NewEvent("drowning.hazard_proposed", row.pk, {"water": water.pk, "case": case_id})], now=now)
    return row.pk


def take_proposal(scope: Scope, hazard_id: int, new: NewHazard, *, now: datetime) -> None:
    """Make a proposed hazard one that is mended. Raises NotFound, Refused, HazardWrong, HazardMoved."""
    new = rules.checked(new, today=local(now).date())
    with transaction.atomic():
        row = _held(scope, hazard_id, state=rules.PROPOSED)
        row.kind, row.what, row.unit, row.until, row.key = new.kind, new.what, new.unit, new.until, new.key
        row.state, row.found_by = rules.OPEN, scope.person_id
        row.save(update_fields=["kind", "what", "unit", "until", "key", "state", "found_by"])
        append(_open(row, row.water.name, row.water.area_id, by=scope.person_id, now=now), now=now)


def drop_proposal(scope: Scope, hazard_id: int, *, why: str, now: datetime) -> None:
    """Say why a proposed hazard is none. Raises NotFound, Refused, HazardMoved, HazardWrong."""
    why = " ".join(why.split())
    if not 0 < len(why) <= rules.WHAT_LENGTH:
        raise HazardWrong(field="说明 why", found=why[:20] or "—", expected=f"1–{rules.WHAT_LENGTH}")
    with transaction.atomic():
        row = _held(scope, hazard_id, state=rules.PROPOSED)
        Hazard.objects.filter(pk=row.pk).update(state=rules.DROPPED, done=why, done_at=now)
        append([NewEvent("drowning.hazard_dropped", row.pk, {"water": row.water_id, "by": scope.person_id})], now=now)


def _held(scope: Scope, hazard_id: int, *, state: str) -> Hazard:
    row = Hazard.objects.select_for_update(of=("self",)).select_related("water").filter(pk=hazard_id).first()
    if row is None or not scope.may("case.read", row.path):
        raise NotFound(what=f"隐患 {hazard_id}")
    scope.require(DECIDE, row.path)
    if row.state != state:
        raise HazardMoved(hazard=hazard_id, found=rules.STATES[row.state].zh, expected=rules.STATES[state].zh)
    return row


def follow_hazard(case_id: int, *, now: datetime) -> None:
    """Let a hazard stand as its case does: mended with what was done and its photo, closed, or open again. May be done twice."""
    case = case_row(case_id)
    state = rules.state_of(case.state, case.result)
    row = Hazard.objects.filter(pk=case.subject_id, case_id=case_id)
    values: dict[str, Any] = {"state": state}
    if state == rules.OPEN:
        row, values = row.exclude(state=rules.OPEN), {"state": state, "done_at": None, "told_at": None}
    elif state != rules.CLOSED:
        given = evidence_of(case_id)
        said = [item.value for item in given if item.code in {"done", "why"}]
        photos = [item.file_id for item in given if item.file_id is not None]
        values |= {"done": said[-1][:400] if said else "", "done_photo_id": photos[-1] if photos else None, "done_at": now}
    with transaction.atomic():
        row.update(**values)


def tell_late_hazards(now: datetime) -> int:
    """Tell the level above the township of each hazard past its day, once; return how many."""
    today = local(now).date()
    late = Hazard.objects.filter(state=rules.OPEN, until__lt=today, told_at__isnull=True).select_related("water").order_by("pk")
    rows: Sequence[Hazard] = list(late[:TOLD_AT_ONCE])
    for row in rows:
        _tell(row, row.until, now=now)
    return len(rows)


def _tell(row: Hazard, until: date, *, now: datetime) -> None:
    with transaction.atomic():
        if not Hazard.objects.filter(pk=row.pk, told_at__isnull=True).update(told_at=now):
            return
        params = {"water": row.water.name, "until": until.isoformat()}
        told = tell_duty(row.path, ABOVE_TOWNSHIP, template=rules.LATE, key=f"hazard:{row.pk}:late", params=params, case_id=row.case_id, now=now)
        if told is not None and row.case_id is not None:
            add_note(row.case_id, text=rules.LATE_TEXT.zh.format(**params), by=None, now=now)
