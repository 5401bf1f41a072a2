"""Thresholds of areas: who hears which meter, and that no alarm is lost or repeated when that changes."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta

import numpy as np
import pytest

from shouwang.detectors.contract import Columns
from shouwang.detectors.registry import detectors_found, params_hash
from shouwang.journal.queries import events_of
from shouwang.journal.rules import Event, LeaseLost
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import to_us
from shouwang.places.events import AREA_MOVED
from shouwang.telemetry import jobs as telemetry_jobs
from shouwang.telemetry import queries as telemetry
from shouwang.telemetry.actions import ingest
from shouwang.watch import actions, jobs, queries
from shouwang.watch.jobs import Runner
from shouwang.watch.models import LateBatch, LateRows, Watch, WatchState
from shouwang.watch.rules import DETECTORS, FIXED, THRESHOLDS, ThresholdInvalid, nearest, own_at, read_thresholds
from tests.watch.test_watch import HOUR, REAL, START, Recorder, hourly, streams, watch

__all__ = ["streams"]


@pytest.fixture(autouse=True)
def _no_catalogue() -> Iterator[None]:
    telemetry.forget()
    yield
    telemetry.forget()


def set_at(path: str, **own: float) -> bool:
    return actions.set_thresholds("water", area_id=int(path.strip("/").rpartition("/")[2]), path=path, own=own, by=None, now=START)


def go_on(runner: Runner, streams: list[int], hours: range, litres: list[float]) -> None:
    for hour in hours:
        now = START + hour * HOUR + timedelta(minutes=1)
        ingest(hourly(streams, [hour], litres), now=now, source="http")  # type: ignore[arg-type]
        assert runner.tick(now, real_now=REAL).leads


def test_a_county_may_say_another_number_of_litres(streams: list[int]) -> None:
    watch()
    assert set_at("/1/", low_l=8)
    recorder = Recorder()
    go_on(Runner("a", recorder), streams[:2], range(30), [9 / 24, 9 / 24])
    assert [("WATER_LOW_USE", "OPEN", 0)] == recorder.told(streams)
    assert recorder.found[0].params["limit_l"] == 10


def test_the_nearest_area_says_each_number(streams: list[int]) -> None:
    del streams
    watch()
    set_at("/1/", low_l=8, max_gap_h=12)
    set_at("/1/5/", low_l=5)
    found = {row.path: (row.params["low_l"], row.params["max_gap_h"], row.params["high_l"]) for row in queries.family_rows()}
    assert {"": (10, 6, 1000), "/1/": (8, 12, 1000), "/1/5/": (5, 12, 1000)} == found
    assert [""] == [row.path for row in queries.watches()]


def test_an_alarm_that_is_open_is_not_told_again_by_the_watch_of_the_area_and_ends_there(streams: list[int]) -> None:
    watch()
    recorder = Recorder()
    runner = Runner("a", recorder)
    go_on(runner, streams[:1], range(27), [0])
    set_at("/0/", low_l=9)
    go_on(runner, streams[:1], range(27, 40), [0])
    assert [("WATER_LOW_USE", "OPEN", 0)] == recorder.told(streams)
    now = START + 40 * HOUR
    ingest(Columns(np.array(streams[:1]), np.array([to_us(now)]), np.array([140.0])), now=now, source="http")
    runner.tick(now + HOUR, real_now=REAL)
    assert [("WATER_LOW_USE", "OPEN", 0), ("WATER_LOW_USE", "END", 0)] == recorder.told(streams)
    assert recorder.found[0].episode_us == recorder.found[1].episode_us
    assert recorder.found[0].params_hash != recorder.found[1].params_hash


def test_a_lower_threshold_ends_what_was_only_low_above(streams: list[int]) -> None:
    watch()
    recorder = Recorder()
    runner = Runner("a", recorder)
    go_on(runner, streams[:1], range(27), [9 / 24])
    set_at("/0/", low_l=8)
    go_on(runner, streams[:1], range(27, 30), [9 / 24])
    assert [("WATER_LOW_USE", "OPEN", 0), ("WATER_LOW_USE", "END", 0)] == recorder.told(streams)


def test_the_watch_above_says_nothing_more_of_what_it_no_longer_hears(streams: list[int]) -> None:
    watch()
    recorder = Recorder()
    runner = Runner("a", recorder)
    go_on(runner, streams[:1], range(10), [0])
    set_at("/0/", max_gap_h=48)
    for hour in range(10, 40):
        runner.tick(START + hour * HOUR, real_now=REAL)
    assert not [each for each in recorder.found if each.kind == "WATER_NO_DATA"]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_moves_and_stops_in_between_the_same_is_told(streams: list[int], seed: int) -> None:
    """Areas set what holds anyway, so that only moving could change a finding; beside it a watch that knows no areas."""
    chance = random.Random(seed)
    watch()
    actions.set_watch(
        "plain", detector="low_high_24h", now=START - HOUR, thing_kind="WATER_METER", observed="register_l", params={"high_l": 1_001},
    )
    plain = params_hash({row.code: row.params for row in queries.watches()}["plain"])
    recorder = Recorder()
    runner = Runner("a", recorder)
    for hour in range(60):
        _change(chance, runner)
        if chance.random() < 0.1:
            runner = Runner("a", recorder)
        if chance.random() < 0.2:
            telemetry.forget()
        used = [0 if hour < 35 or hour > 40 else 40, 0, 3]
        go_on(runner, streams[:3], range(hour, hour + 1), [each * min(hour, 35) / max(hour, 1) for each in used])
    told = [(each.params_hash == plain, each.kind, each.phase, each.subject_id, each.episode_us, each.at_us) for each in recorder.found]
    assert len(told) > 4
    assert sorted(each[1:] for each in told if each[0]) == sorted(each[1:] for each in told if not each[0])


def _change(chance: random.Random, runner: Runner) -> None:
    path = f"/{chance.randrange(3)}/"
    roll = chance.random()
    if roll < 0.15:
        set_at(path, low_l=10.0)
    elif roll < 0.25:
        set_at(path)
    elif roll < 0.3:
        runner._watching.clear()
    elif roll < 0.35:
        _move(path, "/9" + path) if chance.random() < 0.5 else _move("/9" + path, path)


def _move(old: str, new: str) -> None:
    event = Event(1, START, AREA_MOVED, 1, 1, {"from": old, "to": new}, None)
    telemetry_jobs.on_moves([event])
    if not Watch.objects.filter(path=new).exists():
        jobs.on_moves([event])


def test_following_the_area_above_again_gives_the_watch_up_and_leaves_its_late_rows_to_the_one_above(streams: list[int]) -> None:
    base = watch()
    runner = Runner("a", Recorder())
    set_at("/0/", low_l=8)
    go_on(runner, streams[:1], range(5), [0])
    own = Watch.objects.get(path="/0/")
    LateRows.objects.create(watch=own, stream=streams[0], moments=np.array([1, 2], np.int64).tobytes(), noted_at=START, first_noted_at=START)
    assert set_at("/0/")
    assert not set_at("/0/")
    go_on(runner, streams[:1], range(5, 6), [0])
    assert [base] == list(Watch.objects.values_list("pk", flat=True))
    assert WatchState.objects.count() == 64
    assert [base] == list(LateBatch.objects.values_list("watch_id", flat=True))


def test_the_watch_of_an_area_follows_it_when_it_is_moved(streams: list[int]) -> None:
    watch()
    set_at("/0/", low_l=8)
    recorder = Recorder()
    runner = Runner("a", recorder)
    go_on(runner, streams[:1], range(12), [9 / 24])
    _move("/0/", "/7/0/")
    go_on(runner, streams[:1], range(12, 30), [9 / 24])
    assert ["", "/7/0/"] == [row.path for row in queries.family_rows()]
    assert recorder.found == []


def test_what_could_not_be_stored_moves_nothing_and_is_tried_again(streams: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    watch()
    recorder = Recorder()
    runner = Runner("a", recorder)
    go_on(runner, streams[:1], range(10), [0])
    set_at("/0/", low_l=9)
    with monkeypatch.context() as patched:
        patched.setattr(actions, "settle", _lost)
        assert not runner.tick(START + 10 * HOUR, real_now=REAL).leads
    go_on(runner, streams[:1], range(10, 30), [0])
    assert [("WATER_LOW_USE", "OPEN", 0)] == recorder.told(streams)


def _lost(*_: object, **__: object) -> list[int]:
    raise LeaseLost(name="watch", owner="a", fence=1)


def test_setting_the_watch_anew_keeps_what_areas_set(streams: list[int]) -> None:
    watch()
    set_at("/1/", low_l=8)
    runner = Runner("a", Recorder())
    go_on(runner, streams[:2], range(3), [0, 0])
    watch(params={"max_gap_h": 9}, enabled=False)
    assert queries.family_rows(enabled_only=True) == []
    watch(params={"max_gap_h": 9})
    go_on(runner, streams[:2], range(3, 6), [0, 0])
    assert {("", 10, 9), ("/1/", 8, 9)} == {(row.path, row.params["low_l"], row.params["max_gap_h"]) for row in queries.family_rows()}
    assert WatchState.objects.count() == 128


def test_setting_is_logged_and_needs_a_watch(streams: list[int]) -> None:
    del streams
    watch()
    set_at("/1/", low_l=8)
    set_at("/1/")
    logged = [(event.payload["own"], event.payload["before"]) for event in events_of(1, prefix="watch.")]
    assert [({"low_l": 8}, {}), ({}, {"low_l": 8})] == logged
    with pytest.raises(NotFound):
        actions.set_thresholds("none", area_id=1, path="/1/", own={"low_l": 1}, by=None, now=START)


def test_only_meters_for_which_something_changes_are_counted(streams: list[int]) -> None:
    del streams
    watch()
    set_at("/1/", low_l=8)
    counted = [queries.meters_changed("water", *asked) for asked in (("/0/", {"low_l": 7}), ("/1/", {"low_l": 8}), ("/2/", {"low_l": 8}), ("/1/", {}))]
    assert [1, 0, 0, 1] == counted  # the meter of an exercise in area 2 does not count
    assert queries.meters_changed("none", "/0/", {"low_l": 1}) == 0


NEAREST = [
    # path, areas with their own, the one that says
    ("/1/5/77/", {"/1/", "/1/5/"}, "/1/5/"),
    ("/1/5/77/", {"/1/", "/1/5/77/"}, "/1/5/77/"),
    ("/11/5/", {"/1/"}, ""),  # a name's beginning is no area
    ("/1/", {"/1/5/"}, ""),
    ("", {"/1/"}, ""),
]


@pytest.mark.parametrize(("path", "areas", "said"), NEAREST)
def test_the_nearest_area_upwards_says(path: str, areas: set[str], said: str) -> None:
    assert said == nearest(path, areas)
    own: dict[str, Mapping[str, float]] = {area: {"low_l": len(area)} for area in areas}
    assert own_at(path, own) == ({"low_l": len(said)} if said else {})


WRITTEN = [
    ({"low_l": " 8.5 ", "high_l": ""}, {"low_l": 8.5}),
    ({"window_h": "12", "grid_min": "1", "unknown": "1"}, {"window_h": 12}),
    ({"low_l": "acht"}, None),
    ({"low_l": "nan"}, None),
    ({"low_l": "-1"}, None),
    ({"window_h": "12.5"}, None),
    ({"low_l": "900", "high_l": "800"}, None),  # little would be more than much
    ({"low_severity": "5"}, None),
]


@pytest.mark.parametrize(("texts", "own"), WRITTEN)
def test_what_a_person_wrote_is_read_or_refused(texts: dict[str, str], own: dict[str, float] | None) -> None:
    params = detectors_found()["low_high_24h"].params
    if own is None:
        with pytest.raises(ThresholdInvalid) as refused:
            read_thresholds(texts, params)
        assert "Text(" not in refused.value.text("en") + refused.value.text("zh")
    else:
        assert own == read_thresholds(texts, params)


def test_every_parameter_of_a_detector_may_be_set_or_is_fixed_on_purpose() -> None:
    assert {name for each in detectors_found().values() for name in each.params} == set(THRESHOLDS) | FIXED
    assert set(DETECTORS) == set(detectors_found())
