"""Writes of the five parties' due lists and of what joint meetings agreed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from django.db import transaction

from shouwang.cases.actions import NewCase, add_note, open_cases
from shouwang.cases.queries import case_row, evidence_of
from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.kernel.severity import Severity
from shouwang.people.rules import Scope
from shouwang.places.queries import areas
from shouwang.systems.drowning.actions.hazards import TOLD_AT_ONCE, require_find
from shouwang.systems.drowning.actions.telling import ABOVE_TOWNSHIP, tell_duty
from shouwang.systems.drowning.models import JointItem, PartyItem
from shouwang.systems.drowning.queries.parties import shipped_items
from shouwang.systems.drowning.rules import parties as rules
from shouwang.systems.drowning.rules.errors import ItemWrong
from shouwang.systems.drowning.rules.mending import WATER_JOINT_ITEM
from shouwang.systems.drowning.rules.parties import NewJointItem

MANAGE = "case.dispatch"


def make_list(scope: Scope, area_id: int, *, year: int, now: datetime) -> int:
    """Make an area's list of a year, or add what it lacks; what is there stays. Return how many are due. Raises NotFound, Refused, ItemWrong."""
    path = _path(scope, area_id)
    dues = rules.dues(list(shipped_items().values()), year=year)
    with transaction.atomic():
        PartyItem.objects.bulk_create(
            [PartyItem(area_id=area_id, path=path, code=code, due=due) for code, due in dues], ignore_conflicts=True,
        )
        append([NewEvent("drowning.parties_listed", area_id, {"year": year, "by": scope.person_id})], now=now)
    return len(dues)


def _path(scope: Scope, area_id: int) -> str:
    area = areas([area_id]).get(area_id)
    if area is None:
        raise NotFound(what=f"区划 {area_id}")
    scope.require(MANAGE, area.path)
    return area.path


def tick_item(scope: Scope, party_item_id: int, *, done_on: date, note: str = "", now: datetime) -> None:
    """Note the day on which an item was done; told again it is corrected. Raises NotFound, Refused, ItemWrong."""
    row = PartyItem.objects.filter(pk=party_item_id).first()
    if row is None or not scope.may("case.read", row.path):
        raise NotFound(what=f"事项 {party_item_id}")
    require_find(scope, row.path)
    note = rules.noted(done_on, note, today=local(now).date())
    with transaction.atomic():
        PartyItem.objects.filter(pk=party_item_id).update(done_on=done_on, note=note, done_by=scope.person_id, done_at=now)
        append([NewEvent("drowning.party_item_done", party_item_id, {"code": row.code, "by": scope.person_id})], now=now)


def add_joint_item(scope: Scope, new: NewJointItem, *, now: datetime) -> int:
    """Keep what a joint meeting agreed as a case and return its number; the same key again returns the first.

    Raises NotFound, Refused, ItemWrong.
    """
    path = _path(scope, new.area_id)
    new = rules.checked(new, today=local(now).date())
    with transaction.atomic():
        row, is_new = JointItem.objects.get_or_create(key=new.key, defaults={
            "area_id": new.area_id, "path": path, "title": new.title, "unit": new.unit, "until": new.until, "state": "OPEN",
            "added_by": scope.person_id, "added_at": now,
        })
        if row.path != path:
            raise ItemWrong(field="提交编号 key", found=new.key[:8], expected="一次一个 a key of its own")
        if is_new:
            params = {"item": row.pk, "until": new.until.isoformat()}
            opened = open_cases([
                NewCase(WATER_JOINT_ITEM.code, rules.CASE_KIND, Severity.BLUE, new.area_id, path, rules.SUBJECT, row.pk, rules.REASON, params),
            ], now=now)
            JointItem.objects.filter(pk=row.pk).update(case_id=opened.ids[0])
            append([*opened.events, NewEvent("drowning.joint_item_added", row.pk, {"case": opened.ids[0], "by": scope.person_id})], now=now)
    return row.pk


def follow_joint_item(case_id: int, *, now: datetime) -> None:
    """Let an agreed item stand as its case does, with its closing note. May be done twice."""
    del now
    case = case_row(case_id)
    state = {"COMPLETED": "DONE", "CLOSED": "CLOSED", "OPEN": "OPEN", "SUSPENDED": "OPEN"}.get(case.state, "DROPPED")
    values: dict[str, Any] = {"state": state}
    said = [item.value for item in evidence_of(case_id) if item.code == "done"]
    if said and state != "OPEN":
        values["done"] = said[-1][:400]
    with transaction.atomic():
        JointItem.objects.filter(pk=case.subject_id, case_id=case_id).update(**values)


def tell_late_items(now: datetime) -> int:
    """Tell the level above the township of each agreed item past its day, once; return how many."""
    late = JointItem.objects.filter(state="OPEN", until__lt=local(now).date(), told_at__isnull=True).order_by("pk")
    rows: Sequence[JointItem] = list(late[:TOLD_AT_ONCE])
    for row in rows:
        with transaction.atomic():
            if not JointItem.objects.filter(pk=row.pk, told_at__isnull=True).update(told_at=now):
                continue
            params = {"item": row.pk, "until": row.until.isoformat()}
            told = tell_duty(row.path, ABOVE_TOWNSHIP, template=rules.LATE, key=f"joint:{row.pk}:late", params=params, case_id=row.case_id, now=now)
            if told is not None and row.case_id is not None:
                add_note(row.case_id, text=rules.LATE_TEXT.zh.format(**params), by=None, now=now)
    return len(rows)
