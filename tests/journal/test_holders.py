"""A restarted process takes its predecessor's lease at once; one that runs beside another waits."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from shouwang.journal import actions, holders

SAY_AND_WAIT = """
import sys
from shouwang.journal.holders import holder
print(holder("worker"), flush=True)
sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def _fresh_folder(settings: Settings, tmp_path: Path) -> Iterator[None]:
    settings.SHOUWANG_DATA_DIR = tmp_path
    yield
    for path in [path for path in holders._locks if path.parent == tmp_path]:
        os.close(holders._locks.pop(path))


@contextmanager
def other_worker(folder: Path) -> Iterator[str]:
    """Run another process that holds the work, give its name, and kill it."""
    environment = {**os.environ, "SHOUWANG_DATA_DIR": str(folder), "SHOUWANG_DATABASE": ""}
    with subprocess.Popen(
        [sys.executable, "-c", SAY_AND_WAIT], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.kill()


def test_a_process_beside_another_has_a_name_of_its_own_until_the_other_is_killed(tmp_path: Path) -> None:
    with other_worker(tmp_path) as name:
        assert holders.holder("worker") == f"{name}:{os.getpid()}"
        assert holders.holder("watch") == name, "each kind of work has a lock of its own"
    assert holders.holder("worker") == name
    assert holders.holder("worker") == name


@pytest.mark.django_db
def test_a_successor_has_the_lease_of_the_killed_at_once(now: datetime, tmp_path: Path) -> None:
    ttl = timedelta(seconds=10)
    with other_worker(tmp_path) as name:
        lease = actions.take_lease("worker", name, now=now, ttl=ttl)
        assert actions.take_lease("worker", holders.holder("worker"), now=now, ttl=ttl) is None
    assert lease is not None
    assert actions.take_lease("worker", holders.holder("worker"), now=now, ttl=ttl) == lease
