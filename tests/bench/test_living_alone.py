"""What the bench of water meters does to homes, counts and reads: on invented homes, without data."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest

from bench.living_alone import checks, lives, mutants, reference, scenarios
from bench.living_alone.homes import HOUR_US, Homes
from bench.living_alone.model import Months
from bench.living_alone.reading import BadHomes, read_homes, read_survey
from bench.living_alone.scenarios import Ground
from bench.living_alone.watching import HARD_STOP, VISIT, Opened, Watch, hours_until

NAN = float("nan")
HOURS = 40 * 24
CUT = 30 * 24 + 9
BEGIN = 414_120


@pytest.fixture(scope="module")
def homes() -> Homes:
    """Return three homes that draw water in most hours of the day, at 7 and 20 at least; one reading in fifty is missing."""
    chance = np.random.default_rng(1)
    hour = np.arange(HOURS) % 24
    draws = chance.random((3, HOURS)) < np.where((hour >= 7) & (hour <= 21), 0.6, 0.03)
    draws[:, (hour == 7) | (hour == 20)] = True
    registers = 1_000 + np.cumsum(draws * chance.integers(2, 30, draws.shape), axis=1).astype(float)
    registers[:, 1:][chance.random((3, HOURS - 1)) < 0.02] = NAN
    registers[:, CUT] = np.fmax(registers[:, CUT], np.nanmax(registers[:, :CUT], axis=1))
    return Homes(["a", "b", "c"], np.array([1, 2, 4]), BEGIN, registers, ZoneInfo("Asia/Shanghai"))


def ground(homes: Homes, *, watch: Callable[..., Watch] = Watch.of) -> Ground:
    used = np.diff(lives.lived(homes.registers).truth, axis=1, prepend=0) > 0
    last_use = np.maximum.accumulate(np.where(used, np.arange(HOURS), -1), axis=1)
    return Ground(homes, 0, range(21 * 24, 32 * 24), [CUT], np.zeros(used.shape, bool), last_use, 7, lambda _: None, watch=watch)


def test_what_stops_stands_still_and_keeps_its_holes(homes: Homes) -> None:
    base = lives.lived(homes.registers)
    after = base.stopped(CUT, hours=48)
    assert np.array_equal(np.isfinite(after), np.isfinite(homes.registers[:, CUT + 1 : CUT + 49]))
    assert [1] * 3 == [len(set(row[np.isfinite(row)])) for row in after]
    assert np.nanmax(lives.dribbling(base, CUT, hours=48) - after) == lives.DRIBBLE_L


@pytest.mark.parametrize(("l_h", "litres"), [(3.0, 72), (0.5, 12)])
def test_a_leak_goes_on_when_all_else_stops(homes: Homes, l_h: float, litres: int) -> None:
    leaking = lives.leaking(lives.lived(homes.registers), "leak", l_h, since=CUT - 168)
    after = leaking.stopped(CUT, hours=24)
    assert np.nanmax(after, axis=1) == pytest.approx(np.floor(leaking.truth[:, CUT] + litres), abs=l_h)


def test_a_lost_reading_loses_no_litre_and_nothing_before_its_time(homes: Homes) -> None:
    base = lives.lived(homes.registers)
    shown = {each.name: each for each in lives.variants(base, begin=240, judged=range(480, 960), chance=np.random.default_rng(3))}
    for percent in lives.LOSSES:
        lost = shown[f"loss_{percent}"]
        assert np.array_equal(lost.truth, base.truth)
        assert np.array_equal(lost.read[:, :240], base.read[:, :240])
        assert 1 - lost.read[:, 240:].sum() / base.read[:, 240:].sum() == pytest.approx(percent / 100, abs=0.03)


def test_a_visitor_adds_water_for_two_weeks_and_a_holiday_takes_a_week_away() -> None:
    registers = np.cumsum(np.ones((2, 100 * 24)), axis=1)
    base, judged = lives.lived(registers), range(24 * 14, 24 * 100)
    visited = lives.visited(base, judged=judged, chance=np.random.default_rng(1))
    assert [lives.VISIT_H] * 2 == (visited.truth[:, -1] - registers[:, -1]).tolist()
    away = lives.holiday(base, judged=judged, chance=np.random.default_rng(1))
    assert all(each % lives.HOLIDAY_H == 0 and each > 0 for each in registers[:, -1] - away.truth[:, -1])
    assert not away.looked_at[:, : judged.start + lives.HOLIDAY_H].any()


def test_an_exchanged_meter_counts_the_same_litres_from_elsewhere(homes: Homes) -> None:
    base = lives.lived(homes.registers)
    shown = lives.exchanged(base, CUT, hours=48, to_l=900_000.0)
    assert np.nanmin(shown) >= 900_000
    assert np.nanmax(np.diff(shown, axis=1)) == np.nanmax(np.diff(base.registers()[:, CUT + 1 : CUT + 49], axis=1))


def test_values_of_a_day_arrive_at_the_next_local_midnight(homes: Homes) -> None:
    arrives = scenarios.arrivals(homes)
    hours = homes.hours_of_week(more=0) % 24
    assert all(hours[arrives[column]] == 0 for column in range(HOURS - 24))
    assert (arrives[:HOURS] - np.arange(HOURS) < 24).all()


def test_hours_until_take_the_first_of_the_kinds_and_none_where_one_was_open() -> None:
    opened = [Opened(VISIT, 1, 12), Opened(HARD_STOP, 1, 30), Opened(HARD_STOP, 2, 35)]
    streams = np.array([1, 2, 3, 4])
    found = hours_until(opened, {(HARD_STOP, 4): 3}, streams, since=10, kinds=(VISIT, HARD_STOP), missed_h=168)
    assert [2, 25, 168, 0] == found.tolist()


@pytest.mark.parametrize(("registers", "expected"), [
    # a use, two hours that show none, a use
    ([10, 15, 15, 15, 20], [(0, 0, 1), (1, 2, 3), (4, 0, 1)]),
    # the hour before the next use was not read: silence ends with the last reading that showed none
    ([10, 10, 10, NAN, 30], [(0, 2, 4), (4, 0, 1)]),
    # a register that falls is an exchanged meter, and counts as use
    ([100, 100, 2, 2], [(0, 1, 2), (2, 1, 2)]),
    # by a little it is the same meter, and nobody has used any
    ([10, 10, 2, 2], [(0, 3, 4)]),
])
def test_gaps_are_counted_to_the_last_reading_that_showed_none(registers: list[float], expected: list[tuple[int, int, int]]) -> None:
    assert expected == [(gap.slot, gap.silence_h, gap.next_h) for gap in reference.gaps(np.array(registers, float))]


def test_fixed_hours_tell_only_what_a_reading_shows_and_nobody_announced() -> None:
    quiet = [0.0] * 20
    short = np.array([0, 5, *[5] * 20, 9, 9])
    assert 1 == reference.alarms(reference.gaps(short), short, hours=17, judged=range(30))
    unread = np.array([0, 5, *[5] * 16, NAN, NAN, 9], float)
    assert 0 == reference.alarms(reference.gaps(unread), unread, hours=17, judged=range(30))
    long = np.array([0, 5, *[5] * 20, *[5 + each for each in quiet], 9])
    assert 0 == reference.alarms(reference.gaps(long), long, hours=17, judged=range(60))


def test_what_is_found_is_told_at_once_and_a_detector_that_lags_is_seen(homes: Homes) -> None:
    assert 0 == checks.told_late_h(ground(homes))
    assert mutants.LATE_H == checks.told_late_h(ground(homes, watch=mutants.late))


def test_an_outage_opens_a_ticket_and_no_silence_and_made_up_readings_are_seen(homes: Homes) -> None:
    for watch, is_right in ((Watch.of, True), (mutants.filling, False)):
        at = ground(homes, watch=watch)
        found = scenarios.replayed(at, [at.base]).moments.figures(at)["outage_gateway"]
        assert is_right == (found["silence_alarms"] == 0 and found["no_data_told"] == found["outages"] == 3)


def test_nobody_is_silent_for_longer_than_the_hard_stop(homes: Homes) -> None:
    for watch, limit in ((Watch.of, 25), (mutants.patient, 49)):
        at = ground(homes, watch=watch)
        longest = scenarios.replayed(at, [at.base]).moments.figures(at)["hard_stop"]["max_h"]
        assert limit - 25 < longest <= limit


def write(path: Path, **columns: object) -> Path:
    parquet.write_table(pa.table(columns), path)
    return path


def moments(*hours: int) -> pa.Array:
    return pa.array([BEGIN * HOUR_US + hour * HOUR_US for hour in hours], pa.timestamp("us", "UTC"))


def read(path: Path, timezone: str = "Europe/Madrid") -> Homes:
    return read_homes(path, path.parent / "no survey", timezone=timezone)


def test_the_register_wins_and_litres_fill_where_it_is_empty(tmp_path: Path) -> None:
    path = write(
        tmp_path / "homes.parquet", meter_id=["b", "a", "a", "a", "a"], ts=moments(3, 3, 0, 1, 2), litres=pa.array([1, 7, 4, 2, 99], pa.float32()),
        register_l=pa.array([50, None, None, 102, 103], pa.int64()),
    )
    found = read(path)
    assert ["a", "b"] == found.ids
    first = BEGIN - found.begin
    assert [100, 102, 103, 110] == found.registers[0, first : first + 4].tolist()
    assert found.registers[1, first + 3] == 50


def test_litres_alone_are_added_up(tmp_path: Path) -> None:
    found = read(write(tmp_path / "homes.parquet", meter_id=["a"] * 3, ts=moments(0, 1, 5), litres=pa.array([1, 2, 4], pa.float32())))
    row = found.registers[0]
    assert [1, 3, 7] == row[np.isfinite(row)].tolist()


@pytest.mark.parametrize(("columns", "words"), [
    ({"meter": ["a"], "ts": moments(0), "litres": [1.0]}, "has columns meter, ts, litres; expected columns meter_id string"),
    ({"meter_id": ["a"], "ts": moments(0)}, "register_l int64 or litres float32"),
    ({"meter_id": ["a"], "ts": ["2016-03-01"], "litres": [1.0]}, "ts of type string; expected timestamp"),
    ({"meter_id": ["a"], "ts": pa.array([datetime(2016, 3, 1)], pa.timestamp("us")), "litres": [1.0]}, "expected timestamp"),  # noqa: DTZ001
    ({"meter_id": ["a"], "ts": pa.array([None], pa.timestamp("us", "UTC")), "litres": [1.0]}, "1 rows without ts"),
    ({"meter_id": [None], "ts": moments(0), "litres": [1.0]}, "without meter_id"),
    ({"meter_id": ["a"], "ts": moments(0), "litres": [-1.0]}, "litres below 0"),
    ({"meter_id": ["a", "a"], "ts": moments(0, 300_000), "litres": [1.0, 1.0]}, "spans more than 20 years"),
])
def test_a_file_of_another_form_says_what_it_has_and_should_have(tmp_path: Path, columns: dict[str, object], words: str) -> None:
    with pytest.raises(BadHomes, match=words):
        read(write(tmp_path / "homes.parquet", **columns))


def test_what_is_no_parquet_file_and_no_time_zone_and_no_number_is_said(tmp_path: Path) -> None:
    (tmp_path / "homes.parquet").write_text("meter_id,ts\n")
    with pytest.raises(BadHomes, match="not a Parquet file"):
        read(tmp_path / "homes.parquet")
    with pytest.raises(BadHomes, match="Europe/Madrid"):
        read(tmp_path / "homes.parquet", timezone="Madrid")
    survey = tmp_path / "survey.csv"
    survey.write_text("meter_id,members,age\na,2,\nb,,70\n")
    assert {"a": 2, "b": 0} == read_survey(survey)
    survey.write_text("meter_id,members,age\na,two,\n")
    with pytest.raises(BadHomes, match="line 2: members is 'two'"):
        read_survey(survey)


def test_homes_of_other_months_are_split_by_the_same_shares() -> None:
    begin = int(datetime(2024, 1, 1, tzinfo=UTC).timestamp() // 3600)
    other = Homes(["a"], np.array([1]), begin, np.zeros((1, 15 * 730)), ZoneInfo("Asia/Shanghai"))
    assert Months(0, 7 * 730, 11 * 730, 15 * 730) == Months.of(other, elsewhen=True)
    with pytest.raises(ValueError, match="before October 2016"):
        Months.of(other)
