"""Replay: reading the file, the stage, the pace on the clock, and what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import polars as pl
import pytest
from typer.testing import CliRunner

from shouwang.alerts.models import Alert
from shouwang.cli import replay
from shouwang.cli.errors import MetersUnreadable, RealDataPresent, ReplayBroken
from shouwang.cli.main import app
from shouwang.kernel.clock import ManualClock
from shouwang.people.rules import Scope
from shouwang.places import queries as places
from shouwang.places.actions import add_area
from shouwang.simulator import world
from shouwang.telemetry.queries import newer_catalogue, observations_stored
from shouwang.watch.jobs import Runner
from shouwang.watch.queries import watches
from shouwang.web import demo

FIRST = datetime(2016, 3, 1, tzinfo=UTC)


def write_meters(file: Path, *, hours: int = 4, meters: tuple[str, ...] = ("m2", "m1"), still: str = "", register: bool = True) -> Path:
    rows = [
        {"meter_id": meter, "ts": FIRST + timedelta(hours=n), "litres": 20.0, "register_l": 100 if meter == still else 100 + 20 * n}
        for meter in meters for n in range(hours)
    ]
    frame = pl.DataFrame(rows, schema={"meter_id": pl.String, "ts": pl.Datetime("us", "UTC"), "litres": pl.Float32, "register_l": pl.Int64})
    (frame if register else frame.drop("register_l")).write_parquet(file)
    return file


def test_readings_come_in_the_order_of_their_time(tmp_path: Path) -> None:
    track = replay.read_track(write_meters(tmp_path / "m.parquet"))
    assert track.meters == ["m1", "m2"]
    assert list(track.at) == sorted(track.at)
    assert len(track) == 8
    assert track.at[0] == FIRST


def test_only_the_first_homes_and_days_are_played(tmp_path: Path) -> None:
    file = write_meters(tmp_path / "m.parquet", hours=49)
    assert len(replay.read_track(file, homes=1)) == 49
    assert len(replay.read_track(file, homes=1, max_days=1)) == 24


def test_litres_add_up_where_there_is_no_register(tmp_path: Path) -> None:
    track = replay.read_track(write_meters(tmp_path / "m.parquet", meters=("m1",), register=False))
    assert list(track.register_l) == [20.0, 40.0, 60.0, 80.0]


@pytest.mark.parametrize(
    "columns",
    [
        {"meter_id": ["m"], "ts": [FIRST]},  # neither register nor litres
        {"meter_id": ["m"], "ts": [FIRST.replace(tzinfo=None)], "register_l": [1]},  # no zone
        {"ts": [FIRST], "register_l": [1]},  # whose?
        {"meter_id": [None], "ts": [FIRST], "register_l": [1]},  # nothing left
    ],
)
def test_other_formats_are_refused(tmp_path: Path, columns: dict[str, list[object]]) -> None:
    pl.DataFrame(columns).write_parquet(tmp_path / "m.parquet")
    with pytest.raises(MetersUnreadable):
        replay.read_track(tmp_path / "m.parquet")


def test_what_is_no_parquet_is_refused_in_both_languages(tmp_path: Path) -> None:
    (tmp_path / "m.parquet").write_text("meter_id,ts")
    answer = CliRunner().invoke(app, ["replay", str(tmp_path / "m.parquet"), "--keep", str(tmp_path / "kept")], env={"COLUMNS": "400"})
    assert answer.exit_code == 1
    assert "无法回放" in answer.stdout
    assert "cannot be played" in answer.stdout


@pytest.mark.parametrize(("speed", "expected"), [(1, 3), (0.5, 2), (3600, 10_800)])
def test_lateness_covers_a_late_real_second(speed: float, expected: int) -> None:
    assert expected == replay.lateness_s(speed)
    assert expected >= speed


@pytest.mark.django_db
def test_a_database_in_use_is_refused(tmp_path: Path, now: datetime) -> None:
    assert not replay.refuse_real_data(tmp_path)
    add_area(parent_id=None, name="真实市", level="PREFECTURE", now=now)
    demo.mark_if_empty(tmp_path)  # too late: somebody's data is in it
    with pytest.raises(RealDataPresent):
        replay.refuse_real_data(tmp_path)


@pytest.mark.django_db
def test_a_marked_demo_may_be_replaced_but_not_another_database(tmp_path: Path, now: datetime) -> None:
    demo.mark_if_empty(tmp_path)
    add_area(parent_id=None, name="演示市", level="PREFECTURE", now=now)
    assert replay.refuse_real_data(tmp_path)
    (tmp_path / demo.MARKER).write_text('{"database": "another"}')
    with pytest.raises(RealDataPresent):
        replay.refuse_real_data(tmp_path)


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seed one village in place of Liaocheng, so that the stage is set in a moment."""

    def load(*, now: datetime) -> None:
        root = add_area(parent_id=None, name="示范市", level="PREFECTURE", now=now)
        county = add_area(parent_id=root, name="莘县", now=now)
        add_area(parent_id=add_area(parent_id=county, name="柳河镇", now=now), name="东塘村", now=now)

    monkeypatch.setattr(world, "load_liaocheng", load)


@pytest.mark.django_db
@pytest.mark.usefixtures("small_world")
def test_every_reading_is_stored_once_its_moment_has_come_and_a_still_meter_is_found(tmp_path: Path) -> None:
    track = replay.read_track(write_meters(tmp_path / "m.parquet", hours=40, still="m2"))
    stage = replay.set_stage(track, speed=3600, now=FIRST, chance=Random(7))
    assert [f"{zh} · {en}" for _, zh, en, _ in world.ROLES] == [title for title, _ in stage.links]
    assert {10_800} == {each.lateness_s for each in watches()}
    clock, early, runner, before = ManualClock(FIRST), [], Runner("test"), observations_stored()

    def pass_time(_: float) -> None:
        clock.advance(timedelta(minutes=30))
        runner.tick(clock.now())

    def look(sent: int) -> None:
        early.extend(at for at in track.at[:sent] if at > clock.now())

    done = replay.play(track, stage.scope, clock, go_on=lambda: True, report=look, sleep=pass_time)
    for _ in range(8):
        pass_time(0)
    assert done["accepted"] == len(track) == observations_stored() - before
    assert done["duplicates"] == done["quarantined"] == done["future"] == 0
    assert not early
    assert replay.counts()["alert.opened"] == replay.counts()["case.opened"] == 2
    found = {alert.kind: alert.subject_id for alert in Alert.objects.all()}
    assert set(found) == {"WATER_HARD_STOP", "WATER_LEAK"}  # m2 shows no use for a day, m1 never shows an hour without
    assert len(set(found.values())) == 2
    assert {"m1", "m2"} <= set(newer_catalogue().by_device)
    assert places.roots()


@pytest.mark.django_db
@pytest.mark.usefixtures("small_world")
def test_a_refused_batch_ends_the_replay(tmp_path: Path) -> None:
    track = replay.read_track(write_meters(tmp_path / "m.parquet"))
    stage = replay.set_stage(track, speed=60, now=FIRST, chance=Random(7))
    nobody = Scope(None, stage.scope.paths, frozenset())
    with pytest.raises(ReplayBroken, match="403"):
        replay.play(track, nobody, ManualClock(FIRST), go_on=lambda: True)
