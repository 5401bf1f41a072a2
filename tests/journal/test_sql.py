"""Statements run without the ORM: the same answers on both databases, Django's errors, one round trip where asked."""

from __future__ import annotations

from datetime import datetime

import pytest
from django.db import IntegrityError, transaction

from shouwang.journal.actions import append, set_timers
from shouwang.journal.models import EventRow, Timer
from shouwang.journal.put import amend, put, reserve_ids
from shouwang.journal.queries import last_seq, timers_of, verify
from shouwang.journal.rules import NewEvent, NewTimer
from shouwang.journal.sql import is_postgres, is_together, run, run_many, together

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("count", [1, 3, 40])
def test_rows_put_one_few_or_many_are_all_there(count: int) -> None:
    with transaction.atomic():
        ids = reserve_ids(Timer, count)
        put(Timer, ("id", "kind", "subject_id", "due_at"), [(each, "task", each + 100, 5) for each in ids])
    assert sorted(Timer.objects.values_list("pk", flat=True)) == sorted(ids)
    amend(Timer, ids[0], due_at=9)
    assert run("SELECT due_at FROM journal_timer WHERE id = %s", (ids[0],)).fetchone() == (9,)


def test_rows_put_together_are_all_there_without_copy() -> None:
    with transaction.atomic(), together():
        assert is_together() == is_postgres()
        put(Timer, ("kind", "subject_id", "due_at"), [("task", n, n) for n in range(40)])
    assert Timer.objects.count() == 40
    assert not is_together()


def test_a_doubled_row_is_djangos_integrity_error_also_together(now: datetime) -> None:
    run_many("INSERT INTO journal_timer (kind, subject_id, due_at) VALUES (%s, %s, %s)", [("task", 1, 5)])
    with pytest.raises(IntegrityError), transaction.atomic():
        run("INSERT INTO journal_timer (kind, subject_id, due_at) VALUES (%s, %s, %s)", ("task", 1, 5))
    with pytest.raises(IntegrityError), transaction.atomic(), together():
        run("INSERT INTO journal_timer (kind, subject_id, due_at) VALUES (%s, %s, %s)", ("task", 1, 5))
        append([NewEvent("case.noted", 1)], now=now)
    assert last_seq() == EventRow.objects.count() == 0


def test_events_and_timers_written_together_stand_as_apart(now: datetime) -> None:
    with transaction.atomic(), together():
        set_timers([NewTimer("task", n, now) for n in range(5)])
        append([NewEvent("case.opened", n, {"n": n}) for n in range(5)], now=now)
    assert timers_of("task", range(5)) == dict.fromkeys(range(5), now)
    assert verify() == 5
