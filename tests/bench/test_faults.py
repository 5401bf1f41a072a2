"""What the faults count as lost, repeated and in flight: the judge must be able to find each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bench.faults.client import HIGH, LOW, NO_DATA
from bench.faults.gateways import Gateways, behaviour
from bench.faults.judge import back_after, calls_beyond_the_first, compare, expected_of, in_flight
from bench.faults.records import ACKED, TOLD, Backlog, Progress, Record, newest, read

GRID, TOWNSHIP, COUNTY = 1, 2, 3
PEOPLE = dict.fromkeys((10, 11, 12, 13), (GRID, TOWNSHIP, COUNTY))
LOW_REASON, NO_DATA_REASON = f"{LOW}_OPEN", f"{NO_DATA}_OPEN"


def row(person: int, template: str, reason: str, stream: int, *, key: str, count: int = 1, again: bool = False) -> dict[str, Any]:
    params = {"reason": reason, "datastream": stream}
    return {"person": person, "template": template, "params": params, "key": key, "count": count, "again": again}


TOLD_ALL = [
    row(GRID, "TASK_OFFERED", LOW_REASON, 10, key="1:0:0"),
    row(TOWNSHIP, "TASK_OFFERED", NO_DATA_REASON, 11, key="2:0:0"), row(COUNTY, "TASK_ESCALATED", NO_DATA_REASON, 11, key="2:1:0"),
    row(GRID, "BUNDLE", "", 0, key="3:0:0", count=2),
]
POSTED = [(LOW, 10, 0.0), (NO_DATA, 11, 0.0), (HIGH, 12, 0.0), (HIGH, 13, 0.0)]


def test_what_was_told_once_is_neither_lost_nor_repeated_nor_strange() -> None:
    again = row(GRID, "TASK_OFFERED", LOW_REASON, 10, key="1:0:0", again=True)
    found = compare(expected_of(POSTED, PEOPLE, judged_at=500.0), [*TOLD_ALL, again])
    assert ([], [], [], 0, 0) == (found.lost, found.repeated, found.strange, found.calm_lost, found.calm_repeated)


@pytest.mark.parametrize("missing", range(len(TOLD_ALL)))
def test_whatever_was_not_told_is_lost(missing: int) -> None:
    found = compare(expected_of(POSTED, PEOPLE, judged_at=500.0), [each for n, each in enumerate(TOLD_ALL) if n != missing])
    assert (1 if missing < 3 else 0) == len(found.lost)
    assert (2 if missing == 3 else 0) == found.calm_lost


def test_the_same_told_under_another_key_is_a_repeat_and_to_another_person_strange() -> None:
    twice = row(GRID, "TASK_OFFERED", LOW_REASON, 10, key="9:0:0")
    wrong = row(COUNTY, "TASK_OFFERED", LOW_REASON, 10, key="8:0:0")
    calm = row(GRID, "TASK_OFFERED", f"{HIGH}_OPEN", 13, key="7:0:0")
    found = compare(expected_of(POSTED, PEOPLE, judged_at=500.0), [*TOLD_ALL, twice, wrong, calm])
    assert [(GRID, "TASK_OFFERED", LOW_REASON, 10)] == found.repeated
    assert [(COUNTY, "TASK_OFFERED", LOW_REASON, 10)] == found.strange
    assert 1 == found.calm_repeated


def test_a_second_rung_that_was_not_due_yet_may_be_told_but_need_not() -> None:
    expected = expected_of([(NO_DATA, 11, 0.0)], PEOPLE, judged_at=70.0)
    assert [] == compare(expected, TOLD_ALL[1:2]).lost
    assert [] == compare(expected, TOLD_ALL[1:3]).strange


def test_an_unkeyed_gateway_counts_every_call_beyond_the_first() -> None:
    again = row(GRID, "TASK_OFFERED", LOW_REASON, 10, key="1:0:0", again=True)
    assert {"1:0:0": 2} == calls_beyond_the_first([*TOLD_ALL, again, again])


@pytest.mark.parametrize(("kill", "expected"), [
    # a request that was sent and not answered, one answered in time, one sent later
    ({"kind": "web", "at": 5.0}, True), ({"kind": "web", "at": 7.0}, False), ({"kind": "web", "at": 3.0}, False),
    # a gateway's open request counts for the worker that opened it, not for its successor
    ({"kind": "worker", "at": 5.0, "started": 1.0}, True), ({"kind": "worker", "at": 5.0, "started": 4.5}, False),
    # readings that were acknowledged before the kill and raised their alert after it
    ({"kind": "watch", "at": 0.0, "wall": 105.0}, True), ({"kind": "watch", "at": 0.0, "wall": 111.0}, False),
])
def test_in_flight_is_what_was_open_at_the_moment_of_the_kill(kill: Mapping[str, Any], expected: bool) -> None:
    assert expected == in_flight(kill, requests=[{"sent": 4.0, "done": 6.0}], opened=[{"arrived": 4.0, "left": 6.0}], silences=[(104.0, 110.0)])


def test_a_process_is_back_with_its_first_work_after_the_kill() -> None:
    kills = [{"kind": "web", "at": 10.0, "wall": 0.0}, {"kind": "worker", "at": 10.0, "wall": 0.0}]
    requests = [{"sent": 9.0, "done": 10.1, "status": 0}, {"sent": 11.0, "done": 12.5, "status": 200}]
    found = back_after(kills, requests=requests, opened=[{"arrived": 10.1}, {"arrived": 11.0}], silences=[])
    assert {"web": [2.5, 2.5], "worker": [1.0, 1.0], "watch": None} == found


class Nobody:
    def reached(self, *_: object) -> None:
        """Do nothing."""


def test_a_gateway_knows_a_key_again(tmp_path: Path) -> None:
    gateways = Gateways(tmp_path, seed=7, phones=Nobody())  # type: ignore[arg-type] # nobody acts here
    for _ in range(2):
        gateways.accept("keyed", "1:0:0", person=GRID)
    gateways.accept("unkeyed", "1:0:0", person=GRID)
    assert [("keyed", False), ("keyed", True), ("unkeyed", False)] == [(each["gateway"], each["again"]) for each in read(tmp_path, TOLD)]


def test_gateways_treat_requests_as_the_seed_says_and_in_every_way() -> None:
    names = {behaviour(7, str(n), 1).name for n in range(2_000)}
    assert {"refused", "reply_lost", "timed_out", "slow_to_accept", "answered"} == names
    assert behaviour(7, "1:0:0", 2) == behaviour(7, "1:0:0", 2) != behaviour(8, "1:0:0", 2)


def test_the_newest_rows_of_a_long_record_are_whole(tmp_path: Path) -> None:
    record = Record(tmp_path, "open")
    for n in range(5_000):
        record.note(n=n)
    assert list(range(5_000 - len(found := newest(tmp_path, "open")), 5_000)) == [each["n"] for each in found]


def test_progress_counts_each_alert_and_each_other_thing_once(tmp_path: Path) -> None:
    record, progress = Record(tmp_path, ACKED), Progress(tmp_path)
    assert 0 == progress.acked()
    record.note(what="alerts", ids=[[LOW, 1], [LOW, 2]])
    assert 2 == progress.acked()
    record.note(what="readings", ids=[[1, 2, 3.0]])
    record.note(what="reply", key="1:0:0")
    assert 4 == progress.acked() == progress.acked()


def test_the_backlog_is_what_was_posted_and_not_told_yet(tmp_path: Path) -> None:
    told, backlog = Record(tmp_path, TOLD), Backlog(tmp_path, streams={10, 12, 13})
    backlog.post(5)
    for each in (TOLD_ALL[0], {**TOLD_ALL[0], "again": True}, TOLD_ALL[1], TOLD_ALL[3]):
        told.note(gateway="keyed", **each)
    told.note(gateway="unkeyed", **TOLD_ALL[0])
    assert 4 == backlog.waiting() == backlog.waiting()
    told.note(gateway="unkeyed", **{**TOLD_ALL[3], "count": 4})
    assert 2 == backlog.waiting()
