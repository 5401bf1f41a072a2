"""What the phone page of a task knows of the home it is about: the hospital to call, and whether the home is away."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from shouwang.cases.queries import CaseRow, case_row, task_row
from shouwang.cases.rules.errors import TaskNotYours
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.systems.living_alone.actions import announce_absence
from shouwang.systems.living_alone.queries import enrolment_of, hospital_of
from shouwang.systems.living_alone.rules import SYSTEM
from shouwang.systems.living_alone.rules.absence import LONGEST_DAYS, until_of

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
    }


def announce(task_id: int, *, person_id: int, post: Mapping[str, Any], now: datetime) -> None:
    """Note what the person who has the task says of the home: away tonight, until a day, or back. Raises TaskNotYours, AbsenceWrong."""
    task = task_row(task_id)
    case = case_row(task.case_id)
    if task.assignee_id != person_id or task.state not in MINE or not _is_home(case):
        raise TaskNotYours(task=task_id)
    announce_absence(case.subject_id, until=until_of(post, now=now), by=person_id, now=now)


def _is_home(case: CaseRow) -> bool:
    return case.kind == SYSTEM and case.subject_kind == "household"
