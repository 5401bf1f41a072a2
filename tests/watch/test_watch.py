"""The watch: readings and the clock become findings, once, whatever stops in between."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from django.db import transaction

from shouwang.alerts.rules import FoundFinding
from shouwang.detectors.contract import Columns
from shouwang.journal.rules import Lease, LeaseLost
from shouwang.kernel.moments import to_us
from shouwang.telemetry import queries as telemetry
from shouwang.telemetry.actions import add_things, ingest
from shouwang.telemetry.rules import NewThing
from shouwang.watch import actions, jobs, queries
from shouwang.watch.jobs import Runner
from shouwang.watch.models import Watch, WatchState, WatchTick
from shouwang.watch.rules import DetectorUnknown, ParameterUnknown, Portion, Tick, portions, tick_due

START = datetime(2026, 1, 15, tzinfo=UTC)
REAL = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
Told = tuple[str, str, int]


@dataclass
class Recorder:
    """Takes findings as alerts would; can fail as a full disk would."""

    found: list[FoundFinding] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    fails: int = 0

    def __call__(self, findings: Sequence[FoundFinding], *, now: datetime) -> None:
        assert now.tzinfo is not None
        assert transaction.get_connection().in_atomic_block
        if self.fails:
            self.fails -= 1
            message = "disk full"
            raise OSError(message)
        self.sizes.append(len(findings))
        self.found += findings

    def told(self, streams: Sequence[int]) -> list[Told]:
        return [(each.kind, each.phase, streams.index(each.subject_id)) for each in self.found]


@pytest.fixture(autouse=True)
def _no_catalogue() -> Iterator[None]:
    telemetry.forget()
    yield
    telemetry.forget()


@pytest.fixture
def streams(db: None) -> list[int]:
    """Register three meters in three areas, and a gauge that no watch looks at; return the datastream ids."""
    del db
    new = [NewThing(f"M{n}", "WATER_METER", "", (("register_l", "L"),), path=f"/{n}/", exercise_id=5 if n == 2 else None) for n in range(3)]
    added = add_things([*new, NewThing("G", "RAIN_GAUGE", "", (("rain_mm", "mm"),))], now=START)
    telemetry.forget()
    return [next(iter(each.datastreams.values())) for each in added]


def hourly(streams: Sequence[int], hours: Sequence[int], litres: Sequence[int]) -> Columns:
    """Return a reading of every stream at each hour, its register grown by its litres an hour."""
    rows = [(stream, to_us(START + hour * HOUR), 100.0 + used * hour) for hour in hours for stream, used in zip(streams, litres, strict=True)]
    return Columns(*(np.array(column) for column in zip(*rows, strict=True)))


def live(runner: Runner, streams: Sequence[int], *, hours: int, litres: Sequence[int], new_process: bool = False) -> None:
    """Let readings arrive hour by hour, with a tick after each."""
    for hour in range(hours):
        now = START + hour * HOUR + timedelta(minutes=1)
        ingest(hourly(streams, [hour], litres), now=now, source="http")
        running = Runner(runner.owner, runner.take) if new_process else runner
        assert running.tick(now, real_now=REAL).leads


def watch(detector: str = "low_high_24h", **more: object) -> int:
    return actions.set_watch("water", detector=detector, now=START - HOUR, thing_kind="WATER_METER", observed="register_l", **more)  # type: ignore[arg-type]


def test_silence_is_found_and_told_with_all_that_explains_it(streams: list[int]) -> None:
    watch()
    recorder = Recorder()
    live(Runner("a", recorder), streams[:3], hours=27, litres=[0, 5, 0])
    assert sorted(recorder.told(streams)) == [("WATER_LOW_USE", "OPEN", 0), ("WATER_LOW_USE", "OPEN", 2)]
    found = {each.subject_id: each for each in recorder.found}[streams[0]]
    assert (found.subject_kind, found.detector, found.version, found.severity) == ("datastream", "low_high_24h", "1", 3)
    assert to_us(START + 24 * HOUR) == found.at_us == found.episode_us
    assert (found.params["used_l"], found.params["window_h"], found.params["limit_l"]) == (0.0, 24, 10)
    assert {None, 5} == {each.exercise_id for each in recorder.found}
    assert len(found.params_hash) == 12


def test_water_used_again_ends_the_episode(streams: list[int]) -> None:
    watch()
    recorder = Recorder()
    runner = Runner("a", recorder)
    live(runner, streams[:1], hours=27, litres=[0])
    now = START + 28 * HOUR
    ingest(Columns(np.array(streams[:1]), np.array([to_us(now)]), np.array([140.0])), now=now, source="http")
    runner.tick(now + HOUR, real_now=REAL)
    assert recorder.told(streams) == [("WATER_LOW_USE", "OPEN", 0), ("WATER_LOW_USE", "END", 0)]
    assert recorder.found[0].episode_us == recorder.found[1].episode_us


def test_the_clock_alone_finds_that_data_are_missing(streams: list[int]) -> None:
    watch()
    recorder = Recorder()
    runner = Runner("a", recorder)
    live(runner, streams[:1], hours=3, litres=[9])
    for hour in range(4, 12):
        runner.tick(START + hour * HOUR, real_now=REAL)
    assert recorder.told(streams) == [("WATER_NO_DATA", "OPEN", 0)]


def test_a_new_process_for_every_tick_finds_the_same(streams: list[int]) -> None:
    watch()
    recorder = Recorder()
    live(Runner("a", recorder), streams[:3], hours=40, litres=[0, 5, 60], new_process=True)
    assert sorted(recorder.told(streams)) == [("WATER_HIGH_USE", "OPEN", 2), ("WATER_LOW_USE", "OPEN", 0)]


def test_what_could_not_be_told_is_told_once_later(streams: list[int]) -> None:
    watch()
    recorder = Recorder()
    runner = Runner("a", recorder)
    live(runner, streams[:1], hours=24, litres=[0])
    recorder.fails = 1
    now = START + 24 * HOUR + timedelta(minutes=11)
    ingest(hourly(streams[:1], [24], [0]), now=now, source="http")
    with pytest.raises(OSError, match="disk full"):
        runner.tick(now, real_now=REAL)
    assert recorder.found == []
    runner.tick(now, real_now=REAL)
    runner.tick(now + HOUR, real_now=REAL)
    assert recorder.told(streams) == [("WATER_LOW_USE", "OPEN", 0)]


def test_a_process_that_was_killed_again_and_again_still_gets_on(streams: list[int]) -> None:
    watch()
    runner = Runner("a", Recorder())
    for minute in range(6):
        now = START + timedelta(minutes=minute)
        ingest(Columns(np.array(streams[:1]), np.array([to_us(now)]), np.array([100.0])), now=now, source="http")
        runner.tick(now, real_now=REAL)
    Runner("a", Recorder()).tick(now, real_now=REAL)
    last = WatchTick.objects.order_by("-pk").values_list("pk", "upto_seq").first()
    assert {last} == set(WatchState.objects.values_list("tick_id", "cursor")), "what was caught up after the start is stored"


def test_a_checkpoint_moves_no_state_back(streams: list[int]) -> None:
    assert streams
    watch()
    runner = Runner("a", Recorder())
    runner.tick(START, real_now=REAL)
    assert runner._lease is not None
    ahead, *others = WatchState.objects.order_by("pk").values_list("pk", flat=True)
    first = WatchTick.objects.latest("pk").pk  # on PostgreSQL numbers go on after other tests
    actions.move_on(runner._lease, [ahead], cursor=9, tick_id=first + 9)
    actions.move_on(runner._lease, [ahead, *others], cursor=5, tick_id=first + 5)
    assert (9, first + 9) == WatchState.objects.values_list("cursor", "tick_id").get(pk=ahead)
    assert {(5, first + 5)} == set(WatchState.objects.filter(pk__in=others).values_list("cursor", "tick_id"))


def test_while_one_process_leads_another_stands_by(streams: list[int]) -> None:
    assert streams
    watch()
    first, second = Runner("a", Recorder()), Runner("b", Recorder())
    assert first.tick(START, real_now=REAL).leads
    assert not second.tick(START, real_now=REAL).leads
    assert second.tick(START, real_now=REAL + timedelta(minutes=1)).leads
    assert not first.tick(START, real_now=REAL + timedelta(minutes=1)).leads


def test_a_stale_fence_stores_nothing(streams: list[int]) -> None:
    watch()
    first, second = Runner("a", Recorder()), Runner("b", Recorder())
    live(first, streams[:1], hours=3, litres=[0])
    assert first._lease is not None
    stale = first._lease
    assert second.tick(START + 3 * HOUR, real_now=REAL + timedelta(minutes=1)).leads
    before = list(WatchState.objects.order_by("pk").values_list("pk", "cursor", "fence"))
    with pytest.raises(LeaseLost):
        actions.save(stale, [actions.Judged(before[0][0], b"", 99, 99)], findings=[], take=lambda _: None)
    assert before == list(WatchState.objects.order_by("pk").values_list("pk", "cursor", "fence"))
    with pytest.raises(LeaseLost):
        actions.record_tick(Lease("watch", "a", 0), upto_seq=9, at=START)


def test_many_findings_are_told_in_portions(db: None) -> None:
    del db
    added = add_things([NewThing(f"N{n}", "WATER_METER", "", (("register_l", "L"),), path="/1/", area_id=None) for n in range(1_200)], now=START)
    telemetry.forget()
    watch()
    recorder = Recorder()
    live(Runner("a", recorder), [each.datastreams["register_l"] for each in added], hours=26, litres=[0] * 1_200)
    assert 1_200 == len(recorder.found) == len({each.subject_id for each in recorder.found})
    assert max(recorder.sizes) <= 500


def test_a_watch_that_is_off_or_looks_elsewhere_finds_nothing(streams: list[int]) -> None:
    watch(enabled=False)
    actions.set_watch("rain", detector="low_12h", now=START - HOUR, thing_kind="RAIN_GAUGE")
    recorder = Recorder()
    live(Runner("a", recorder), streams[:3], hours=30, litres=[0, 0, 0])
    assert recorder.found == []


def test_setting_a_watch_again_keeps_its_state_unless_it_judges_otherwise(streams: list[int]) -> None:
    first = watch()
    live(Runner("a", Recorder()), streams[:1], hours=5, litres=[0])
    kept = list(WatchState.objects.filter(watch_id=first).order_by("pk").values_list("pk", flat=True))
    assert first == watch()
    assert kept == list(WatchState.objects.filter(watch_id=first).order_by("pk").values_list("pk", flat=True))
    assert first == watch(params={"low_l": 5})
    assert WatchState.objects.filter(watch_id=first).exclude(pk__in=kept).count() == 64
    assert Watch.objects.get().params["low_l"] == 5


def test_a_watch_needs_a_known_detector_and_known_parameters(db: None) -> None:
    del db
    with pytest.raises(DetectorUnknown):
        watch("guess")
    with pytest.raises(ParameterUnknown, match="low_litres"):
        watch(params={"low_litres": 5})


def test_another_version_of_a_detector_is_not_run(streams: list[int], caplog: pytest.LogCaptureFixture) -> None:
    watch()
    Watch.objects.update(version=99)
    recorder = Recorder()
    live(Runner("a", recorder), streams[:1], hours=2, litres=[0])
    assert "99" in caplog.text


def test_ticks_are_kept_until_every_watch_has_passed_them(streams: list[int]) -> None:
    watch()
    live(Runner("a", Recorder()), streams[:1], hours=5, litres=[0])
    assert WatchTick.objects.count() == 5
    assert jobs.tidy() == 4
    assert queries.read_upto() == 5
    assert queries.behind() == 0


TICKS = [
    # last tick, seconds later, batches, due
    (None, 0, 0, True),
    (Tick(1, 7, START), 30, 7, False),
    (Tick(1, 7, START), 30, 8, True),  # new batches
    (Tick(1, 7, START), 60, 7, True),  # another minute
]


@pytest.mark.parametrize(("last", "later_s", "upto_seq", "due"), TICKS)
def test_a_tick_is_due_on_news_or_each_minute(last: Tick | None, later_s: int, upto_seq: int, due: bool) -> None:
    assert due == tick_due(last, now=START + timedelta(seconds=later_s), upto_seq=upto_seq)


PORTIONS = [
    ([], []),
    ([("a", []), ("b", [])], [Portion((), ("a", "b"))]),
    ([("a", [1]), ("b", [2, 3])], [Portion((1, 2), ("a",)), Portion((3,), ("b",))]),
    ([("a", [1, 2, 3, 4, 5])], [Portion((1, 2), ()), Portion((3, 4), ()), Portion((5,), ("a",))]),
    ([("a", [1, 2]), ("b", [3])], [Portion((1, 2), ("a",)), Portion((3,), ("b",))]),
]


@pytest.mark.parametrize(("work", "expected"), PORTIONS)
def test_findings_are_cut_in_order_and_a_subject_is_done_with_its_last(
    work: list[tuple[str, list[int]]], expected: list[Portion[str, int]],
) -> None:
    assert expected == list(portions(work, limit=2))
