"""What the simulator found wrong with control from the desk, each once more by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise

import pytest

from shouwang.cases import actions
from shouwang.cases.actions import NewCase, open_case, publish_procedure
from shouwang.cases.jobs import run_due_timers
from shouwang.cases.models import OPEN_TASKS, Case, Clock, Task
from shouwang.cases.rules.errors import ExerciseMixed, NotTakenIn
from shouwang.cases.rules.procedures import CaseLimit, Limit, Phrase, Procedure, Result, Rung, Step
from shouwang.indicators import actions as figures
from shouwang.indicators.models import CaseLine
from shouwang.journal.queries import events_of, timers_of
from shouwang.notify.queries import messages_of_tasks
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
WORDS = Phrase("一", "one")
DONE = (Result("DONE", WORDS),)
TOWN = (Rung("TOWNSHIP_DUTY", "TOWNSHIP", 30), Rung("COUNTY_DUTY", "COUNTY", 30))
HOUR = timedelta(hours=1)


def publish(*steps: Step, now: datetime) -> None:
    publish_procedure(Procedure("P", WORDS, steps, (CaseLimit("promised", "PROMISED", Limit(120)),)), shipped=False, now=now)


def step(code: str, *after: str, dispatch: str = "AUTO") -> Step:
    return Step(code, WORDS, TOWN, DONE, Limit(60), after=after, dispatch=dispatch)  # type: ignore[arg-type]


def open_one(county: County, now: datetime, exercise_id: int | None = None) -> int:
    return open_case(NewCase("P", "k", 2, county.village, county.path, "area", county.village, "R", {}, None, exercise_id), now=now)


def open_tasks(case: int) -> list[Task]:
    return list(Task.objects.filter(case_id=case, state__in=OPEN_TASKS).order_by("id"))


def test_a_task_handed_over_on_two_rungs_tells_twice(county: County, now: datetime) -> None:
    publish(step("a"), now=now)
    (task,) = open_tasks(open_one(county, now))
    actions.hand_over(task.pk, to=county.worker, reason="X", by=county.city_officer, now=now)
    actions.escalate(task.pk, by=county.city_officer, now=now)
    actions.hand_over(task.pk, to=county.worker, reason="X", by=county.city_officer, now=now)
    told = [each.template for each in messages_of_tasks([task.pk]) if each.person_id == county.worker]
    assert told == ["TASK_HANDED_OVER", "TASK_HANDED_OVER"]


def test_a_task_late_on_two_rungs_is_told_twice_and_stops_no_worker(county: County, now: datetime) -> None:
    publish(step("a"), now=now)
    (task,) = open_tasks(open_one(county, now))
    for at in (now, now + 2 * HOUR):
        actions.accept(task.pk, person_id=county.township_officer, now=at)
        run_due_timers(at + HOUR)
        actions.escalate(task.pk, by=county.city_officer, now=at + HOUR)
    late = [each for each in messages_of_tasks([task.pk]) if each.template == "TASK_OVERDUE" and each.person_id == county.township_officer]
    assert len(late) == 2


def test_a_clock_that_has_passed_does_not_pass_again_when_it_goes_on(county: County, now: datetime) -> None:
    publish(step("a"), now=now)
    case = open_one(county, now)
    run_due_timers(now + 3 * HOUR)
    actions.suspend(case, clocks=["promised"], reason="X", review_at=now + 9 * HOUR, by=county.city_officer, now=now + 3 * HOUR)
    assert Case.objects.get().due_at is None
    actions.resume(case, by=county.city_officer, now=now + 4 * HOUR)
    clock = Clock.objects.get()
    assert clock.due_at == Case.objects.get().due_at == now + 3 * HOUR
    assert timers_of("clock", [clock.pk]) == {}


def test_a_task_that_waits_for_confirmation_waits_for_it_after_a_suspension_too(county: County, now: datetime) -> None:
    publish(step("a", dispatch="CONFIRM"), step("b"), now=now)
    case = open_one(county, now)
    waiting, offered = open_tasks(case)
    by = county.city_officer
    actions.suspend(case, clocks=["task:a", "task:b"], reason="X", review_at=now + 9 * HOUR, by=by, now=now)
    actions.resume(case, by=by, now=now + HOUR)
    assert [task.state for task in open_tasks(case)] == ["CONFIRM", "OFFERED"]
    actions.dispatch(waiting.pk, by=by, now=now + HOUR)
    actions.suspend(case, clocks=["task:a"], reason="X", review_at=now + 9 * HOUR, by=by, now=now + HOUR)
    actions.resume(case, by=by, now=now + 2 * HOUR)
    assert [task.state for task in open_tasks(case)] == ["OFFERED", "OFFERED"]
    assert {each.template for each in messages_of_tasks([waiting.pk, offered.pk])} == {"TASK_OFFERED"}


def test_a_case_ended_with_three_branches_open_has_them_all_again_when_reopened(county: County, now: datetime) -> None:
    publish(step("a"), step("b", "a"), step("c", "a"), step("d", "a"), step("e", "b", "c", "d"), now=now)
    case = open_one(county, now)
    (first,) = open_tasks(case)
    actions.complete(first.pk, person_id=county.township_officer, result="DONE", now=now)
    branches = open_tasks(case)
    actions.complete(branches[0].pk, person_id=county.township_officer, result="DONE", now=now)
    actions.false_alarm(case, reason="DEVICE", by=county.city_officer, now=now)
    assert open_tasks(case) == []
    actions.reopen(case, reason="X", by=county.city_officer, now=now)
    assert [task.step for task in open_tasks(case)] == ["c", "d"]
    while open_ones := open_tasks(case):
        actions.complete(open_ones[0].pk, person_id=county.township_officer, result="DONE", now=now)
    assert Case.objects.get().state == "CLOSED"
    actions.reopen(case, reason="X", by=county.city_officer, to_above=True, now=now)
    assert [(task.step, task.rung) for task in open_tasks(case)] == [("e", 1)]


def test_whoever_was_asked_on_the_last_rung_may_accept_after_the_next_was_asked(county: County, now: datetime) -> None:
    publish(step("a"), now=now)
    (task,) = open_tasks(open_one(county, now))
    run_due_timers(now + HOUR)
    actions.hand_over(task.pk, to=county.worker, reason="X", by=county.city_officer, now=now + HOUR)
    run_due_timers(now + 2 * HOUR)
    assert Task.objects.get().assignee_id == county.county_officer
    actions.accept(task.pk, person_id=county.worker, now=now + 2 * HOUR)
    assert Task.objects.get().state == "ACCEPTED"


def test_escalating_an_accepted_task_on_the_last_rung_asks_anew(county: County, now: datetime) -> None:
    publish(step("a"), now=now)
    (task,) = open_tasks(open_one(county, now))
    run_due_timers(now + HOUR)
    actions.accept(task.pk, person_id=county.township_officer, now=now + HOUR)
    actions.escalate(task.pk, by=county.city_officer, now=now + HOUR)
    found = Task.objects.get()
    assert (found.state, found.assignee_id, found.accepted_at) == ("OFFERED", county.county_officer, None)
    keys = [each.id for each in messages_of_tasks([task.pk])]
    assert all(one < other for one, other in pairwise(keys))


def test_an_exercise_is_not_merged_into_a_real_case(county: County, now: datetime) -> None:
    """I10."""
    publish(step("a"), now=now)
    real, drill, other_drill = open_one(county, now), open_one(county, now, 5), open_one(county, now, 5)
    with pytest.raises(ExerciseMixed):
        actions.merge(drill, into=real, by=county.city_officer, now=now)
    actions.merge(drill, into=other_drill, by=county.city_officer, now=now)
    assert Case.objects.get(pk=drill).merged_into == other_drill


def test_a_case_that_was_merged_wrongly_is_split_off_and_both_say_so(county: County, now: datetime) -> None:
    publish(step("a"), step("b", "a"), now=now)
    kept, wrong = open_one(county, now), open_one(county, now)
    actions.merge(wrong, into=kept, by=county.city_officer, now=now)
    actions.split(kept, taken=wrong, reason="OTHER_MATTER", by=county.city_officer, now=now + HOUR)
    row = Case.objects.get(pk=wrong)
    assert ("OPEN", "", None, kept, None) == (row.state, row.result, row.merged_into, row.split_from, row.ended_at)
    assert ["a"] == [task.step for task in open_tasks(wrong)]
    assert ["a"] == [task.step for task in open_tasks(kept)]
    said = {"reason": "OTHER_MATTER", "by": county.city_officer}
    assert {"source": kept, **said} == events_of(wrong, prefix="case.split_off")[0].payload
    assert {"split": wrong, **said} == events_of(kept, prefix="case.gave_off")[0].payload
    assert "case.reopened" in [event.kind for event in events_of(wrong)]
    assert 2 == Case.objects.count()
    actions.merge(wrong, into=kept, by=county.city_officer, now=now + 2 * HOUR)
    assert kept == Case.objects.get(pk=wrong).merged_into


def test_only_what_is_part_of_a_case_is_split_off_it(county: County, now: datetime) -> None:
    publish(step("a"), now=now)
    kept, wrong, other = (open_one(county, now) for _ in range(3))
    actions.merge(wrong, into=kept, by=county.city_officer, now=now)
    for source, taken in ((other, wrong), (wrong, kept), (kept, other), (kept, kept)):
        with pytest.raises(NotTakenIn):
            actions.split(source, taken=taken, reason="MISTAKE", by=county.city_officer, now=now)
    actions.split(kept, taken=wrong, reason="MISTAKE", by=county.city_officer, now=now)
    with pytest.raises(NotTakenIn):
        actions.split(kept, taken=wrong, reason="MISTAKE", by=county.city_officer, now=now)


def test_figures_count_a_case_that_was_merged_and_split_off_once(county: County, now: datetime) -> None:
    """I7: folded from the same events, anew and as they came."""
    publish(step("a"), now=now)
    kept, wrong = open_one(county, now), open_one(county, now)
    figures.rebuild()
    before = _counted()
    actions.merge(wrong, into=kept, by=county.city_officer, now=now)
    actions.split(kept, taken=wrong, reason="MISTAKE", by=county.city_officer, now=now)
    figures.rebuild()
    assert before == _counted()


def _counted() -> list[tuple[int, str]]:
    return sorted(CaseLine.objects.values_list("case_id", "state"))
