"""The pure words."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.kernel.clock import ManualClock, ScaledClock
from shouwang.kernel.errors import NaiveMoment, NotFound
from shouwang.kernel.moments import from_us, local, to_us
from shouwang.kernel.severity import Severity
from shouwang.kernel.texts import Text


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2200, 1, 1)))  # noqa: DTZ001
def test_moments_survive_their_microseconds(moment: datetime) -> None:
    aware = moment.replace(tzinfo=UTC)
    assert from_us(to_us(aware)) == aware


def test_a_moment_without_zone_is_refused() -> None:
    with pytest.raises(NaiveMoment):
        to_us(datetime(2026, 1, 1))  # noqa: DTZ001
    assert local(datetime(2026, 1, 1, tzinfo=UTC)).hour == 8


def test_a_scaled_clock_runs_faster() -> None:
    clock = ScaledClock(datetime(2026, 1, 1, tzinfo=UTC), 100.0, 60.0, real=lambda: 110.0)
    assert clock.now() == datetime(2026, 1, 1, 0, 10, tzinfo=UTC)
    assert clock.real_seconds(timedelta(minutes=1)) == 1.0


def test_a_manual_clock_stands_until_moved() -> None:
    clock = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
    clock.advance(timedelta(hours=1))
    assert clock.now().hour == 1


def test_texts_and_errors_speak_both_languages() -> None:
    assert Text("剩 {n} 条", "{n} left").render("en", {"n": 3}) == "3 left"
    assert Text("剩 {n} 条", "{n} left").render("zh", {}) == "剩 — 条"
    assert "case 7" in NotFound(what="case 7").text("en")


def test_severities_have_a_character_and_a_cap_word() -> None:
    assert [level.zh for level in Severity] == ["蓝", "黄", "橙", "红"]
    assert Severity.RED.cap == "Extreme"
