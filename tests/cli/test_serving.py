"""The processes of an installation live and end together."""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shouwang.cli import serving
from shouwang.cli.errors import PartEnded
from shouwang.cli.serving import run_all

WAITS = [sys.executable, "-c", "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(60)"]


@pytest.fixture(autouse=True)
def _same_signals() -> Iterator[None]:
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


def test_a_process_that_ends_by_itself_ends_the_others_and_is_named() -> None:
    begin = time.monotonic()
    with pytest.raises(PartEnded) as said:
        run_all([[sys.executable, "-c", "raise SystemExit(3)", "worker"], [*WAITS, "/dev/null"]])
    assert 3 == said.value.params["code"]
    assert time.monotonic() - begin < 30


def test_whoever_watches_over_them_ends_them_without_a_complaint(tmp_path: Path) -> None:
    def until_started(all_run: object) -> None:
        until = time.monotonic() + 20
        while not (tmp_path / "started").exists() and time.monotonic() < until:
            time.sleep(0.01)

    run_all([[*WAITS, tmp_path / "started"]], until_started)
    assert (tmp_path / "started").exists()


def test_a_demos_worker_and_watch_wait_until_its_meters_have_posted_their_past(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHOUWANG_DATA_DIR", str(tmp_path))
    waited: list[float] = []

    def wait(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 3:
            serving.past_posted().touch()

    monkeypatch.setattr(serving.time, "sleep", wait)
    serving._wait_for_past(False)
    assert not waited
    serving._wait_for_past(True)
    assert len(waited) == 3
