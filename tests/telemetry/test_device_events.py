"""Device events: told once however often they are told, in the order of a clock that can be believed, nothing lost."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from django.db import OperationalError, connections
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from shouwang.files import actions as files
from shouwang.files.queries import file, open_file
from shouwang.files.rules import Sensitivity
from shouwang.journal.queries import events_after, last_seq
from shouwang.journal.rules import Event
from shouwang.kernel.errors import NotFound
from shouwang.people.rules import Scope
from shouwang.telemetry import actions, jobs, pages, queries
from shouwang.telemetry.actions import add_things, note_heard, record_device_events, stranger
from shouwang.telemetry.events import DEVICE_EVENT_RECORDED, DEVICE_REPEATED
from shouwang.telemetry.models import DeviceEvent, Quarantine, Thing
from shouwang.telemetry.pages.things import last
from shouwang.telemetry.receiving import release_event
from shouwang.telemetry.rules import (
    CORNERS_MOST,
    RAW_BYTES,
    SNAPSHOTS_MOST,
    DeviceEventsTaken,
    DeviceRecord,
    EventKind,
    EventState,
    NewThing,
    SeenObject,
    Snapshot,
    dated,
    dedupe_key,
    in_picture,
    plain,
    tidied,
)
from tests.telemetry.test_pages import asked

SOURCE = "camera_json"
NOW = datetime(2026, 1, 15, 2, tzinfo=UTC)
ENTERED = DeviceRecord(
    EventKind.ENTER, "CAM1", state=EventState.START, rule="water-1", zone="shore", object=SeenObject.HUMAN, object_id="863",
    box=(0.1, 0.2, 0.3, 0.6), polygon=((0.0, 0.5), (1.0, 0.5), (1.0, 1.0)), device_at=NOW - timedelta(seconds=1), raw=b"<Event/>",
)
NAMELESS = replace(ENTERED, object_id="")
DAY = timedelta(days=1)


@pytest.fixture(autouse=True)
def _data_dir(tmp_path: Path, settings: object) -> None:
    settings.SHOUWANG_DATA_DIR = tmp_path  # type: ignore[attr-defined]


@pytest.fixture
def cameras(db: None) -> dict[str, int]:
    """Register two cameras of different areas, one of them of an exercise."""
    del db
    added = add_things([NewThing("CAM1", "CAMERA", "东湖一号", (), path="/1/1/"), NewThing("CAM2", "CAMERA", "", (), path="/1/2/", exercise_id=4)], now=NOW - DAY)
    return {each.external_id: each.thing_id for each in added}


def record(*records: DeviceRecord, at: datetime = NOW) -> tuple[Sequence[int], Sequence[int], int]:
    taken = record_device_events(records, source=SOURCE, now=at)
    return taken.recorded, taken.repeated, taken.quarantined


def told(kind: str) -> list[Event]:
    return events_after(0, kinds=[kind])


def test_an_event_is_stored_and_published_with_ids_and_codes_only(cameras: dict[str, int]) -> None:
    (event_id,), _, _ = record(ENTERED)
    row = queries.device_event(event_id)
    assert (row.kind, row.state, row.object, row.object_id) == (EventKind.ENTER, EventState.START, SeenObject.HUMAN, "863")
    assert (row.thing_id, row.external_id, row.name, row.path) == (cameras["CAM1"], "CAM1", "东湖一号", "/1/1/")
    assert (row.box, row.polygon) == (ENTERED.box, ENTERED.polygon)
    assert (row.at, row.device_at, row.received_at, row.clock_off_s) == (ENTERED.device_at, ENTERED.device_at, NOW, 1.0)
    (event,) = told(DEVICE_EVENT_RECORDED)
    assert (event.subject_id, event.exercise_id) == (event_id, None)
    assert event.payload == {"thing": cameras["CAM1"], "kind": "ENTER", "state": "START", "object": "HUMAN", "clock_wrong": False}


def test_an_event_of_an_exercise_stays_one(cameras: dict[str, int]) -> None:
    (event_id,), _, _ = record(replace(ENTERED, device="CAM2"))
    assert [4, 4] == [told(DEVICE_EVENT_RECORDED)[0].exercise_id, queries.device_event(event_id).exercise_id]
    assert cameras


def test_a_repeat_is_counted_and_published_and_no_second_event(cameras: dict[str, int]) -> None:
    (event_id,), _, _ = record(ENTERED)
    assert ((), (event_id,), 0) == record(ENTERED, at=NOW + timedelta(seconds=2))
    assert ((), (event_id, event_id), 0) == record(ENTERED, ENTERED, at=NOW + timedelta(seconds=3))
    row = queries.device_event(event_id)
    assert (row.repeats, row.last_repeat_at) == (3, NOW + timedelta(seconds=3))
    assert [1, 2, 3] == [each.payload["repeats"] for each in told(DEVICE_REPEATED)]
    assert (1, 1) == (DeviceEvent.objects.count(), len(told(DEVICE_EVENT_RECORDED)))
    assert cameras


# What is another event, and what the same: what changes, and how much later the device says it.
SAME = [
    ({}, 0, True),
    ({}, 599, True),  # an object that is followed stays one event for ten minutes
    ({}, 601, False),  # later its number may be somebody else's
    ({"object_id": "864"}, 1, False),  # a second person is another event
    ({"rule": "water-2"}, 1, False),
    ({"state": EventState.STOP}, 1, False),  # that it ends is news
    ({"kind": EventKind.STAY}, 1, False),
    ({"device": "CAM2"}, 1, False),
    ({"channel": "2"}, 1, False),
    ({"zone": "water"}, 1, False),  # from the shore into the water
    ({"box": (0.5, 0.5, 0.6, 0.9), "object": SeenObject.UNKNOWN}, 1, True),  # the same person, a step further
]


@pytest.mark.parametrize(("change", "later_s", "is_same"), SAME)
def test_what_is_the_same_event_of_an_object(cameras: dict[str, int], change: dict[str, object], later_s: float, is_same: bool) -> None:
    record(ENTERED)
    later = timedelta(seconds=later_s)
    assert ENTERED.device_at
    again = replace(ENTERED, device_at=ENTERED.device_at + later, **change)  # type: ignore[arg-type]
    assert is_same == bool(record(again, at=NOW + later)[1])
    assert cameras


@pytest.mark.parametrize("number", ["", "0", "-1"])
def test_without_an_objects_number_ten_seconds_are_one_event(cameras: dict[str, int], number: str) -> None:
    found = []
    for second in (0, 1, 9, 10, 12, 20):
        at = NOW + timedelta(seconds=second)
        found.append(len(record(replace(ENTERED, object_id=number, device_at=at), at=at + timedelta(seconds=5))[0]))
    assert [1, 0, 0, 1, 0, 1] == found
    assert cameras


def test_what_is_sent_again_hours_later_is_the_same_event(cameras: dict[str, int]) -> None:
    """A camera that could not send for a while sends all again: the device's moment decides, not ours."""
    for each in (ENTERED, NAMELESS):
        (event_id,), _, _ = record(each)
        assert ((), (event_id,), 0) == record(each, at=NOW + timedelta(minutes=50))
    assert cameras


