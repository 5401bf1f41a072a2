"""What the phone page of a task knows of the home it is about: the hospital to call, and whether the home is away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction

from shouwang.cases.actions import take_answer
from shouwang.cases.queries import CaseRow, answers_for, case_row, load_task, task_row
from shouwang.cases.rules.errors import TaskNotYours
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.systems.living_alone.actions import announce_absence
from shouwang.systems.living_alone.queries import enrolment_of, forced_entry_of, holiday_of, hospital_of
from shouwang.systems.living_alone.rules import SAID, SYSTEM
from shouwang.systems.living_alone.rules.absence import LONGEST_DAYS, until_of
from shouwang.systems.living_alone.rules.procedures import AWAY

MINE = frozenset({"ACCEPTED", "ARRIVED", "DONE"})


def hospital_as_contact(case: CaseRow, *, revealed: bool, language: str) -> list[dict[str, str]]:
    """Return the hospital of the home as somebody to call, once the task is accepted; nothing where none is known."""
    found = hospital_of(case.subject_id) if revealed and _is_home(case) else None
    if found is None:
        return []
    return [{"role": "Hospital" if language == "en" else "医院", "name": found.name, "phone": found.phone}]


def absence_of(case: CaseRow, *, now: datetime) -> dict[str, object]:
    """Return whether the home of a case is announced away, and the days it may be; nothing for other cases."""
    if not _is_home(case):
        return {}
    try:
        row = enrolment_of(case.subject_id)
    except NotFound:
        return {}
    return {
        "absence": True, "away": row.away_until if row.is_away(now) else None,
        "first_day": (local(now) + timedelta(days=1)).date(), "last_day": (local(now) + timedelta(days=LONGEST_DAYS)).date(),
        "holiday": holiday_of(case.subject_id, now=now),
    }


def announce(task_id: int, *, person_id: int, post: Mapping[str, Any], now: datetime) -> None:
    """Note what the person who has the task says of the home: away tonight, until a day, or back. Raises TaskNotYours, AbsenceWrong."""
    task = task_row(task_id)
    case = case_row(task.case_id)
    if task.assignee_id != person_id or task.state not in MINE or not _is_home(case):
        raise TaskNotYours(task=task_id)
    announce_absence(case.subject_id, until=until_of(post, now=now), by=person_id, now=now)


def door_of(case: CaseRow) -> dict[str, str]:
    """Return whom to ask when nobody opens; nothing where the area has not said."""
    found = forced_entry_of(case.subject_id) if _is_home(case) else None
    return {} if found is None else {"name": found.name, "phone": found.phone}


def contact_view(task_id: int, person_id: int, *, language: str, now: datetime) -> dict[str, object] | None:
    """Return what a contact of the subject may answer on the link; None for whoever may take the task itself."""
    with transaction.atomic():
        task = load_task(task_id)
    answers = answers_for(task, person_id)
    if not answers:
        return None
    return {
        "answers": [
            {"code": each.code, "title": SAID[each.code].render(language, {}) if each.code in SAID else each.title.render(language)}
            for each in answers if each.code not in AWAY
        ],
        "may_be_away": any(each.code in AWAY for each in answers),
        "open": task.state in {"CONFIRM", "OFFERED", "ACCEPTED", "ARRIVED", "SUSPENDED"}, "on_the_way": task.state in {"ACCEPTED", "ARRIVED"},
        "first_day": (local(now) + timedelta(days=1)).date(), "last_day": (local(now) + timedelta(days=LONGEST_DAYS)).date(),
        "holiday": holiday_of(task.case.subject_id, now=now) if task.case.subject_kind == "household" else None,
    }


def answer_as_contact(task_id: int, *, person_id: int, post: Mapping[str, Any], now: datetime) -> None:
    """Take what a contact chose on the link: one of the answers, or until when the home is away. Raises CaseError, AbsenceWrong."""
    if post.get("do") == "answer":
        take_answer(task_id, person_id=person_id, code=str(post.get("code", "")), now=now)
        return
    until = until_of(post, now=now)
    with transaction.atomic():
        task = load_task(task_id)
        code = next((each.code for each in answers_for(task, person_id) if each.code in AWAY), "")
        if not code or until is None or task.case.subject_kind != "household":
            raise TaskNotYours(task=task_id)
        take_answer(task_id, person_id=person_id, code=code, now=now)
        announce_absence(task.case.subject_id, until=until, by=person_id, now=now)


def _is_home(case: CaseRow) -> bool:
    return case.kind == SYSTEM and case.subject_kind == "household"
