"""Worker and watch go on after the database server has dropped their connection, as it does when it is started again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from shouwang.config import wiring
from shouwang.watch import jobs as watch

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.writers]


def drop_connection() -> None:
    """Have the server end this process's connection; SQLite has no server."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no server that could drop a connection")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    other = connection.copy("other")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [pid])
    other.close()


def times(number: int) -> Callable[[], bool]:
    left = iter(range(number))
    return lambda: next(left, None) is None


@pytest.mark.parametrize("run", [wiring.run_worker, watch.serve])
def test_the_loop_takes_a_new_connection(run: Callable[[Callable[[], bool]], None], monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(wiring, "work_once", lambda *_, **__: done.append("worked") or 1)
    ticked = watch.Runner.tick
    monkeypatch.setattr(watch, "tick", lambda now: done.append("worked") if ticked(watch.Runner("t"), now) else None)
    monkeypatch.setattr(wiring.time, "sleep", lambda _: None)
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    drop_connection()
    run(times(3))
    assert done
    answered: Any
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        (answered,) = cursor.fetchone()
    assert answered == 1