@pytest.mark.parametrize("off", [timedelta(hours=1, seconds=1), timedelta(days=-400), timedelta(days=20_000)])
def test_a_wrong_clock_is_kept_and_marked_and_not_believed(cameras: dict[str, int], off: timedelta) -> None:
    wrong = replace(NAMELESS, device_at=NOW - off)
    (event_id,), _, _ = record(wrong)
    row = queries.device_event(event_id)
    assert (row.at, row.device_at, row.clock_off_s, row.is_clock_wrong) == (NOW, NOW - off, off.total_seconds(), True)
    assert told(DEVICE_EVENT_RECORDED)[0].payload["clock_wrong"] is True
    assert len(record(wrong, at=NOW + timedelta(seconds=3))[1]) == 1
    assert len(record(wrong, at=NOW + timedelta(seconds=11))[0]) == 1
    assert cameras


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+08:00", "9999-12-31T23:59:59-08:00"])
def test_a_moment_at_the_end_of_the_calendar_is_none(cameras: dict[str, int], moment: str) -> None:
    (event_id,), _, _ = record(replace(ENTERED, device_at=datetime.fromisoformat(moment)))
    assert queries.device_event(event_id).device_at is None
    assert cameras


def test_a_moment_is_told_in_utc(cameras: dict[str, int]) -> None:
    (event_id,), _, _ = record(replace(ENTERED, device_at=datetime.fromisoformat("2026-01-15T10:00:00+08:00")))
    assert queries.device_event(event_id).at == NOW
    assert cameras


