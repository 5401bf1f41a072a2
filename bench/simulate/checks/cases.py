"""Cases at the end: I9 the gate, the flow told a second time, acknowledged answers, alerts and cases that belong together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from bench.simulate import store
from bench.simulate.people import Completed
from bench.simulate.stage import Stage
from shouwang.cases.models import Case, Evidence, Task
from shouwang.cases.queries import procedure_of
from shouwang.cases.rules.procedures import Condition, EvidenceNeed, Result, Step

BY_HAND = ("DEVICE", "MERGED")


def check(stage: Stage, completed: Sequence[Completed]) -> int:
    """Check every case and return how many there were."""
    evidence: dict[int, dict[str, Evidence]] = defaultdict(dict)
    for row in Evidence.objects.order_by("pk"):
        evidence[row.task_id or 0][row.code] = row
    tasks: dict[int, list[Task]] = defaultdict(list)
    for task in Task.objects.order_by("pk"):
        tasks[task.case_id].append(task)
    cases = list(Case.objects.order_by("pk"))
    raised = {row[0] for row in store.rows("SELECT DISTINCT subject_id FROM journal_event WHERE kind = 'case.raised'")}
    for case in cases:
        steps = {step.code: step for step in procedure_of(case.procedure_id).steps}
        for task in tasks[case.pk]:
            if task.state == "DONE":
                _gate(stage, task, steps[task.step], evidence[task.pk])
        if case.state in ("CLOSED", "COMPLETED") and case.result not in BY_HAND:
            _flow(stage, case, tasks[case.pk], facts_changed=case.pk in raised)
    _acknowledged(stage, completed, evidence)
    _together(stage)
    return len(cases)


def _gate(stage: Stage, task: Task, step: Step, given: Mapping[str, Evidence]) -> None:
    """A task that is done ended with a result of its step, and with what that result asks for."""
    result: Result | None = next((each for each in step.results if each.code == task.result), None)
    if result is None:
        stage.violate("I9 a step's own result", found=task.result, expected=step.code, case=task.case_id, task=task.pk)
        return
    for need in result.evidence:
        if not need.optional and not _satisfied(need, given.get(need.code)):
            stage.violate("I9 the evidence of its result", found=f"{task.result} without {need.code}", expected="given", case=task.case_id, task=task.pk)


def _satisfied(need: EvidenceNeed, given: Evidence | None) -> bool:
    if given is None:
        return False
    if need.kind == "CHOICE":
        return any(given.value == code for code, _ in need.options)
    return given.file_id is not None if need.kind == "PHOTO" else bool(given.value.strip())


def _flow(stage: Stage, case: Case, tasks: Sequence[Task], *, facts_changed: bool) -> None:
    """A completed case has done every step whose conditions held, and skipped every other: reckoned again from the end.

    Where a graver report came meanwhile the conditions may have been asked of other facts than the last.
    """
    states: dict[str, str] = msgspec.json.decode(case.steps)
    params: dict[str, Any] = msgspec.json.decode(case.params)
    facts: dict[str, Any] = {**params, **{f"{code}.result": state[2:] for code, state in states.items() if state[0] == "D"}}
    last = {task.step: task for task in tasks}
    for step in procedure_of(case.procedure_id).steps:
        state = states.get(step.code, "")
        before = [states.get(code, "") for code in step.after]
        wanted = (not before or any(each.startswith("D") for each in before)) and all(_holds(condition, facts) for condition in step.when)
        done_for_earlier_facts = state.startswith("D") and len(tasks) > len(last)
        asked_earlier = done_for_earlier_facts or (facts_changed and any(condition.fact in params for condition in step.when))
        if wanted != state.startswith("D") and not asked_earlier:
            stage.violate("the flow", found=f"{step.code} is {state!r}", expected="done" if wanted else "skipped", case=case.pk)
        if state.startswith("D") and (step.code not in last or (last[step.code].state, last[step.code].result) != ("DONE", state[2:])):
            stage.violate("I9 a step is done by its task", found=f"{step.code} {state}", expected="a task that ended so", case=case.pk)


def _holds(condition: Condition, facts: Mapping[str, Any]) -> bool:
    found = facts.get(condition.fact)
    if found is None:
        return False
    return bool(found >= condition.value) if condition.op == ">=" else bool(found == condition.value)


def _acknowledged(stage: Stage, completed: Sequence[Completed], evidence: Mapping[int, Mapping[str, Evidence]]) -> None:
    """I1: an answer that was acknowledged is there, with all its evidence."""
    done = {row.pk: row for row in Task.objects.filter(pk__in=[each.task for each in completed])}
    for answer in completed:
        task = done[answer.task]
        if (task.state, task.done_key, task.result, task.assignee_id) != ("DONE", answer.key, answer.result, answer.person):
            stage.violate("I1 an answer stands", found=f"{task.state} {task.result} {task.done_key}", expected=str(answer), case=task.case_id, task=task.pk)
        kept = {(row.code, row.value, row.file_id) for row in evidence[answer.task].values()}
        if kept != {(given.code, given.value, given.file_id) for given in answer.evidence}:
            stage.violate("I1 evidence stands", found=str(kept), expected=str(answer.evidence), case=task.case_id, task=task.pk)


def _together(stage: Stage) -> None:
    """Each alert has its case; an ended case has ended its alert; and both are of one exercise, or of none."""
    pairs = store.rows(
        "SELECT a.id, a.state, a.exercise_id, c.id, c.state, c.exercise_id, c.alert_id FROM alerts_alert a LEFT JOIN cases_case c ON c.id = a.case_id",
    )
    for alert, state, exercise, case, case_state, case_exercise, back in pairs:
        number = None if case is None else int(case)  # type: ignore[call-overload]
        if case is None or back != alert:
            stage.violate("an alert has its case", found=f"alert {alert}, case {case}, back to {back}", expected="one another", case=number)
        if exercise != case_exercise:
            stage.violate("I10 an exercise is one throughout", found=f"alert {exercise}, case {case_exercise}", expected="the same", case=number)
        if case_state in ("CLOSED", "WITHDRAWN") and state != "ENDED":
            stage.violate("an ended case ends its alert", found=f"alert {alert} {state}", expected="ENDED", case=number)
    for message, case, one, other in store.rows(
        "SELECT m.id, c.id, m.exercise_id, c.exercise_id FROM notify_message m JOIN cases_case c ON c.id = m.case_id "
        "WHERE coalesce(m.exercise_id, 0) <> coalesce(c.exercise_id, 0)",
    ):
        stage.violate("I10 an exercise is one throughout", found=f"message of {one}", expected=f"of {other}", case=int(case), message=int(message))  # type: ignore[call-overload]
