"""Readings that come late are judged again: what goes on unseen is told, what came and went is kept, nothing is told twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.alerts.models import Alert
from shouwang.cases.models import Case
from shouwang.detectors.contract import Columns, Finding
from shouwang.kernel.moments import to_us
from shouwang.notify.rules import phrase
from shouwang.telemetry import queries as telemetry
from shouwang.telemetry.actions import ingest
from shouwang.watch import actions, queries
from shouwang.watch.actions import set_watch
from shouwang.watch.jobs import Runner
from shouwang.watch.models import LateRows, ReviewFinding
from shouwang.watch.review import review
from shouwang.watch.rules import compare, joined_moments, late_blob, late_by_stream
from tests.journeys.conftest import County, county  # noqa: F401 - a fixture

START = datetime(2026, 1, 15, tzinfo=UTC)
REAL = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
QUIET = timedelta(minutes=11)


def finding(phase: str, at: int, *, kind: str = "LOW", stream: int = 1, episode: int | None = None) -> Finding:
    return Finding(kind, stream, at if episode is None else episode, phase, 3, at, f"{kind}_{phase}")  # type: ignore[arg-type]


OPEN, END = "OPEN", "END"
COMPARED = [
    ([], [(OPEN, 5)], [(OPEN, 5)], []),  # goes on unseen
    ([], [(OPEN, 5), (END, 9)], [], [(OPEN, 5)]),  # came and went unseen
    ([(OPEN, 5)], [(OPEN, 3)], [], []),  # seen, only earlier
    ([(OPEN, 5), (END, 9)], [(OPEN, 6)], [], []),  # seen, and goes on: somebody has been there
    ([(OPEN, 5)], [], [(END, 5)], []),  # was none: say that it is over
    ([(OPEN, 5), (END, 9)], [], [], []),  # was none, and was over
    ([(OPEN, 5)], [(OPEN, 5), (END, 7)], [(END, 5)], []),  # ended earlier than known
    ([(OPEN, 1), (END, 2)], [(OPEN, 5)], [(OPEN, 5)], []),  # another spell than the one seen
]


@pytest.mark.parametrize(("without", "with_late", "tell", "keep"), COMPARED)
def test_only_what_the_late_readings_change_is_told(
    without: list[tuple[str, int]], with_late: list[tuple[str, int]], tell: list[tuple[str, int]], keep: list[tuple[str, int]],
) -> None:
    found = compare([finding(*each) for each in without], [finding(*each) for each in with_late])
    assert [(each.phase, each.at_us) for each in found.tell] == tell
    assert [(each.phase, each.at_us) for each in found.keep] == keep


@given(st.lists(st.tuples(st.integers(1, 3), st.integers(0, 50)), max_size=12))
def test_the_same_verdict_twice_tells_nothing(spells: list[tuple[int, int]]) -> None:
    findings = []
    at = dict.fromkeys((1, 2, 3), 0)
    for stream, gap in spells:
        at[stream] += gap + 1
        findings.append(finding(OPEN, at[stream], stream=stream))
        at[stream] += 1
        findings.append(finding(END, at[stream], stream=stream))
    found = compare(findings, findings)
    assert (found.tell, found.keep) == ((), ())


def sorted_late() -> list[LateRows]:
    """Return the late rows by stream, once what the ticks noted is sorted."""
    actions.sort_late(most_rows=1_000)
    return list(LateRows.objects.all())


@given(st.lists(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 9)), min_size=1, max_size=12), min_size=1, max_size=4))
def test_what_ticks_noted_is_sorted_by_stream(ticks: list[list[tuple[int, int]]]) -> None:
    blobs = [late_blob(np.array([stream for stream, _ in rows], np.int64), np.array([at for _, at in rows], np.int64)) for rows in ticks]
    found = late_by_stream(blobs)
    expected: dict[int, set[int]] = {}
    for stream, at in (row for rows in ticks for row in rows):
        expected.setdefault(stream, set()).add(at)
    assert {stream: moments.tolist() for stream, moments in found.items()} == {stream: sorted(moments) for stream, moments in expected.items()}


@given(st.lists(st.integers(0, 9), max_size=20), st.lists(st.integers(0, 9), max_size=20))
def test_moments_are_joined_as_sets(one: list[int], other: list[int]) -> None:
    joined = joined_moments(joined_moments(b"", one), other)
    assert np.frombuffer(joined, np.int64).tolist() == sorted({*one, *other})
    assert joined_moments(joined, one) == joined


@pytest.fixture
def meter(county: County) -> int:  # noqa: F811
    telemetry.forget()
    set_watch("w", detector="low_high_24h", now=START, thing_kind="WATER_METER", observed="register_l", lateness_s=600)
    return county.datastream


def send(stream: int, hours: Sequence[int], litres: Sequence[float], *, at: datetime) -> None:
    at_us = np.array([to_us(START + hour * HOUR) for hour in hours], np.int64)
    ingest(Columns(np.full(len(hours), stream, np.int64), at_us, np.array(litres, np.float64)), now=at, source="test")


def live(runner: Runner, stream: int, litres: dict[int, float], *, until: int) -> None:
    """Let the hours pass, each with its reading where there is one."""
    for hour in range(until + 1):
        now = START + hour * HOUR
        if hour in litres:
            send(stream, [hour], [litres[hour]], at=now)
        runner.tick(now + timedelta(minutes=11), real_now=REAL)


@pytest.mark.django_db
def test_a_silence_known_from_late_readings_only_sends_somebody(meter: int) -> None:
    """For a day the meter is not heard; then it says that 500 L went, and only its backlog that all of them went at once."""
    runner = Runner("one")
    litres = {hour: 1000.0 + 20 * hour for hour in range(30)} | dict.fromkeys(range(60, 63), 2080.0)
    live(runner, meter, litres, until=62)
    assert {alert.kind for alert in Alert.objects.all()} == {"WATER_NO_DATA"}
    now = START + 63 * HOUR
    send(meter, range(31, 60), [2080.0] * 29, at=now)
    runner.tick(now, real_now=REAL)
    assert len(sorted_late()) == 1
    assert review(now + timedelta(minutes=5)) == 0  # more may come
    assert review(now + QUIET) >= 1
    alert = Alert.objects.get(kind="WATER_LOW_USE")
    assert alert.reason == "WATER_LOW_USE_OPEN_LATE"
    case = Case.objects.get(pk=alert.case_id)
    words = phrase(case.reason, "zh", {"window_h": 24, "used_l": 0.0, "limit_l": 10})
    assert "由迟到的读数得知" in words
    assert LateRows.objects.count() == 0
    assert review(now + 2 * QUIET) == 0


@pytest.mark.django_db
def test_a_silence_that_came_and_went_unseen_is_kept_and_listed_and_sends_nobody(meter: int) -> None:
    runner = Runner("one")
    litres = {hour: 1000.0 + 20 * hour for hour in range(20)}
    litres |= {hour: 1400.0 + 20 * (hour - 60) for hour in range(60, 100)}
    live(runner, meter, litres, until=99)
    before = Alert.objects.count()
    now = START + 100 * HOUR
    send(meter, range(20, 55), [1380.0] * 35, at=now)
    runner.tick(now, real_now=REAL)
    review(now + QUIET)
    kept = ReviewFinding.objects.filter(kind="WATER_LOW_USE", phase="OPEN").get()
    assert (kept.told, kept.reason) == (False, "WATER_LOW_USE_OPEN_LATE")
    assert Alert.objects.count() == before
    assert [row.kind for row in queries.review_findings()[0]] == ["WATER_LOW_USE"]


@pytest.mark.django_db
def test_old_readings_sent_once_more_tell_nothing(meter: int) -> None:
    runner = Runner("one")
    litres = {hour: 1000.0 + 20 * hour for hour in range(24)} | dict.fromkeys(range(24, 60), 1460.0)
    live(runner, meter, litres, until=59)
    told = Alert.objects.count()
    now = START + 60 * HOUR
    send(meter, [*range(20, 59), 60], [litres[hour] for hour in range(20, 59)] + [1460.0], at=now)
    runner.tick(now + timedelta(minutes=11), real_now=REAL)
    assert len(sorted_late()) == 1
    review(now + 2 * QUIET)
    assert Alert.objects.count() == told
    Alert.objects.update(state="ENDED", ended_at=now)  # somebody has been there and closed it
    send(meter, [*range(20, 59), 61], [litres[hour] for hour in range(20, 59)] + [1460.0], at=now + HOUR)
    runner.tick(now + HOUR + timedelta(minutes=11), real_now=REAL)
    review(now + HOUR + 2 * QUIET)
    assert Alert.objects.count() == told


@pytest.mark.django_db
def test_what_came_late_survives_a_stop_and_is_noted_once(meter: int) -> None:
    runner = Runner("one")
    live(runner, meter, {hour: 1000.0 + 20 * hour for hour in range(10)}, until=12)
    now = START + 13 * HOUR
    send(meter, [10, 11], [1200.0, 1210.0], at=now)
    runner.tick(now, real_now=REAL)
    Runner("two").tick(now + HOUR, real_now=REAL + timedelta(minutes=1))
    (row,) = sorted_late()
    assert len(np.frombuffer(bytes(row.moments), np.int64)) == 2


@pytest.mark.django_db
def test_rows_from_before_the_watch_and_of_no_watch_are_not_late(meter: int) -> None:
    runner = Runner("one")
    runner.tick(START + HOUR, real_now=REAL)
    send(meter, [-5, -4], [10.0, 20.0], at=START + HOUR)
    runner.tick(START + 2 * HOUR, real_now=REAL)
    assert LateRows.objects.count() == 0


@pytest.mark.django_db
def test_review_findings_are_kept_for_their_time(meter: int) -> None:
    ReviewFinding.objects.create(
        watch_id=queries.watches()[0].id, stream=meter, kind="K", phase="OPEN", episode_us=1, at=START, severity=1, reason="R", params={},
        reviewed_at=START, told=False,
    )
    review(START + timedelta(days=399))
    assert ReviewFinding.objects.count() == 1
    review(START + timedelta(days=401))
    assert ReviewFinding.objects.count() == 0
