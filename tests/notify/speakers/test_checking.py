"""Loudspeakers die unnoticed: each is looked at daily, and what has died or is back is published."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from shouwang.journal.actions import take_lease
from shouwang.journal.queries import events_after
from shouwang.journal.rules import Event, Lease
from shouwang.kernel.errors import NotFound
from shouwang.notify import actions, events, queries
from shouwang.notify.contract import Rejected, Retry
from shouwang.notify.jobs import InlinePlayers, check_speakers, on_moves
from shouwang.notify.models import Speaker
from shouwang.notify.rules.errors import SpeakerInvalid
from shouwang.notify.rules.sounds import SpeakerState
from shouwang.people.rules import SYSTEM
from shouwang.places.actions import add_area, set_setting
from shouwang.places.events import AREA_MOVED
from shouwang.places.rules.errors import SettingInvalid
from shouwang.telemetry.actions import add_things
from shouwang.telemetry.rules import NewThing
from tests.notify.speakers.conftest import Install, S, Told

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)


def check(at: datetime, lease: Lease, players: InlinePlayers) -> datetime | None:
    """Make a pass and one that records, as the player's bell would; return when the next is wanted."""
    check_speakers(at, lease=lease, players=players)
    return check_speakers(at, lease=lease, players=players)


def told() -> list[tuple[str, int | None]]:
    return [(event.kind, event.subject_id) for event in events_after(0, kinds=[events.SPEAKER_DEAD, events.SPEAKER_BACK])]


