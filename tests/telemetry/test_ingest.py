"""Storing readings: idempotent, flagged, logged in commit order; and reading them back."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import numpy as np
import pytest
from django.db import connection

from shouwang.detectors.contract import Columns
from shouwang.kernel.moments import HOUR_US, MINUTE_US, to_us
from shouwang.people.rules import Scope
from shouwang.telemetry import actions, jobs, queries
from shouwang.telemetry.models import IngestBatch, Observation
from shouwang.telemetry.rules import (
    FUTURE,
    LATE,
    IngestResult,
    NewQuarantine,
    NewThing,
    SpanTooLong,
    ThingTaken,
    UnknownDatastream,
    bitmask,
    pack,
    partition_of,
    thin,
    unpack,
)

SOURCE = "http"


def columns(stream: int, *at_us: int, value: float = 5.0) -> Columns:
    return Columns(np.full(len(at_us), stream, np.int64), np.array(at_us, np.int64), np.full(len(at_us), value))


def test_the_same_reading_is_stored_once(meters: dict[str, int], now: datetime) -> None:
    at = to_us(now)
    first = actions.ingest(columns(meters["M1"], at, at - MINUTE_US), now=now, source=SOURCE)
    again = actions.ingest(columns(meters["M1"], at - MINUTE_US, at - 2 * MINUTE_US, value=9.0), now=now, source=SOURCE)
    assert IngestResult(2, 0, 0, 0, 1) == first
    assert IngestResult(1, 1, 0, 0, 2) == again
    assert list(Observation.objects.order_by("-at").values_list("result", flat=True)) == [5.0, 5.0, 9.0]


def test_a_repeat_within_one_batch_counts_as_a_duplicate(meters: dict[str, int], now: datetime) -> None:
    at = to_us(now)
    assert IngestResult(1, 2, 0, 0, 1) == actions.ingest(columns(meters["M1"], at, at, at), now=now, source=SOURCE)


def test_a_batch_of_nothing_but_duplicates_is_not_logged(meters: dict[str, int], now: datetime) -> None:
    actions.ingest(columns(meters["M1"], to_us(now)), now=now, source=SOURCE)
    assert IngestResult(0, 1, 0, 0, None) == actions.ingest(columns(meters["M1"], to_us(now)), now=now, source=SOURCE)
    assert queries.last_batch() == 1


def test_the_future_is_stored_flagged_and_kept_from_the_watch(meters: dict[str, int], now: datetime) -> None:
    at = to_us(now)
    result = actions.ingest(columns(meters["M1"], at + 5 * MINUTE_US, at + 6 * MINUTE_US, at - 2 * HOUR_US), now=now, source=SOURCE)
    assert IngestResult(3, 0, 1, 1, 1) == result
    assert {0, FUTURE, LATE} == set(Observation.objects.values_list("flags", flat=True))
    (batch,) = queries.batches_after(0, upto=9, limit=9)
    assert [at + 5 * MINUTE_US, at - 2 * HOUR_US] == batch.columns.at_us.tolist()


def test_an_unknown_datastream_stores_nothing(meters: dict[str, int], now: datetime) -> None:
    mixed = columns(meters["M1"], to_us(now)).joined(columns(999, to_us(now)))
    with pytest.raises(UnknownDatastream):
        actions.ingest(mixed, now=now, source=SOURCE)
    assert not Observation.objects.exists()


def test_a_large_batch_is_stored_in_parts_of_two_thousand(meters: dict[str, int], now: datetime) -> None:
    at = [to_us(now) - number * MINUTE_US for number in range(4_500)]
    result = actions.ingest(columns(meters["M2"], *at), now=now, source=SOURCE)
    assert (result.accepted, result.duplicates, result.seq) == (4_500, 0, 3)
    assert list(IngestBatch.objects.order_by("seq").values_list("rows", flat=True)) == [2_000, 2_000, 500]


def test_a_thing_is_registered_once(meters: dict[str, int], now: datetime) -> None:
    del meters
    with pytest.raises(ThingTaken):
        actions.add_things([NewThing("M3", "WATER_METER", "", ()), NewThing("M1", "WATER_METER", "", ())], now=now)
    assert set(queries.newer_catalogue().by_device) == {"M1", "M2"}


def test_a_series_has_at_most_the_asked_points_and_its_last(meters: dict[str, int], now: datetime) -> None:
    at = [to_us(now) - number * 10 * MINUTE_US for number in range(1_500)]
    actions.ingest(Columns(np.full(1_500, meters["M1"]), np.array(at), np.arange(1_500.0)), now=now, source=SOURCE)
    found = queries.series(meters["M1"], now - timedelta(days=30), now + timedelta(seconds=1), max_points=100)
    assert (found.readings, found.property, found.unit) == (1_500, "register_l", "L")
    assert len(found.at_us) <= 100
    assert (now, 0.0) == found.points()[-1]
    assert len(queries.series(meters["M1"], now - timedelta(days=30), now + timedelta(1), max_points=2_000).at_us) == 1_500


def test_a_series_over_too_long_a_time_is_refused(meters: dict[str, int], now: datetime) -> None:
    with pytest.raises(SpanTooLong):
        queries.series(meters["M1"], now - timedelta(days=401), now)


def test_things_are_listed_with_their_last_reading_inside_the_scope(meters: dict[str, int], now: datetime, officer: Scope) -> None:
    actions.ingest(columns(meters["M1"], to_us(now) - HOUR_US, to_us(now) - 3 * HOUR_US), now=now, source=SOURCE)
    rows, total = queries.things(officer, now=now)
    assert (total, [row.external_id for row in rows]) == (2, ["M1", "M2"])
    assert [now - timedelta(hours=1), None] == [row.last_at for row in rows]
    village = Scope(8, ("/1/2/",), frozenset({"case.read"}))
    assert [row.external_id for row in queries.things(village, now=now)[0]] == ["M2"]
    assert queries.things(Scope(9, (), frozenset({"case.read"})), now=now) == ([], 0)


def test_old_batches_that_all_have_read_are_deleted_but_the_last(meters: dict[str, int], now: datetime) -> None:
    for number in range(3):
        actions.ingest(columns(meters["M1"], to_us(now) + number), now=now, source=SOURCE)
    assert jobs.tidy(now, read_upto=3) == 0
    assert jobs.tidy(now + timedelta(days=8), read_upto=1) == 1
    assert jobs.tidy(now + timedelta(days=8), read_upto=3) == 1
    assert queries.last_batch() == 3
    assert actions.ingest(columns(meters["M1"], to_us(now) + 9), now=now, source=SOURCE).seq == 4


def test_old_readings_are_deleted_from_the_oldest_on_and_in_portions(
    meters: dict[str, int], now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(jobs, "READINGS_AT_ONCE", 3)
    monkeypatch.setattr(jobs, "ROUNDS", 2)
    for hours in range(10):
        for meter in ("M1", "M2"):
            actions.ingest(columns(meters[meter], to_us(now) + hours * HOUR_US), now=now + timedelta(hours=12), source=SOURCE)
    keep = timedelta(days=1)
    later = now + timedelta(days=1, hours=5)
    assert jobs.tidy(later, read_upto=0, keep_readings=keep) == 6
    assert jobs.tidy(later, read_upto=0, keep_readings=keep) == 4
    assert jobs.tidy(later, read_upto=0, keep_readings=keep) == 0
    kept = queries.series(meters["M1"], now, now + timedelta(hours=10))
    assert kept.at_us.tolist() == [to_us(now) + hours * HOUR_US for hours in range(5, 10)]


def test_quarantine_goes_after_its_time_released_or_not(meters: dict[str, int], now: datetime) -> None:
    assert meters
    kept = NewQuarantine("UNKNOWN_DEVICE", "M9", "{}", 1)
    actions.ingest(Columns.empty(), now=now, source=SOURCE, quarantined=[kept, kept])
    ((first, second), _) = queries.quarantine()
    assert actions.mark_released(first.id, now=now)
    assert jobs.tidy(now + timedelta(days=89), read_upto=0) == 0
    assert jobs.tidy(now + timedelta(days=91), read_upto=0) == 1
    assert queries.quarantine()[1] == 1
    assert jobs.tidy(now + timedelta(days=399), read_upto=0) == 0
    assert jobs.tidy(now + timedelta(days=401), read_upto=0) == 1
    assert second.id != first.id


def test_a_packed_batch_is_read_back() -> None:
    given = columns(7, 1, 2, 3)
    partition = np.array([0, 63, 5], np.uint8)
    found, partitions = unpack(pack(given, partition))
    assert (given.stream.tolist(), given.at_us.tolist(), given.value.tolist()) == (found.stream.tolist(), found.at_us.tolist(), found.value.tolist())
    assert partition.tolist() == partitions.tolist()
    with pytest.raises(ValueError, match="multiple of 25"):
        unpack(b"x" * 26)


def test_the_set_of_partitions_fits_a_signed_number() -> None:
    assert bitmask(np.array([0, 2, 2], np.uint8)) == 0b101
    assert bitmask(np.array([63], np.uint8)) == -(1 << 63)
    assert {*range(64)} == {partition_of(area, "") for area in range(1, 64 * 64)} == {partition_of(None, str(name)) for name in range(2_000)}
    assert len({partition_of(area, "") for area in range(1, 120)}) == 2  # neighbours together, few areas in few partitions


def test_thinning_keeps_a_short_series_whole() -> None:
    assert thin(np.array([1, 2, 3]), max_points=3).tolist() == [0, 1, 2]
    assert thin(np.array([1, 2, 3]), max_points=2).tolist() == [0, 2] or thin(np.array([1, 2, 3]), max_points=2).tolist()[-1] == 2


@pytest.mark.django_db(transaction=True)
def test_interleaved_writers_leave_no_batch_a_watch_could_skip(now: datetime) -> None:
    """Two writers interleave; a reader that follows the numbers meets every batch (DESIGN: Order)."""
    added = actions.add_things([NewThing(f"M{n}", "WATER_METER", "", (("register_l", "L"),), path="/1/") for n in range(2)], now=now)
    queries.forget()
    stop = threading.Event()
    followed: list[int] = []

    def write(stream: int) -> None:
        for number in range(30):
            actions.ingest(columns(stream, to_us(now) + number), now=now, source=SOURCE)
        connection.close()

    def follow() -> None:
        while not stop.is_set() or queries.last_batch() > (followed[-1] if followed else 0):
            last = followed[-1] if followed else 0
            followed.extend(batch.seq for batch in queries.batches_after(last, upto=last + 50, limit=50))
        connection.close()

    writers = [threading.Thread(target=write, args=(each.datastreams["register_l"],)) for each in added]
    reader = threading.Thread(target=follow)
    for thread in [*writers, reader]:
        thread.start()
    for thread in writers:
        thread.join()
    stop.set()
    reader.join()
    assert followed == list(range(1, 61))
