"""A case's line is made of its events; a figure is made of lines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shouwang.indicators.queries import definition_of, definitions
from shouwang.indicators.rules import figures as rules
from shouwang.indicators.rules.figures import DefinitionInvalid, Value
from shouwang.indicators.rules.folding import Line, folded, opened

START = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
LINE = opened(7, {"area": 3, "kind": "living_alone", "severity": 3}, at=START, exercise_id=None)


def at(minutes: float) -> datetime:
    return START + timedelta(minutes=minutes)


@pytest.mark.parametrize(("events", "expected"), [
    # The first acceptance counts, not a later one; whoever forgets to accept accepts by completing.
    ([("case.task_accepted", {}, 3), ("case.task_accepted", {}, 9)], {"accepted_at": at(3)}),
    ([("case.step_done", {}, 5)], {"accepted_at": at(5)}),
    ([("case.arrived", {}, 4), ("case.arrived", {}, 6)], {"arrived_at": at(4)}),
    # Completed and closed keep two moments; a result given at completion stays.
    ([("case.completed", {"result": "WELL"}, 8)], {"state": "COMPLETED", "completed_at": at(8), "result": "WELL"}),
    ([("case.completed", {"result": "WELL"}, 8), ("case.closed", {"by": 1}, 9)],
     {"state": "CLOSED", "completed_at": at(8), "closed_at": at(9), "result": "WELL"}),
    # A false alarm is closed without having been completed.
    ([("case.false_alarm", {"reason": "DEVICE"}, 2), ("case.closed", {"result": "DEVICE"}, 2)],
     {"state": "CLOSED", "false_alarm": True, "completed_at": at(2), "closed_at": at(2), "result": "DEVICE"}),
    ([("case.withdrawn", {"reason": "MOVED"}, 2)], {"state": "WITHDRAWN", "closed_at": at(2), "result": "MOVED"}),
    # Opened again: it is open, not late, and its first acceptance stays.
    ([("case.task_accepted", {}, 1), ("case.task_overdue", {}, 2), ("case.completed", {"result": "WELL"}, 8), ("case.reopened", {}, 9)],
     {"accepted_at": at(1), "reopened": 1}),
    ([("case.escalated", {}, 1), ("case.escalated", {}, 2), ("case.coverage_gap", {}, 2), ("case.clock_passed", {}, 3)],
     {"escalations": 2, "gaps": 1, "late": True}),
    ([("case.noted", {}, 1), ("case.unheard_of", {}, 2)], {}),
])
def test_a_line_is_what_its_events_say(events: list[tuple[str, dict[str, Any], float]], expected: dict[str, Any]) -> None:
    line = LINE
    for kind, payload, minutes in events:
        line = folded(line, kind, payload, at=at(minutes))
    assert line == replace(LINE, **expected)


def lines() -> list[Line]:
    return [
        replace(LINE, case_id=1, accepted_at=at(2), completed_at=at(10), state="CLOSED"),
        replace(LINE, case_id=2, accepted_at=at(6), late=True),
        replace(LINE, case_id=3),
        # Opened the day before and still open: in the open ones, not in today's.
        replace(LINE, case_id=4, opened_at=at(-1440), accepted_at=at(-1400), late=True),
    ]


@pytest.mark.parametrize(("code", "value", "rows"), [
    ("opened", Value(3.0, 3), {1, 2, 3}),
    ("open", Value(3.0, 3), {2, 3, 4}),
    ("late", Value(2.0, 2), {2, 4}),
    ("completed_share", Value(pytest.approx(33.333, abs=0.001), 3), {1, 2, 3}),
    ("accept_minutes", Value(4.0, 2), {1, 2, 3}),
    ("complete_minutes", Value(10.0, 1), {1, 2, 3}),
])
def test_the_shipped_figures(code: str, value: Value, rows: set[int]) -> None:
    definition = definition_of(code)
    assert rules.value(definition, lines(), since=START) == value
    assert {line.case_id for line in rules.rows(definition, lines(), since=START)} == rows


def test_over_nothing_a_count_is_zero_and_the_rest_is_not_measured() -> None:
    found = {definition.code: rules.value(definition, [], since=START).number for definition in definitions()}
    assert found == {"opened": 0, "open": 0, "late": 0, "completed_share": None, "accept_minutes": None, "complete_minutes": None}


def test_one_changed_line_moves_every_figure() -> None:
    before = {each.code: rules.value(each, lines(), since=START) for each in definitions()}
    changed = [*lines(), replace(LINE, case_id=5, accepted_at=at(9), late=True), replace(LINE, case_id=6, accepted_at=at(9), completed_at=at(50), state="CLOSED")]
    after = {each.code: rules.value(each, changed, since=START) for each in definitions()}
    assert [code for code in before if before[code] == after[code]] == []


@pytest.mark.parametrize(("text", "said"), [
    ('[[figure]]\ncode = "a"\ntitle_zh = "甲"', "title_en"),
    ('[[figure]]\ncode = "a"\ntitle_zh = "甲"\ntitle_en = "A"\nmeans_zh = "。"\nmeans_en = "."\nover = "OPENED"\nmeasure = "SHARE"', "part"),
    ('[[figure]]\ncode = "a"\ntitle_zh = "甲"\ntitle_en = "A"\nmeans_zh = "。"\nmeans_en = "."\nover = "OPENED"\nmeasure = "MEDIAN_MINUTES"', "since"),
    ('[[figure]]\ncode = "a"\ntitle_zh = "甲"\ntitle_en = "A"\nmeans_zh = "。"\nmeans_en = "."\nover = "SOME"\nmeasure = "COUNT"', "SOME"),
])
def test_a_definition_that_cannot_be_computed_is_refused(text: str, said: str) -> None:
    with pytest.raises(DefinitionInvalid, match=said):
        rules.definitions(text)