def test_a_new_loudspeaker_is_looked_at_at_once_and_then_daily(
    install: Install, devices: dict[str, Told], lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    speaker = install(checked=False)
    tomorrow = now + 23 * HOUR  # it is ten o'clock, and nine is the hour
    assert tomorrow == check(now, lease, players)
    assert SpeakerState.OK == queries.speaker(SYSTEM, speaker).state
    assert now == queries.speaker(SYSTEM, speaker).checked_at
    check(now + 1 * HOUR, lease, players)
    assert 1 == devices["http://a"].checked
    check(tomorrow, lease, players)
    assert 2 == devices["http://a"].checked


def test_it_is_dead_after_two_failed_checks_ten_minutes_apart_and_back_after_a_good_one(
    install: Install, devices: dict[str, Told], lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    devices["http://a"] = Told(checks=[Retry(5.0, "NO_CONNECTION"), Rejected("HTTP_401")])
    speaker = install(checked=False)
    assert now + 10 * MINUTE == check(now, lease, players)
    assert (SpeakerState.UNKNOWN, []) == (queries.speaker(SYSTEM, speaker).state, told())
    assert now + 10 * MINUTE + HOUR == check(now + 10 * MINUTE, lease, players)
    row = queries.speaker(SYSTEM, speaker)
    assert (SpeakerState.DEAD, "HTTP_401", [(events.SPEAKER_DEAD, speaker)]) == (row.state, row.reason, told())
    check(now + 80 * MINUTE, lease, players)
    assert (SpeakerState.OK, "") == (queries.speaker(SYSTEM, speaker).state, queries.speaker(SYSTEM, speaker).reason)
    assert [(events.SPEAKER_DEAD, speaker), (events.SPEAKER_BACK, speaker)] == told()


def test_the_hour_is_a_setting_of_the_area(
    install: Install, devices: dict[str, Told], area: int, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    install(checked=False)
    set_setting(area, "notify.speaker_check_hour", 15, now=now)
    assert now + 5 * HOUR == check(now, lease, players)
    with pytest.raises(SettingInvalid):
        set_setting(area, "notify.speaker_check_hour", 3, now=now)


def test_a_check_that_would_be_heard_waits_for_the_morning_and_a_silent_one_does_not(
    install: Install, devices: dict[str, Told], lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    install("http://horn", kind="horn")
    install("http://camera", kind="isapi")
    night = now + 12 * HOUR
    Speaker.objects.update(check_at=night)
    assert now + 23 * HOUR == check(night, lease, players)
    assert ["http://camera"] == list(devices)


def test_one_that_is_off_is_not_looked_at(
    install: Install, devices: dict[str, Told], lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    speaker = install(checked=False)
    actions.switch_speaker(speaker, enabled=False, by=1, now=now)
    actions.switch_speaker(speaker, enabled=False, by=1, now=now)
    assert None is check(now, lease, players)
    assert {} == devices
    actions.switch_speaker(speaker, enabled=True, by=1, now=now)
    check(now, lease, players)
    assert ["http://a"] == list(devices)
    changes = [event.payload["enabled"] for event in events_after(0, kinds=[events.SPEAKER_CHANGED])]
    assert [True, False, True] == changes  # nothing for what was so already
    with pytest.raises(NotFound):
        actions.switch_speaker(999, enabled=True, by=None, now=now)


def test_a_kind_that_raises_in_a_check_has_failed(
    install: Install, devices: dict[str, Told], lease: Lease, players: InlinePlayers, now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = devices["http://a"] = Told()
    monkeypatch.setattr(broken, "check", lambda http: 1 / 0)
    speaker = install(checked=False)
    check(now, lease, players)
    assert "SPEAKER_BROKEN" == queries.speaker(SYSTEM, speaker).reason


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"code": "东岸 1"}, "code"), ({"code": ""}, "code"), ({"name": ""}, "name"), ({"name": "名" * 81}, "name"), ({"kind": "pigeon"}, "kind"),
    ({"settings": {"url": ""}}, "url"), ({"settings": {"url": "http://a", "loudness": "loud"}}, "loudness"),
    ({"settings": {"url": "http://a", "night_loudness": "101"}}, "night_loudness"),
    ({"settings": {"url": "http://a", "night_from": "24:00"}}, "night_from"), ({"settings": {"url": "h" * 301}}, "url"),
]


@pytest.mark.parametrize(("wrong", "field"), WRONG)
def test_what_cannot_be_kept_is_said(area: int, now: datetime, wrong: dict[str, Any], field: str) -> None:
    given = {"code": "SP-1", "kind": "isapi", "name": "东岸", "settings": {"url": "http://a"}, **wrong}
    with pytest.raises(SpeakerInvalid) as error:
        actions.save_speaker(None, **given, area_id=area, now=now)
    assert field == error.value.params["name"]
    assert error.value.text("zh") and error.value.text("en")
    assert 0 == Speaker.objects.count()


def test_a_number_is_used_once(install: Install, area: int, now: datetime) -> None:
    install()
    with pytest.raises(SpeakerInvalid):
        actions.save_speaker(None, code="SP-1", kind="isapi", name="西岸", settings={"url": "http://b"}, area_id=area, now=now)
    with pytest.raises(NotFound):
        actions.save_speaker(999, code="SP-9", kind="isapi", name="西岸", settings={"url": "http://b"}, area_id=area, now=now)


def test_a_secret_is_kept_apart_and_stays_where_none_is_given(install: Install, area: int, now: datetime) -> None:
    speaker = install(secret="an-invented-password")
    given = {"code": "SP-1", "kind": "isapi", "name": "西岸", "settings": {"url": "http://b"}, "area_id": area, "now": now}
    actions.save_speaker(speaker, **given)
    assert "an-invented-password" == queries.speaker_secret(speaker)
    row = queries.speaker(SYSTEM, speaker)
    assert row.has_secret and "password" not in repr(row)
    assert "password" not in str(events_after(0, kinds=[events.SPEAKER_CHANGED]))


def test_the_loudspeakers_of_cameras(install: Install, area: int, now: datetime) -> None:
    path = Speaker.objects.get(pk=install()).path
    one, other = add_things([NewThing(f"CAM-{n}", "CAMERA", "摄像机", (), area, path) for n in (1, 2)], now=now)
    mine, off = install(thing_id=one.thing_id), install(thing_id=one.thing_id, enabled=False)
    assert {one.thing_id: [mine]} == {thing: [row.id for row in rows] for thing, rows in queries.speakers_of_things([one.thing_id, other.thing_id]).items()}
    assert "CAM-1" == queries.thing_of(off)


def test_loudspeakers_follow_their_area(install: Install, area: int, now: datetime) -> None:
    speaker = install()
    old = Speaker.objects.get(pk=speaker).path
    on_moves([Event(1, now, AREA_MOVED, 1, area, {"from": old, "to": f"/99{old}"}, None)])
    assert f"/99{old}" == Speaker.objects.get(pk=speaker).path


def test_another_process_looks_at_what_a_killed_one_did_not_record(
    install: Install, devices: dict[str, Told], lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    install(checked=False)
    check_speakers(now, lease=lease, players=InlinePlayers(players.http))
    later = now + timedelta(days=2)
    taken = take_lease(lease.name, "b", now=later, ttl=60 * S)
    assert taken is not None
    check(later, taken, players)
    assert 2 == devices["http://a"].checked


def test_an_area_below_is_listed_with_those_above(install: Install, area: int, now: datetime) -> None:
    village = add_area(parent_id=area, name="示范村", now=now)
    install(), install(area_id=village)
    rows, total = queries.speakers(SYSTEM, text="示范水库")
    assert (["SP-1", "SP-2"], 2) == ([row.code for row in rows], total)
