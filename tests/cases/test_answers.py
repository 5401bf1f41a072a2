"""Cases that whoever reported them closes: solved, not solved, silence."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from shouwang.cases import actions
from shouwang.cases.actions import NewCase, open_case
from shouwang.cases.jobs import run_due_timers
from shouwang.cases.models import Case, Note, Task
from shouwang.cases.rules.errors import CaseNotOpen
from shouwang.cases.rules.procedures import Limit, Phrase, Procedure, Result, Rung, Step, decode, encode, rung_above
from shouwang.journal.queries import events_of, timers_of, verify
from tests.journeys.conftest import County, county  # noqa: F401 - a fixture

pytestmark = pytest.mark.django_db
WORDS = Phrase("一", "one")
LADDER = (
    Rung("GRID_WORKER", "VILLAGE", 30), Rung("GRID_WORKER", "VILLAGE", 30, rank="DEPUTY"), Rung("TOWNSHIP_DUTY", "TOWNSHIP", 30),
    Rung("COUNTY_DUTY", "COUNTY", 30),
)
STEP = Step("handle", WORDS, LADDER, (Result("DONE", WORDS),), Limit(60))
ASKED = Procedure("ASKED", WORDS, (STEP,), closes="REPORTER", answer=Limit(3 * 24 * 60))


@pytest.fixture
def completed(county: County, now: datetime) -> int:  # noqa: F811
    """Return a case that its worker has completed and whose reporter has not answered."""
    actions.publish_procedure(ASKED, shipped=True, now=now)
    case_id = open_case(NewCase("ASKED", "test", 2, county.village, county.path, "thing", 1, "X"), now=now)
    actions.complete(Task.objects.get().pk, person_id=county.worker, result="DONE", now=now)
    return case_id


@pytest.mark.parametrize(
    ("rung", "above"),
    [
        (0, 2),  # the deputy is no level above
        (1, 2),
        (2, 3),
        (3, 3),  # nobody is above the last
        (9, 3),  # a ladder that has become shorter since
    ],
)
def test_the_rung_above_is_that_of_the_next_level(rung: int, above: int) -> None:
    assert rung_above(STEP, rung) == above


def test_a_procedure_without_the_new_words_still_reads() -> None:
    old = msgspec.json.decode(encode(ASKED))
    del old["answer"], old["closes"]
    read = decode(msgspec.json.encode(old))
    assert (read.closes, read.answer) == ("AUTO", Limit(7 * 24 * 60))


def test_the_case_waits_for_the_answer(completed: int, now: datetime) -> None:
    assert Case.objects.get().state == "COMPLETED"
    assert timers_of("answer", [completed]) == {completed: now + timedelta(days=3)}


def test_solved_closes_it(completed: int, now: datetime) -> None:
    actions.answer(completed, solved=True, now=now)
    case = Case.objects.get()
    assert (case.state, case.result, Task.objects.get().result) == ("CLOSED", "SOLVED", "DONE")
    assert timers_of("answer", [completed]) == {}
    assert events_of(completed)[-1].payload["result"] == "SOLVED"
    with pytest.raises(CaseNotOpen):
        actions.answer(completed, solved=True, now=now)


def test_not_solved_opens_it_again_at_the_level_above(county: County, completed: int, now: datetime) -> None:  # noqa: F811
    actions.answer(completed, solved=False, now=now)
    assert Case.objects.get().state == "OPEN"
    again = Task.objects.order_by("pk").last()
    assert again is not None
    assert (again.rung, again.assignee_id, again.state) == (2, county.township_officer, "OFFERED")
    assert timers_of("answer", [completed]) == {}
    opened = [event for event in events_of(completed) if event.kind == "case.reopened"]
    assert [event.payload["reason"] for event in opened] == ["NOT_SOLVED"]
    with pytest.raises(CaseNotOpen):
        actions.answer(completed, solved=False, now=now)
    actions.complete(again.pk, person_id=county.township_officer, result="DONE", now=now)
    assert timers_of("answer", [completed]) == {completed: now + timedelta(days=3)}
    assert verify() > 0


def test_silence_closes_it_and_may_still_be_broken(completed: int, now: datetime) -> None:
    later = now + timedelta(days=3)
    run_due_timers(later - timedelta(seconds=1))
    assert Case.objects.get().state == "COMPLETED"
    assert run_due_timers(later) == 1
    case = Case.objects.get()
    assert (case.state, case.result) == ("CLOSED", "NO_ANSWER")
    assert run_due_timers(later) == 0
    actions.answer(completed, solved=False, now=later)
    assert Case.objects.get().state == "OPEN"


def test_the_desk_may_close_or_reopen_meanwhile_and_no_timer_is_left(county: County, completed: int, now: datetime) -> None:  # noqa: F811
    actions.reopen(completed, reason="DESK", by=county.county_officer, now=now)
    assert timers_of("answer", [completed]) == {}
    last = Task.objects.order_by("pk").last()
    assert last is not None
    assert last.rung == 0
    actions.complete(last.pk, person_id=county.worker, result="DONE", now=now)
    actions.close(completed, by=county.county_officer, now=now)
    assert timers_of("answer", [completed]) == {}
    assert (Case.objects.get().state, Case.objects.get().result) == ("CLOSED", "DONE")
    assert not Note.objects.exists()