def test_without_a_device_moment_the_receipt_counts(cameras: dict[str, int]) -> None:
    (event_id,), _, _ = record(replace(NAMELESS, device_at=None))
    row = queries.device_event(event_id)
    assert (row.at, row.device_at, row.clock_off_s, row.is_clock_wrong) == (NOW, None, None, False)
    assert cameras


def test_an_unknown_device_goes_to_quarantine_and_is_recorded_once_it_is_registered(cameras: dict[str, int], rf: RequestFactory, officer: Scope) -> None:
    unknown = replace(ENTERED, device="CAM9", snapshots=(Snapshot(b"picture"),))
    assert ((), (), 2) == record(unknown, replace(unknown, device=""))
    rows, _ = queries.quarantine()
    assert [(SOURCE, "UNKNOWN_DEVICE", 1)] * 2 == [(row.source, row.reason, row.rows) for row in rows]
    assert ["", "CAM9"] == sorted(row.device for row in rows)
    page = pages.quarantine(asked(rf.get("/"), officer)).content.decode()
    assert "CAM9" in page
    row = next(each for each in rows if each.device)
    assert not release_event(row.id, raw=row.raw, device=row.device, source=SOURCE, at=row.at, now=NOW)
    add_things([NewThing("CAM9", "CAMERA", "", (), path="/1/")], now=NOW)
    assert release_event(row.id, raw=row.raw, device=row.device, source=SOURCE, at=row.at, now=NOW + DAY)
    assert not release_event(row.id, raw=row.raw, device=row.device, source=SOURCE, at=row.at, now=NOW + DAY)
    event = DeviceEvent.objects.get()
    assert (event.received_at, event.at, event.is_clock_wrong) == (NOW, ENTERED.device_at, False)
    assert cameras


@pytest.mark.parametrize("raw", ["", "{}", "nonsense", "[]", '{"kind": "DANCE"}'])
def test_what_is_no_record_stays_in_quarantine(cameras: dict[str, int], raw: str) -> None:
    assert not release_event(1, raw=raw, device="CAM1", source=SOURCE, at=NOW, now=NOW)
    assert cameras


def test_a_retired_camera_is_unknown(cameras: dict[str, int]) -> None:
    Thing.objects.filter(pk=cameras["CAM1"]).update(retired_at=NOW)
    assert ((), (), 1) == record(ENTERED)


def test_pictures_are_sealed_and_kept_for_thirty_days(cameras: dict[str, int]) -> None:
    (event_id,), _, _ = record(replace(ENTERED, snapshots=(Snapshot(b"before", name="before.jpg"), Snapshot(b"clip", "video/mp4"))))
    before, clip = (file(each) for each in queries.device_event(event_id).snapshots)
    assert (before.media_type, clip.media_type) == ("image/jpeg", "video/mp4")
    assert {before.sensitivity, clip.sensitivity} == {Sensitivity.SEALED}
    assert before.retain_until == NOW + 30 * DAY
    with open_file(before.id) as content:
        assert content.read() == b"before"
    assert cameras


def test_pictures_told_later_are_added_up_to_a_limit(cameras: dict[str, int]) -> None:
    (event_id,), _, _ = record(ENTERED)
    for number in range(SNAPSHOTS_MOST + 3):
        record(replace(ENTERED, snapshots=(Snapshot(b"%d" % number),)))
    record(replace(ENTERED, snapshots=(Snapshot(b"0"),)))
    assert len(set(queries.device_event(event_id).snapshots)) == SNAPSHOTS_MOST
    assert cameras


