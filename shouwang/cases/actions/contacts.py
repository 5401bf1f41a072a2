"""Those who are asked because they belong to the subject of a case: the residents of a home themselves, and their relatives.

They answer by a key, a reply or a link; a task is never theirs, so that nobody waits for them when they say "I am going".
"""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from shouwang.cases import events as kinds
from shouwang.cases.actions.changes import Changes
from shouwang.cases.actions.handling import complete
from shouwang.cases.actions.ladder import climb_on
from shouwang.cases.models import OPEN_TASKS, Task
from shouwang.cases.queries import TaskState, asked_rungs, load_task
from shouwang.cases.registry import facts_now
from shouwang.cases.rules.errors import AnswerUnknown, TaskEnded, TaskNotYours
from shouwang.cases.rules.evidence import Given
from shouwang.cases.rules.flow import holds
from shouwang.cases.rules.procedures import Answer
from shouwang.journal.put import amend

HELD = frozenset({"ACCEPTED", "ARRIVED"})


def take_answer(task_id: int, *, person_id: int, code: str, number: int = 0, now: datetime) -> bool:
    """Take what a contact of the subject answered; return whether it ended the task.

    An answer whose conditions do not hold, or that asks for help, ends nothing: whoever comes next is asked at once. Where
    somebody is on the way already, that person is told. Raises TaskNotYours, TaskEnded, AnswerUnknown.
    """
    with transaction.atomic():
        task = load_task(task_id)
        answer = _answer(task, person_id, code)
        if task.state not in OPEN_TASKS:
            raise TaskEnded(task=task.id, state=task.state)
        known = {**task.case.params, **facts_now(task.case.kind, task.case.subject_id, now=now)}
        ends = bool(answer.result) and all(holds(each, known) for each in answer.when) and task.state not in HELD
        _note(task, answer, person_id, number, ends=ends, now=now)
        if ends:
            evidence = [Given(each, value) for each, value in answer.evidence]
            complete(task_id, person_id=person_id, result=answer.result, evidence=evidence, may_take=True, now=now)
            amend(Task, task_id, rung=_rungs(task, person_id)[0])  # it ended at the contact's rung, whoever else was asked since
    return ends


def _note(task: TaskState, answer: Answer, person_id: int, number: int, *, ends: bool, now: datetime) -> None:
    """Note the answer; where it ends nothing, ask the next rung at once or tell whoever is on the way."""
    changes = Changes(now)
    changes.event(
        kinds.ANSWERED, task.case, task=task.id, person=person_id, answer=answer.code, number=number, ended=ends,
        household=task.case.subject_id if task.case.subject_kind == "household" else None,
    )
    if not ends and task.state in HELD and task.assignee_id is not None:
        key = f"{task.id}:{task.rung}a{person_id}:{answer.code}:{int(now.timestamp())}"
        changes.tell(
            task.assignee_id, "CONTACT_SAID", key=key, case=task.case, task_id=task.id, said=answer.code, who=f"ROLE_{_role(task, person_id)}",
        )
    elif not ends and task.state == "OFFERED" and task.assignee_id == person_id:
        climb_on(task, changes, by=None)
    changes.write()


def _answer(task: TaskState, person_id: int, code: str) -> Answer:
    of_subject = [task.step.rungs[rung] for rung in _rungs(task, person_id)]
    if not of_subject:
        raise TaskNotYours(task=task.id)
    found = next((answer for rung in of_subject for answer in rung.answers if answer.code == code), None)
    if found is None:
        expected = "、".join(answer.code for rung in of_subject for answer in rung.answers)
        raise AnswerUnknown(task=task.id, found=code[:20], expected=expected)
    return found


def _role(task: TaskState, person_id: int) -> str:
    return task.step.rungs[_rungs(task, person_id)[0]].duty


def _rungs(task: TaskState, person_id: int) -> list[int]:
    """Return the rungs at which a person was asked as a contact."""
    rungs = asked_rungs(task.id, person_id)
    return [rung for rung in rungs if rung < len(task.step.rungs) and task.step.rungs[rung].is_of_subject]
