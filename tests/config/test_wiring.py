"""The composition root: what the worker does every so often."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

import pytest

from shouwang.config.environment import Environment
from shouwang.config.wiring import JOBS, Job, Schedule

HOUR = timedelta(hours=1)


def fails(now: datetime) -> None:
    message = f"no such thing at {now}"
    raise OSError(message)


def test_jobs_are_done_one_at_a_time_each_in_its_turn(now: datetime) -> None:
    done: list[str] = []
    jobs = (Job("a", HOUR, lambda _: done.append("a")), Job("b", 2 * HOUR, lambda _: done.append("b")))
    schedule = Schedule(jobs)
    assert [schedule.run(now) for _ in range(3)] == ["a", "b", ""]
    assert [schedule.run(now + HOUR) for _ in range(2)] == ["a", ""]
    assert [schedule.run(now + 2 * HOUR) for _ in range(3)] == ["a", "b", ""]
    assert done == ["a", "b", "a", "a", "b"]


def test_a_job_that_fails_is_logged_without_its_words_and_stops_nothing(now: datetime, caplog: pytest.LogCaptureFixture) -> None:
    schedule = Schedule((Job("bad", HOUR, fails),))
    with caplog.at_level(logging.ERROR):
        assert schedule.run(now) == "bad"
    assert "bad met OSError" in caplog.text
    assert "no such thing" not in caplog.text
    assert schedule.run(now) == ""
    assert schedule.run(now + HOUR) == "bad"


@pytest.mark.django_db
def test_every_job_runs_on_an_empty_installation(now: datetime) -> None:
    for job in JOBS:
        job.do(now)
    assert len({job.name for job in JOBS}) == len(JOBS)


@pytest.mark.parametrize("value", ["", "ten", "-3", "44", "4.5"])
def test_a_number_that_is_none_or_too_small_says_where_it_came_from(value: str) -> None:
    with pytest.raises(ValueError, match="SHOUWANG_KEEP_READINGS_DAYS"):
        Environment({"SHOUWANG_KEEP_READINGS_DAYS": value}).number("keep_readings_days", least=45)
    assert Environment({}).number("keep_readings_days", least=45) == 400
