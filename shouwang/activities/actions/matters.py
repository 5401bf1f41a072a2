"""Matters brought to an activity: each is a case, ended on the spot or handed on to the duty that answers for such matters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from django.db import transaction

from shouwang.activities import events as kinds
from shouwang.activities.actions.holding import event, held, require_state
from shouwang.activities.models import Activity, Matter
from shouwang.activities.queries.catalogue import kind_of, matter_of
from shouwang.activities.rules.checks import require, require_key, tidy_line
from shouwang.activities.rules.kinds import Matter as MatterKind
from shouwang.activities.rules.procedures import ANSWERED, HANDED_ON, HERE, KIND, REASON, SETTLED, SUBJECT, procedure_code
from shouwang.cases.actions import NewCase, add_note, complete, open_cases
from shouwang.cases.queries import tasks_of
from shouwang.cases.rules.evidence import Given
from shouwang.journal.actions import append
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text
from shouwang.people import actions as people
from shouwang.people.queries import find_person
from shouwang.people.rules import SYSTEM, Scope
from shouwang.people.rules.lines import digits, is_phone
from shouwang.places import queries as places

NOTE_LENGTH = 200
NAME_LENGTH = 40
MOST_AT_ONCE = 200
RECORDING = Text("登记事项", "record matters")
NAMELESS = "群众"
"""What a person is called who left a telephone number and no name."""
Handled = Literal["SETTLED", "ANSWERED", "HANDED_ON"]
HANDLED: dict[Handled, Text] = {
    "SETTLED": Text(SETTLED.title.zh, SETTLED.title.en),
    "ANSWERED": Text(ANSWERED.title.zh, ANSWERED.title.en),
    "HANDED_ON": Text("转责任岗位", "Handed on"),
}


@dataclass(frozen=True, slots=True)
class NewMatter:
    """One matter: what it is, how it was handled, from which queue number; whom to call back where it is handed on."""

    code: str
    handled: Handled
    key: str
    number: int | None = None
    note: str = ""
    name: str = ""
    phone: str = ""


def record_matter(scope: Scope, activity_id: int, new: NewMatter, *, now: datetime) -> int:
    """Record one matter, open its case and return that case's id; the same key again returns the first.

    Settled or answered on the spot the case ends at once, done by whoever records it; handed on, it goes to the duty of the
    matter at the activity's level. Raises NotFound, Refused, NotUsed, MoveRefused, ActivityWrong.
    """
    return record_matters(scope, activity_id, [new], now=now)[0]


def record_matters(scope: Scope, activity_id: int, new: Sequence[NewMatter], *, now: datetime) -> list[int]:
    """Record several matters in one transaction, as from a sheet of paper, and return their cases' ids in the order given.

    Each as `record_matter`; at most MOST_AT_ONCE.
    """
    require(len(new) <= MOST_AT_ONCE, ("事项数", "The number of matters"), str(len(new)), (f"不超过 {MOST_AT_ONCE}", f"at most {MOST_AT_ONCE}"))
    for each in new:
        require_key(each.key)
    with transaction.atomic():
        row = held(scope, activity_id, use="MATTERS")
        rows = Matter.objects.filter(activity_id=row.pk, key__in=[each.key for each in new])
        known = dict(rows.values_list("key", "case_id"))
        fresh = list({each.key: each for each in reversed(new) if each.key not in known}.values())[::-1]
        if fresh:
            require_state(row, "RUNNING", "ENDED", doing=RECORDING)
            known.update(zip((each.key for each in fresh), _record(scope, row, fresh, now=now), strict=True))
    return [known[each.key] for each in new]


def _record(scope: Scope, row: Activity, fresh: Sequence[NewMatter], *, now: datetime) -> Sequence[int]:
    """Open the cases of matters nobody has recorded yet, and return their ids; the caller holds the activity."""
    level = places.area(row.area_id).level
    matters = [_checked(row, each) for each in fresh]
    opened = open_cases([_case(row, level, each, matter) for each, matter in zip(fresh, matters, strict=True)], now=now)
    Matter.objects.bulk_create(
        Matter(
            activity_id=row.pk, key=each.key, code=each.code, handled=each.handled, number=each.number, case_id=case_id,
            person_id=_person(row, each, now=now) if each.handled == HANDED_ON else None, note=tidy_line(each.note), recorded_at=now,
            recorded_by=scope.person_id,
        )
        for each, case_id in zip(fresh, opened.ids, strict=True)
    )
    said = [
        event(row, kinds.MATTER_RECORDED, matter=each.code, handled=each.handled, case=case_id, number=each.number, by=scope.person_id)
        for each, case_id in zip(fresh, opened.ids, strict=True)
    ]
    append([*opened.events, *said], now=now)
    tasks = {task.case_id: task.id for task in tasks_of(opened.ids)}
    for each, case_id in zip(fresh, opened.ids, strict=True):
        _go_on(scope, case_id, tasks[case_id], each.handled, tidy_line(each.note), now=now)
    return opened.ids


def _go_on(scope: Scope, case_id: int, task_id: int, handled: Handled, note: str, *, now: datetime) -> None:
    """End the case on the spot, or let whoever gets it read the note."""
    if handled == HANDED_ON:
        if note:
            add_note(case_id, text=note, by=scope.person_id, now=now)
        return
    given = [Given("note", note)] if note else []
    complete(task_id, person_id=scope.person_id or 0, result=handled, evidence=given, may_take=True, now=now)


def _checked(row: Activity, new: NewMatter) -> MatterKind:
    kind = kind_of(row.kind)
    require(new.code in kind.matters, ("事项", "The matter"), new.code[:20], ("本类活动的事项之一", "one of this kind of activity"))
    require(new.handled in HANDLED, ("办理方式", "How it was handled"), str(new.handled)[:20], ("/".join(HANDLED), " or ".join(HANDLED)))
    require(new.number is None or 1 <= new.number <= row.last_number, ("号", "The number"), str(new.number), (f"1 至 {row.last_number}", f"1 to {row.last_number}"))
    require(len(tidy_line(new.note)) <= NOTE_LENGTH, ("说明", "The note"), new.note[:20], (f"不超过 {NOTE_LENGTH} 个字", f"at most {NOTE_LENGTH} characters"))
    require(len(tidy_line(new.name)) <= NAME_LENGTH, ("姓名", "The name"), new.name[:20], (f"不超过 {NAME_LENGTH} 个字", f"at most {NAME_LENGTH} characters"))
    phone = digits(new.phone)
    require(not phone or is_phone(phone), ("电话", "The telephone number"), f"{len(phone)} 位", ("5 至 15 位数字", "5 to 15 digits"))
    return matter_of(new.code)


def _case(row: Activity, level: str, new: NewMatter, matter: MatterKind) -> NewCase:
    handled = HANDED_ON if new.handled == HANDED_ON else HERE
    params = {"activity": row.pk, "matter": matter.code, "duty": matter.duty, "handled": handled}
    return NewCase(
        procedure_code(level), KIND, Severity.BLUE, row.area_id, row.path, SUBJECT, row.pk, REASON + matter.code, params, None,
        row.exercise_id,
    )


def _person(row: Activity, new: NewMatter, *, now: datetime) -> int | None:
    """Return whom to call back: known by name and telephone number in the area, else added; nobody without a number."""
    phone = digits(new.phone)
    if not phone:
        return None
    name = tidy_line(new.name) or NAMELESS
    known = find_person(SYSTEM, name=name, area_id=row.area_id, phone=phone)
    return known or people.add_person(SYSTEM, name=name, area_id=row.area_id, phone=phone, now=now)
