"""What a journey does behind the pages, in the demo's own database: `python -m tests.browser.steps WHAT [NUMBER]`, answers in JSON."""

# ruff: noqa: E402 - Django is set up before its models load
from __future__ import annotations

import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django
import msgspec

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shouwang.config.settings")
django.setup()

from django.conf import settings
from django.core.management import call_command
from django.db import transaction

from shouwang.cases.actions import NewCase, add_note, dispatch, open_case, publish_procedure
from shouwang.cases.models import Task
from shouwang.cases.queries import case_row
from shouwang.journal.models import Timer
from shouwang.people.actions import add_account, end_duty, issue_entry_link
from shouwang.people.models import Account, Duty, Person
from shouwang.people.rules import SYSTEM
from shouwang.places.queries import full_names
from shouwang.systems.living_alone.rules import WELFARE_CHECK
from shouwang.web.demo import mark_if_empty
from tests.browser import homes


def prepare(now: datetime) -> None:
    """Publish the office's own welfare check before the demo is seeded: the first step waits for confirmation."""
    call_command("migrate", verbosity=0)
    mark_if_empty(Path(settings.SHOUWANG_DATA_DIR))
    visit, *rest = WELFARE_CHECK.steps
    confirmed = msgspec.structs.replace(visit, dispatch="CONFIRM", confirm_minutes=60)
    publish_procedure(msgspec.structs.replace(WELFARE_CHECK, steps=(confirmed, *rest)), shipped=False, now=now)


def send(now: datetime, case_id: int) -> dict[str, Any]:
    """Dispatch the case's waiting task; return who has it, with an address that enters as that person."""
    task = _task(case_id)
    if task.state == "CONFIRM":
        dispatch(task.pk, by=task.assignee_id or 0, now=now)
    return enter(now, task.assignee_id or 0)


def enter(now: datetime, person_id: int) -> dict[str, Any]:
    """Return an address that enters as a person, whose account is made where there is none."""
    account = Account.objects.unscoped().filter(person_id=person_id).first()
    account = account or add_account(SYSTEM, username=f"p{person_id}", person_id=person_id, now=now)
    return {"person": person_id, "address": f"/enter/{issue_entry_link(account, now=now)}/"}


def holder(now: datetime, case_id: int) -> dict[str, Any]:
    """Return the state and rung of the case's task, and an address that enters as whoever has it."""
    task = _task(case_id)
    return {"state": task.state, "rung": task.rung, **enter(now, task.assignee_id or 0)}


def ring(now: datetime, case_id: int) -> None:
    """Let the time of the case's task be up."""
    task = _task(case_id)
    with transaction.atomic():
        Task.objects.filter(pk=task.pk).update(due_at=now)
        Timer.objects.filter(kind="task", subject_id=task.pk).update(due_at=now)


def send_home(now: datetime, case_id: int) -> None:
    """End the duty of the deputy of the case's village."""
    area = case_row(case_id).area_id
    for duty in Duty.objects.unscoped().filter(area_id=area, code="GRID_WORKER", rank="DEPUTY", until_date=None):
        end_duty(SYSTEM, duty.pk, now=now)


def village(now: datetime) -> dict[str, Any]:
    """Return the name of the village of the demo's grid worker, with its township's."""
    del now
    person_id = Account.objects.unscoped().get(username="demo-grid").person_id
    area = Person.objects.unscoped().get(pk=person_id).area_id
    return {"name": " ".join(full_names([area])[area].split()[-2:])}


def red(now: datetime, case_id: int) -> dict[str, Any]:
    """Open a red case about the same as another case; return its number."""
    row = case_row(case_id)
    new = NewCase(WELFARE_CHECK.code, row.kind, 4, row.area_id, row.path, row.subject_kind, row.subject_id, row.reason, row.params)
    return {"case": open_case(new, now=now)}


def notes(now: datetime, case_id: int, number: int) -> None:
    """Write `number` notes on a case, ten a second: a steady stream of events."""
    del now
    for _ in range(number):
        add_note(case_id, text="…", by=None, now=datetime.now(UTC))
        time.sleep(0.1)


def accept_minutes(now: datetime, case_id: int) -> int:
    """Return how many minutes whoever has the case's first task was given to accept it."""
    del now
    task = Task.objects.filter(case_id=case_id).order_by("pk")[0]
    assert task.due_at is not None and task.offered_at is not None
    return round((task.due_at - task.offered_at).total_seconds() / 60)


def _task(case_id: int) -> Task:
    return Task.objects.filter(case_id=case_id).order_by("-pk")[0]


STEPS = {
    "prepare": prepare, "send": send, "enter": enter, "holder": holder, "ring": ring, "send_home": send_home, "village": village, "red": red,
    "notes": notes, "accept_minutes": accept_minutes, **homes.STEPS,
}

if __name__ == "__main__":
    what, *numbers = sys.argv[1:]
    print(json.dumps(STEPS[what](datetime.now(UTC), *map(int, numbers))))  # type: ignore[operator]  # noqa: T201