@pytest.mark.parametrize("broken", [OSError("no space"), None])
def test_a_picture_that_cannot_be_kept_holds_up_no_event(cameras: dict[str, int], monkeypatch: pytest.MonkeyPatch, broken: OSError | None) -> None:
    def full(*_: object, **__: object) -> None:
        raise broken  # type: ignore[misc]

    if broken:
        monkeypatch.setattr(files, "_receive", full)
    (event_id,), _, _ = record(replace(ENTERED, snapshots=(Snapshot(b"" if broken is None else b"x"),)))
    assert queries.device_event(event_id).snapshots == ()
    assert cameras


def test_nothing_is_stored_when_the_journal_cannot_be_written(cameras: dict[str, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_: object, **__: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(actions, "append", away)
    with pytest.raises(OperationalError):
        record(ENTERED)
    assert not DeviceEvent.objects.exists()
    assert cameras


def test_events_of_a_thing_are_paged_newest_first_inside_the_scope(cameras: dict[str, int]) -> None:
    moments = [NOW + timedelta(seconds=10 * number) for number in range(7)]
    for at in moments:
        record(replace(NAMELESS, device_at=at), replace(NAMELESS, device_at=at, rule="water-2"), at=at)
    thing, seen, before = cameras["CAM1"], [], None
    for _ in range(10):
        page = queries.device_events(thing, before=before, limit=3)
        seen += page
        if not page:
            break
        before = page[-1].at, page[-1].id
    assert sorted(moments * 2, reverse=True) == [each.at for each in seen]
    assert len({each.id for each in seen}) == 14
    inside, outside = Scope(1, ("/1/1/",), frozenset({"case.read"})), Scope(1, ("/1/2/",), frozenset({"case.read"}))
    assert (3, 0, 0) == tuple(
        len(queries.device_events(thing, scope=scope, limit=3)) for scope in (inside, outside, Scope(1, ("/1/",), frozenset()))
    )
    newest = queries.last_event(thing, kinds=[EventKind.ENTER])
    assert newest is not None
    assert newest.at == moments[-1]
    assert queries.last_event(thing, kinds=[EventKind.OFFLINE]) is None


def test_an_event_that_does_not_exist_is_not_found(db: None) -> None:
    del db
    with pytest.raises(NotFound):
        queries.device_event(1)


def test_a_heartbeat_is_noted_and_is_no_event(cameras: dict[str, int]) -> None:
    assert queries.last_heard(cameras.values()) == {}
    assert note_heard(["CAM1", "CAM9"], now=NOW) == 1
    assert queries.last_heard(cameras.values()) == {cameras["CAM1"]: NOW}
    note_heard(["CAM1"], now=NOW + timedelta(seconds=14))
    assert queries.last_heard(cameras.values()) == {cameras["CAM1"]: NOW}  # not written at every beat
    note_heard(["CAM1"], now=NOW + timedelta(seconds=16))
    assert queries.last_heard(cameras.values()) == {cameras["CAM1"]: NOW + timedelta(seconds=16)}
    assert not DeviceEvent.objects.exists()
    record(replace(ENTERED, device="CAM2"), at=NOW + timedelta(hours=1))
    assert queries.last_heard([cameras["CAM2"]]) == {cameras["CAM2"]: NOW + timedelta(hours=1)}


def test_the_list_of_things_says_when_a_camera_was_heard(cameras: dict[str, int]) -> None:
    def said(now: datetime) -> str:
        rows, _ = queries.things(Scope(8, ("/1/1/",), frozenset({"case.read"})), now=now)
        return last(rows[0], now=now).en

    assert said(NOW) == "not connected yet"
    note_heard(["CAM1"], now=NOW)
    assert said(NOW + timedelta(minutes=5)) == "5 min ago"
    assert said(NOW + timedelta(hours=49)) == "not heard for over 48 hours"
    assert cameras


@pytest.mark.writers
def test_two_who_hear_the_same_at_once_store_one_event(transactional_db: None) -> None:
    del transactional_db
    add_things([NewThing("CAM1", "CAMERA", "", (), path="/1/")], now=NOW)
    gate = threading.Barrier(4)

    def hear(_: int) -> DeviceEventsTaken:
        try:
            gate.wait(20)
            return record_device_events([ENTERED, NAMELESS], source=SOURCE, now=NOW)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(hear, range(4)))
    assert (2, 6) == (sum(len(each.recorded) for each in taken), sum(len(each.repeated) for each in taken))
    assert [3, 3] == list(DeviceEvent.objects.values_list("repeats", flat=True))
    assert (2, 6) == (len(told(DEVICE_EVENT_RECORDED)), len(told(DEVICE_REPEATED)))


def test_what_was_told_goes_after_thirty_days_and_events_with_the_readings(cameras: dict[str, int]) -> None:
    record(ENTERED)
    jobs.tidy(NOW + 29 * DAY, read_upto=0)
    assert DeviceEvent.objects.get().raw is not None
    jobs.tidy(NOW + 31 * DAY, read_upto=0)
    assert DeviceEvent.objects.get().raw is None
    jobs.tidy(NOW + 399 * DAY, read_upto=0)
    assert DeviceEvent.objects.exists()
    jobs.tidy(NOW + 401 * DAY, read_upto=0)
    assert not DeviceEvent.objects.exists()
    assert cameras


def test_whatever_a_device_says_is_brought_within_limits(cameras: dict[str, int]) -> None:
    wild = replace(
        ENTERED, rule="\0\u200e" + "长" * 500, zone="\ud800x", object_id="9" * 500, box=(-1.0, 0.5, 7.0, 2.0), raw=b"x" * 10 * RAW_BYTES,
        polygon=tuple((0.1, 0.1) for _ in range(CORNERS_MOST + 1)), channel="\n",
    )
    (event_id,), _, _ = record(wild)
    row = queries.device_event(event_id)
    assert (len(row.rule), len(row.object_id), row.box, row.polygon) == (80, 64, (0.0, 0.5, 1.0, 1.0), ())
    assert len(DeviceEvent.objects.get().raw or b"") == RAW_BYTES
    assert cameras


NUMBERS = st.floats(allow_nan=True, allow_infinity=True)


@given(box=st.none() | st.tuples(NUMBERS, NUMBERS, NUMBERS, NUMBERS), points=st.lists(st.tuples(NUMBERS, NUMBERS), max_size=80), text=st.text())
def test_a_tidied_record_fits_its_columns(box: tuple[float, float, float, float] | None, points: list[tuple[float, float]], text: str) -> None:
    found = tidied(replace(ENTERED, device=text, rule=text, object_id=text, box=box, polygon=tuple(points)))
    assert found == tidied(found)
    assert found.box is None or all(0 <= each <= 1 for each in found.box)
    assert all(0 <= x <= 1 and 0 <= y <= 1 for x, y in found.polygon)
    assert len(found.device) <= 80
    json.dumps([found.box, found.polygon])
    stranger(found).raw.encode()


def test_a_box_without_area_is_none() -> None:
    assert in_picture((0.5, 0.5, 0.5, 0.9)) is None
    assert in_picture((0.1, 0.2, 0.3)) is None  # type: ignore[arg-type]
    assert plain(" a\0b ", 2) == "a\ufffd"


def test_the_key_knows_devices_apart() -> None:
    assert dedupe_key(ENTERED, at=NOW) != dedupe_key(replace(ENTERED, device="CAM1", rule="water-1\x00"), at=NOW)
    assert dated(NOW - timedelta(hours=1), received_at=NOW).is_clock_wrong is False


def test_last_seq_grows_by_what_was_told(cameras: dict[str, int]) -> None:
    before = last_seq()
    record(ENTERED, NAMELESS)
    assert last_seq() == before + 2
    assert not Quarantine.objects.exists()
    assert cameras
