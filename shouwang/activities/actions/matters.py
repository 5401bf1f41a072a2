"""Matters brought to an activity: each is a case, ended on the spot or handed on to the duty that answers for such matters."""

from __future__ import annotations

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
    require_key(new.key)
    with transaction.atomic():
        row = held(scope, activity_id, use="MATTERS")
        known = Matter.objects.filter(activity_id=row.pk, key=new.key).values_list("case_id", flat=True).first()
        if known is not None:
            return known
        require_state(row, "RUNNING", "ENDED", doing=RECORDING)
        matter = _checked(row, new)
        on_the_spot = new.handled != HANDED_ON
        opened = open_cases([_case(row, matter, on_the_spot=on_the_spot)], now=now)
        person_id = None if on_the_spot else _person(row, new, now=now)
        note = tidy_line(new.note)
        Matter.objects.create(
            activity_id=row.pk, key=new.key, code=matter.code, handled=new.handled, number=new.number, case_id=opened.ids[0],
            person_id=person_id, note=note, recorded_at=now, recorded_by=scope.person_id,
        )
        said = event(
            row, kinds.MATTER_RECORDED, matter=matter.code, handled=new.handled, case=opened.ids[0], number=new.number, by=scope.person_id,
        )
        append([*opened.events, said], now=now)
        _go_on(scope, opened.ids[0], new.handled, note, now=now)
    return opened.ids[0]


def _go_on(scope: Scope, case_id: int, handled: Handled, note: str, *, now: datetime) -> None:
    """End the case on the spot, or let whoever gets it read the note."""
    if handled == HANDED_ON:
        if note:
            add_note(case_id, text=note, by=scope.person_id, now=now)
        return
    (task,) = tasks_of([case_id])
    given = [Given("note", note)] if note else []
    complete(task.id, person_id=scope.person_id or 0, result=handled, evidence=given, may_take=True, now=now)


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


def _case(row: Activity, matter: MatterKind, *, on_the_spot: bool) -> NewCase:
    params = {"activity": row.pk, "matter": matter.code, "duty": matter.duty, "handled": HERE if on_the_spot else HANDED_ON}
    return NewCase(
        procedure_code(places.area(row.area_id).level), KIND, Severity.BLUE, row.area_id, row.path, SUBJECT, row.pk,
        REASON + matter.code, params, None, row.exercise_id,
    )


def _person(row: Activity, new: NewMatter, *, now: datetime) -> int | None:
    """Return whom to call back: known by name and telephone number in the area, else added; nobody without a number."""
    phone = digits(new.phone)
    if not phone:
        return None
    name = tidy_line(new.name) or NAMELESS
    known = find_person(SYSTEM, name=name, area_id=row.area_id, phone=phone)
    return known or people.add_person(SYSTEM, name=name, area_id=row.area_id, phone=phone, now=now)
