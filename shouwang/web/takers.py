"""To whom the desk may hand a task over: whoever answers now on any rung of its ladder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from shouwang.cases.queries import CaseRow, procedure_of_case
from shouwang.kernel.texts import Text
from shouwang.people.queries import Who, answerable, person_cards
from shouwang.people.rules.codes import RANKS

REASONS: Mapping[str, Text] = {
    "ABSENT": Text("不在岗", "Not at work"), "NEARER": Text("有人离得更近", "Somebody is nearer"), "OTHER": Text("其他", "Something else"),
}
"""Why a task is handed over, by the code that stands in the log."""


def takers(case: CaseRow, *, now: datetime, language: str) -> Sequence[tuple[int, str]]:
    """Return who may be given the case's open task, as (person, name and duty), by the ladder; never the one who has it."""
    task = case.task
    if task is None or task.ended_at is not None or case.state != "OPEN":
        return ()
    rungs = procedure_of_case(case.id).step(task.step).rungs
    asked = list(dict.fromkeys(Who(case.path, rung.duty, rung.level, rank) for rung in rungs for rank in RANKS))
    found = dict.fromkeys(person for person in answerable(asked, at=now) if person is not None and person != task.assignee_id)
    cards = person_cards(found, language=language)
    return [(person, f"{cards[person].name} {cards[person].duty}".strip()) for person in found if person in cards]
