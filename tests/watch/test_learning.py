"""Learning from readings that exist: what is taken is what living through them would have left, and nothing is told for the past."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

import numpy as np
import pytest

from shouwang.alerts.rules import FoundFinding
from shouwang.detectors.contract import Columns, State, fresh, load, only_streams
from shouwang.detectors.registry import detectors_found
from shouwang.kernel.moments import HOUR_US, to_us
from shouwang.telemetry import queries as telemetry
from shouwang.telemetry.actions import add_things, ingest
from shouwang.telemetry.rules import NewThing
from shouwang.watch import actions, learning, queries
from shouwang.watch.jobs import Runner
from shouwang.watch.models import Learning

NOW = datetime(2026, 1, 15, 2, tzinfo=UTC)
REAL = datetime(2026, 6, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DAYS = 20
DETECTORS = ("silence", "high_use")


@dataclass
class Taker:
    """Takes findings."""

    found: list[FoundFinding] = field(default_factory=list)

    def __call__(self, findings: Sequence[FoundFinding], *, now: datetime) -> None:
        del now
        self.found += findings

    def of(self, stream: int) -> list[tuple[str, str, int]]:
        return [(each.kind, each.phase, each.at_us) for each in self.found if each.subject_id == stream]


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    telemetry.forget()
    learning.forget()
    yield
    telemetry.forget()
    learning.forget()


@pytest.fixture
def streams(db: None) -> list[int]:
    """Register two meters in two areas."""
    del db
    added = add_things([NewThing(f"M{n}", "WATER_METER", "", (("register_l", "L"),), path=f"/{n + 1}/") for n in range(2)], now=NOW - 60 * DAY)
    telemetry.forget()
    return [each.datastreams["register_l"] for each in added]


def lived(stream: int, *, begin: datetime, end: datetime, silent_from: datetime | None = None) -> Columns:
    """Return hourly readings in [begin, end) of a home that uses water morning and evening, until it falls silent."""
    first_us = to_us(NOW - DAYS * DAY)
    at_us = np.arange(first_us, to_us(end), HOUR_US)
    awake = np.isin((at_us // HOUR_US + 8) % 24, (7, 8, 12, 18, 19, 21))
    used = awake & (at_us < to_us(silent_from or end))
    register = 500.0 + np.cumsum(np.where(used, 10.0, 0.0))
    mine = at_us >= to_us(begin)
    return Columns(np.full(int(mine.sum()), stream, np.int64), at_us[mine], register[mine])


def set_watches(since: datetime = NOW - HOUR) -> None:
    for detector in DETECTORS:
        actions.set_watch(detector, detector=detector, now=since, thing_kind="WATER_METER", observed="register_l", lateness_s=0)


def learn(now: datetime) -> int:
    """Learn all that waits, however long that takes; return how many."""
    return learning.learn(now, most_s=1e9)


def tick(runner: Runner, now: datetime) -> None:
    assert runner.tick(now, real_now=REAL).leads


def pass_hours(runner: Runner, stream: int, *, hours: int, begin: datetime = NOW, silent_from: datetime | None = None) -> datetime:
    """Let readings come hour by hour with a tick after each; return the moment after the last."""
    for hour in range(hours):
        at = begin + hour * HOUR
        ingest(lived(stream, begin=at, end=at + HOUR, silent_from=silent_from), now=at + timedelta(minutes=1), source="http")
        tick(runner, at + timedelta(minutes=1))
    return begin + (hours - 1) * HOUR + timedelta(minutes=1)


def stored(code: str, stream: int) -> State:
    """Return what is stored of a stream under a watch."""
    for row in queries.family_rows():
        for state in queries.states(row.id) if row.code == code else ():
            found = load(state.state)
            if stream in found.get("stream", ()):
                return only_streams(found, np.array([stream], np.int64))
    pytest.fail(f"{code} remembers nothing of {stream}")


def rows_of(code: str, stream: int) -> list[Learning]:
    return list(Learning.objects.filter(stream=stream, watch__code=code))


@pytest.mark.parametrize("code", DETECTORS)
def test_what_is_taken_is_what_living_through_it_would_have_left(streams: list[int], code: str) -> None:
    past, other = streams
    ingest(lived(past, begin=NOW - DAYS * DAY, end=NOW - 2 * HOUR), now=NOW - 2 * HOUR, source="file")
    set_watches()
    runner = Runner("one", Taker())
    ingest(lived(past, begin=NOW - 2 * HOUR, end=NOW), now=NOW, source="http")
    pass_hours(runner, other, hours=1, begin=NOW - timedelta(minutes=30))
    assert actions.ask_learning([past], now=NOW) == 2
    assert learn(NOW) == 2
    Learning.objects.update(tried_at=NOW + 3 * HOUR - learning.TRY_AGAIN)
    end = pass_hours(runner, past, hours=5)  # readings go on coming between learning and taking
    tick(runner, end + timedelta(minutes=1))
    (row,) = rows_of(code, past)
    assert (row.taken_at is not None, row.readings, row.first_at) == (True, DAYS * 24, NOW - DAYS * DAY)
    upto = learning._upto_us(stored(code, past))
    detector = detectors_found()[code]
    watch = next(each for each in queries.watches() if each.code == code)
    whole = lived(past, begin=NOW - DAYS * DAY, end=NOW + 5 * HOUR)
    reference, _ = detector.judge(whole, fresh(to_us(NOW)), now_us=upto, watermark_us=upto, params=watch.params)
    assert upto >= to_us(NOW)
    for name, array in stored(code, past).items():
        if name not in {"late", "judged_us"} and not name.startswith("pending_"):
            np.testing.assert_array_equal(array, reference[name], err_msg=name)


def test_of_a_home_that_was_learnt_it_is_known_when_water_was_last_used(streams: list[int]) -> None:
    past, cold = streams
    for stream in streams:
        ingest(lived(stream, begin=NOW - DAYS * DAY, end=NOW), now=NOW, source="file")
    set_watches(NOW)
    taker = Taker()
    runner = Runner("one", taker)
    tick(runner, NOW)
    actions.ask_learning([past], now=NOW)
    learn(NOW)
    tick(runner, NOW + timedelta(minutes=1))
    for hour in range(14):
        at = NOW + hour * HOUR
        ingest(Columns.of([lived(each, begin=at, end=at + HOUR, silent_from=NOW) for each in streams]), now=at + HOUR, source="http")
        tick(Runner("one", taker), at + HOUR)  # a new process remembers it
    last_use = {stream: next(each.params["last_use_us"] for each in taker.found if each.subject_id == stream) for stream in streams}
    assert last_use == {past: to_us(NOW - 2 * HOUR), cold: to_us(NOW)}, "whose past is not known has been silent since the first reading at the most"
    assert all(at > to_us(NOW) for _, _, at in taker.of(past)), "the past tells nothing that must be done"


def test_a_stream_with_an_open_episode_is_taken_once_that_has_ended(streams: list[int]) -> None:
    past = streams[0]
    set_watches(NOW - 3 * DAY)
    taker = Taker()
    runner = Runner("one", taker)
    end = pass_hours(runner, past, begin=NOW - 2 * DAY, hours=40, silent_from=NOW - 40 * HOUR)
    assert {"OPEN"} == {phase for _, phase, _ in taker.of(past)}
    told = len(taker.found)
    ingest(lived(past, begin=NOW - DAYS * DAY, end=NOW - 2 * DAY), now=end, source="file")
    actions.ask_learning([past], now=end)
    learn(end)
    for minute in range(1, 25):
        tick(runner, end + timedelta(minutes=minute))
    (row,) = rows_of("silence", past)
    assert row.taken_at is None
    assert len(taker.found) == told, "no alarm is told twice"
    back = NOW - 8 * HOUR
    ingest(Columns(np.array([past]), np.array([to_us(back)]), np.array([99_000.0])), now=back, source="http")
    tick(runner, back + 2 * HOUR)
    tick(runner, back + 2 * HOUR + timedelta(minutes=15))
    (row,) = rows_of("silence", past)
    assert row.taken_at is not None
    assert stored("silence", past)["since_slot"][0] == to_us(NOW - DAYS * DAY) // HOUR_US


def test_the_watch_of_the_area_that_hears_a_stream_takes_what_was_learnt(streams: list[int]) -> None:
    past = streams[0]
    ingest(lived(past, begin=NOW - DAYS * DAY, end=NOW), now=NOW, source="file")
    set_watches(NOW)
    actions.set_thresholds("silence", area_id=1, path="/1/", own={"hard_stop_h": 20}, by=None, now=NOW)
    runner = Runner("one", Taker())
    pass_hours(runner, past, hours=2)
    actions.ask_learning([past], now=NOW)
    learn(NOW + 2 * HOUR)
    tick(runner, NOW + 2 * HOUR)
    tick(runner, NOW + 2 * HOUR + timedelta(minutes=1))
    (area,) = (row for row in queries.family_rows() if row.path == "/1/" and row.code == "silence")
    held = [load(state.state) for state in queries.states(area.id)]
    (mine,) = (state for state in held if past in state.get("stream", ()))
    assert only_streams(mine, np.array([past]))["since_slot"][0] == to_us(NOW - DAYS * DAY) // HOUR_US


def test_a_stream_without_a_past_or_known_as_long_stays_as_it_is(streams: list[int]) -> None:
    none, known = streams
    set_watches(NOW)
    runner = Runner("one", Taker())
    end = pass_hours(runner, known, hours=3)
    actions.ask_learning(streams, now=end)
    assert learn(end) == 4
    assert learn(end) == 0
    tick(runner, end + timedelta(minutes=1))
    assert {(row.stream, row.taken_at is not None, row.first_at) for row in Learning.objects.all()} == {(none, True, None), (known, True, NOW)}
    row = queries.learning_of(none)
    assert row is not None
    assert (row.first_at, row.readings, row.is_taken) == (None, 0, True)


def test_a_watch_that_starts_anew_learns_again_and_so_does_a_stream_whose_past_came_late(streams: list[int]) -> None:
    past = streams[0]
    set_watches(NOW)
    actions.ask_learning([past], now=NOW)
    learn(NOW)
    assert actions.learn_again([past], known_since=NOW - 42 * DAY) == 2
    ingest(lived(past, begin=NOW - DAYS * DAY, end=NOW), now=NOW, source="file")
    assert learn(NOW) == 2
    runner = Runner("one", Taker())
    tick(runner, NOW + timedelta(minutes=1))
    assert stored("silence", past)["since_slot"][0] == to_us(NOW - DAYS * DAY) // HOUR_US
    assert actions.learn_again([past], known_since=NOW - DAYS * DAY) == 0
    actions.switch_watch("silence", enabled=False, now=NOW)
    actions.switch_watch("silence", enabled=True, now=NOW + HOUR)
    assert learn(NOW + HOUR) == 1
    tick(runner, NOW + HOUR)
    tick(runner, NOW + HOUR + timedelta(minutes=1))
    assert stored("silence", past)["since_slot"][0] == to_us(NOW - DAYS * DAY) // HOUR_US


def test_what_was_learnt_long_ago_is_learnt_again_before_it_is_taken(streams: list[int]) -> None:
    past = streams[0]
    ingest(lived(past, begin=NOW - DAYS * DAY, end=NOW), now=NOW, source="file")
    set_watches(NOW)
    actions.ask_learning([past], now=NOW)
    learn(NOW)
    Learning.objects.update(tried_at=NOW + 7 * HOUR - learning.TRY_AGAIN)
    runner = Runner("one", Taker())
    end = pass_hours(runner, past, hours=9)
    (row,) = rows_of("silence", past)
    assert (row.learnt_at, row.taken_at) == (None, None)
    assert learn(end) == 2
    tick(runner, end + timedelta(minutes=1))
    (row,) = rows_of("silence", past)
    assert row.taken_at is not None
    assert row.readings == DAYS * 24 + 8


def test_learning_takes_little_time_at_once_and_goes_on_where_it_was(streams: list[int]) -> None:
    for stream in streams:
        ingest(lived(stream, begin=NOW - DAYS * DAY, end=NOW), now=NOW, source="file")
    set_watches(NOW)
    actions.ask_learning(streams, now=NOW)
    seconds, calls = count(), 0
    while learning.learn(NOW, monotonic=lambda: 0.6 * next(seconds)) == 0:
        calls += 1
    assert calls > DAYS / 2, "a day or two at a time"
    halves = sorted((row.stream, bytes(row.state or b"")) for row in Learning.objects.exclude(learnt_at=None))
    learning.forget()
    Learning.objects.update(learnt_at=None)
    assert learn(NOW) == 4
    assert halves == sorted((row.stream, bytes(row.state or b"")) for row in Learning.objects.all() if row.watch_id == first_watch())


def first_watch() -> int:
    return min(Learning.objects.values_list("watch_id", flat=True))
