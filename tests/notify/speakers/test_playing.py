"""Passes over the sounds: the ladder at its moments, one at a time on a loudspeaker, and an end for every sound."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from shouwang.journal.actions import take_lease
from shouwang.journal.queries import events_after
from shouwang.journal.rules import Lease, LeaseLost
from shouwang.notify import actions, events, queries
from shouwang.notify.contract import Rejected, Retry, Sent, Unknown
from shouwang.notify.jobs import InlinePlayers, Players, play_due, tidy_sounds
from shouwang.notify.models import Sound, Speaker
from shouwang.notify.rules.audio import loudness_of, tone
from shouwang.notify.rules.errors import SoundInvalid
from shouwang.notify.rules.g711 import Samples
from shouwang.notify.rules.sounds import SpeakerState
from shouwang.notify.speaking.recorded import recorded
from tests.notify.speakers.conftest import Install, Queue, S, Told

KINDS = [events.SOUND_PLAYED, events.SOUND_FAILED, events.SPEAKER_DEAD, events.SPEAKER_BACK]
Devices = dict[str, Told]


def states(ladder: str = "7") -> list[str]:
    return [each.state.name for each in queries.sounds_of_ladders([ladder]).get(ladder, [])]


def told() -> list[tuple[str, str]]:
    """Return the kinds and reasons of what was published."""
    return [(event.kind.removeprefix("notify."), event.payload.get("reason", "")) for event in events_after(0, kinds=KINDS)]


def play(at: datetime, lease: Lease, players: InlinePlayers) -> float | None:
    """Make passes at one moment until nothing comes back any more; return in how many seconds the next is wanted."""
    for _ in range(9):
        made = play_due(at, lease=lease, players=players)
        if not players.finished() and made.next_at != at:
            break
    return None if made.next_at is None else (made.next_at - at) / S


def test_a_ladder_sounds_at_its_moments(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    speaker = install()
    for n, (in_s, prompt) in enumerate([(0, "WATER_EDGE"), (8, "WATER_EDGE_FIRM"), (20, "WATER_EDGE_LAST")]):
        queue(speaker, f"7:{n}", in_s=in_s, prompt=prompt)
    assert 8.0 == play(now, lease, players)
    assert 12.0 == play(now + 8 * S, lease, players)
    assert None is play(now + 20 * S, lease, players)
    assert ["WATER_EDGE", "WATER_EDGE_FIRM", "WATER_EDGE_LAST"] == [each.prompt for each in devices["http://a"].taken]
    rows = queries.sounds_of_ladders(["7", "8"])
    assert ["7"] == list(rows)
    assert [0.0, 8.0, 20.0] == [(row.played_at - now) / S for row in rows["7"] if row.played_at]
    played = events_after(0, kinds=KINDS)
    assert [events.SOUND_PLAYED] * 3 == [event.kind for event in played]
    assert {"sound", "key", "ladder", "prompt", "attempts", "due_at_us", "state", "reason", "played_at_us"} == set(played[0].payload)
    assert speaker == played[0].subject_id


def test_a_sound_is_queued_once(install: Install, queue: Queue, now: datetime) -> None:
    speaker = install()
    queue(speaker)
    queue(speaker, prompt="WATER_EDGE_FIRM")
    assert ["WATER_EDGE"] == [row.prompt for row in Sound.objects.all()]


@pytest.mark.parametrize(
    "wrong", [{"key": ""}, {"key": "k" * 81}, {"prompt": "../x"}, {"loudness": 101}, {"until_s": 0}, {"ladder": "7" * 65}],
)
def test_what_cannot_be_queued_is_said(install: Install, queue: Queue, wrong: dict[str, object]) -> None:
    with pytest.raises(SoundInvalid):
        queue(install(), **{"key": "7:0", **wrong})
    assert [] == states()


def test_what_has_not_begun_of_a_ladder_is_dropped(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    speaker = install()
    queue(speaker, "7:0")
    queue(speaker, "7:1", in_s=8)
    queue(speaker, "8:0", in_s=8, ladder="8")
    play(now, lease, players)
    assert 1 == actions.drop_ladder("7", now=now + 1 * S)
    assert 0 == actions.drop_ladder("7", now=now + 1 * S)
    assert (["PLAYED", "DROPPED"], ["PENDING"]) == (states(), states("8"))


OUTCOMES = [
    ([Rejected("HTTP_401")], "FAILED", ("sound_failed", "HTTP_401")),
    ([Unknown("TIMEOUT")], "UNKNOWN", ("sound_failed", "TIMEOUT")),
    ([Retry(1.0, "NO_CONNECTION"), Sent()], "PLAYED", ("sound_played", "")),
    ([Retry(1.0, "NO_CONNECTION")] * 9, "FAILED", ("sound_failed", "NO_CONNECTION")),
]


@pytest.mark.parametrize(("answers", "state", "event"), OUTCOMES)
def test_every_sound_ends_and_is_published(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime, answers: list, state: str,
    event: tuple[str, str],
) -> None:
    devices["http://a"] = Told(list(answers))
    queue(install())
    at = now
    for _ in range(9):
        wait_s = play(at, lease, players)
        if wait_s is None:
            break
        at += wait_s * S
    assert ([state], [event]) == (states(), told())


def test_what_is_late_is_never_played(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    speaker = install()
    queue(speaker, until_s=5)
    queue(speaker, "7:1", in_s=-9, until_s=5)  # over before it was queued: the alarm it belongs to must be kept all the same
    play(now + 5 * S, lease, players)
    assert (["LATE"] * 2, [("sound_failed", "LATE")] * 2, {}) == (states(), told(), devices)


def test_a_loudspeaker_that_is_off_or_of_no_known_kind_fails(
    install: Install, queue: Queue, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    off, unknown = install(), install()
    actions.switch_speaker(off, enabled=False, by=None, now=now)
    Speaker.objects.filter(pk=unknown).update(kind="gone")
    queue(off, "7:0")
    queue(unknown, "7:1")
    play(now, lease, players)
    assert [("sound_failed", "SPEAKER_OFF"), ("sound_failed", "KIND_UNKNOWN")] == told()


def test_a_kind_that_raises_holds_up_no_other(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime, monkeypatch: pytest.MonkeyPatch,
) -> None:
    broken = devices["http://a"] = Told()
    monkeypatch.setattr(broken, "play", lambda clip, http: 1 / 0)
    queue(install("http://a"), "7:0")
    queue(install("http://b"), "7:1")
    play(now, lease, players)
    assert ["UNKNOWN", "PLAYED"] == states()


def test_when_its_player_is_killed_a_sound_is_played_once_more_and_then_given_up(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    queue(install(), until_s=600)
    for died in range(2):
        play_due(now + died * 11 * S, lease=lease, players=InlinePlayers(players.http))  # sent, and killed before it recorded
        lease = _after(lease, now + (died + 1) * 11 * S)
        play_due(now + (died + 1) * 11 * S, lease=lease, players=players)
    assert (["UNKNOWN"], [("sound_failed", "PLAYER_DIED")]) == (states(), told())
    assert 2 == len(devices["http://a"].taken)
    assert 2 == queries.sounds_of_ladders(["7"])["7"][0].attempts


def test_when_its_player_is_killed_and_its_time_is_over_nobody_knows_and_the_next_sounds_in_time(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    speaker = install()
    queue(speaker, "7:0")
    queue(speaker, "7:1", in_s=12)
    play_due(now, lease=lease, players=InlinePlayers(players.http))
    play(now + 12 * S, _after(lease, now + 12 * S), players)
    assert ["UNKNOWN", "PLAYED"] == states()
    assert [False, True] == [clip.was_cut for clip in devices["http://a"].taken]  # what the killed one left open may be closed
    assert Speaker.objects.get(pk=speaker).check_at == now + 12 * S  # and it is looked at soon


def test_whoever_was_taken_over_records_nothing(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    queue(install(), until_s=600)
    play_due(now, lease=lease, players=players)
    _after(lease, now + 11 * S)
    with pytest.raises(LeaseLost):
        play_due(now + 11 * S, lease=lease, players=players)
    assert ["LEASED"] == states()


def _after(lease: Lease, at: datetime) -> Lease:
    """Return the lease of another process that has waited for the end of `lease`."""
    taken = take_lease(lease.name, f"{lease.owner}+", now=at + timedelta(days=2 * lease.fence), ttl=timedelta(days=1))
    assert taken is not None
    return taken


def test_the_loudness_is_that_of_the_hour_and_of_the_sound(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    queue(install(settings={"loudness": "80", "night_from": "00:00", "night_to": "00:00"}), loudness=50)
    play(now, lease, players)
    (clip,) = devices["http://a"].taken
    assert 40 == clip.loudness
    assert abs(loudness_of(clip.samples) / loudness_of(recorded("WATER_EDGE")) - 0.4) < 0.01


class Voice:
    """A voice that hums for as many tenths of a second as there are characters."""

    def speak(self, text: str) -> Samples | None:
        return tone(300, len(text) / 10, share=0.5) if text != "说不出" else None


@pytest.mark.parametrize(("said", "is_spoken"), [("小朋友请回家", True), ("说不出", False), ("", False), ("话" * 121, False)])
def test_other_words_are_spoken_where_there_is_a_voice(
    install: Install, queue: Queue, devices: Devices, lease: Lease, http: httpx.Client, now: datetime, said: str, is_spoken: bool,
) -> None:
    queue(install(), said=said)
    play(now, lease, InlinePlayers(http, Voice()))
    (clip,) = devices["http://a"].taken
    assert is_spoken == clip.is_spoken
    assert (round(len(said) * 800) if is_spoken else len(recorded("WATER_EDGE"))) == len(clip.samples)


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with httpx.Client() as http:
        yield http


def test_a_loudspeaker_that_was_heard_is_well_and_one_that_was_not_is_looked_at(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    speaker, other = install("http://a"), install("http://b")
    devices["http://b"] = Told([Rejected("HTTP_401")])
    Speaker.objects.filter(pk=speaker).update(state=SpeakerState.DEAD, failures=2, reason="NO_CONNECTION")
    queue(speaker, "7:0")
    queue(other, "7:1")
    play(now, lease, players)
    assert (SpeakerState.OK, "") == tuple(Speaker.objects.values_list("state", "reason").get(pk=speaker))
    assert now == Speaker.objects.get(pk=other).check_at
    assert [("sound_played", ""), ("speaker_back", ""), ("sound_failed", "HTTP_401")] == told()


def run(lease: Lease, *, players: Players, bell: threading.Event, until: int) -> None:
    """Work as the process does: a pass, then a sleep to the next moment or the bell, until `until` sounds have ended."""
    give_up_s = time.monotonic() + 20
    while Sound.objects.filter(done_at__isnull=False).count() < until:
        assert time.monotonic() < give_up_s
        now = datetime.now(UTC)
        made = play_due(now, lease=lease, players=players)
        wait_s = 1.0 if made.next_at is None else (made.next_at - datetime.now(UTC)).total_seconds()
        bell.wait(max(0.0, min(wait_s, 1.0)))
        bell.clear()


@pytest.fixture
def bell() -> threading.Event:
    return threading.Event()


@pytest.fixture
def threads(http: httpx.Client, bell: threading.Event) -> Iterator[Players]:
    players = Players(http, on_done=bell.set)
    yield players
    players.close()


def test_a_sound_begins_at_its_moment(
    install: Install, queue: Queue, devices: Devices, lease: Lease, threads: Players, bell: threading.Event,
) -> None:
    at = datetime.now(UTC)
    queue(install(), prompt="TEST_TONE", in_s=0.8, at=at)
    run(lease, players=threads, bell=bell, until=1)
    (row,) = queries.sounds_of_ladders(["7"])["7"]
    assert row.played_at is not None
    assert 0.0 <= (row.played_at - row.due_at) / S < 0.1


def test_a_slow_loudspeaker_holds_up_no_other_and_its_own_next_waits(
    install: Install, queue: Queue, devices: Devices, lease: Lease, threads: Players, bell: threading.Event,
) -> None:
    slow = devices["http://a"] = Told(held=threading.Event())
    at, one = datetime.now(UTC), install("http://a")
    queue(one, "7:0", prompt="TEST_TONE", at=at)
    queue(one, "7:1", prompt="TEST_TONE", in_s=0.1, at=at)
    queue(install("http://b"), "8:0", prompt="TEST_TONE", in_s=0.1, at=at, ladder="8")
    run(lease, players=threads, bell=bell, until=1)
    assert (["LEASED", "PENDING"], ["PLAYED"]) == (states(), states("8"))
    slow.held.set()  # type: ignore[union-attr]
    run(lease, players=threads, bell=bell, until=3)
    assert ["PLAYED", "PLAYED"] == states()


def test_a_device_that_takes_a_sound_at_once_still_sounds_for_its_length(
    install: Install, queue: Queue, devices: Devices, lease: Lease, threads: Players, bell: threading.Event,
) -> None:
    at, speaker = datetime.now(UTC), install()
    for n in range(2):
        queue(speaker, f"7:{n}", prompt="TEST_TONE", at=at)
    run(lease, players=threads, bell=bell, until=2)
    first, second = (row.played_at for row in queries.sounds_of_ladders(["7"])["7"])
    assert first is not None and second is not None
    assert (second - first) / S >= 0.5


def test_what_would_begin_too_late_in_its_thread_is_not_begun(
    install: Install, queue: Queue, devices: Devices, lease: Lease, http: httpx.Client, bell: threading.Event,
) -> None:
    speaker, other = install("http://a"), install("http://b")
    devices["http://a"] = Told(held=threading.Event())
    players = Players(http, on_done=bell.set, most=1)
    at = datetime.now(UTC)
    players._pool._max_workers = 1  # the second waits for the first's thread
    queue(speaker, "7:0", prompt="TEST_TONE", at=at)
    queue(other, "7:1", prompt="TEST_TONE", at=at, until_s=0.3)
    players._most = 2
    play_due(datetime.now(UTC), lease=lease, players=players)
    bell.wait(0.5)
    devices["http://a"].held.set()  # type: ignore[union-attr]
    run(lease, players=players, bell=bell, until=2)
    players.close()
    assert sorted(["PLAYED", "LATE"]) == sorted(states())
    assert "http://b" not in devices


def test_words_are_spoken_before_they_are_due(http: httpx.Client, bell: threading.Event) -> None:
    asked: list[str] = []

    class Slow:
        def speak(self, text: str) -> Samples | None:
            asked.append(text)
            bell.set()
            return tone(300, 0.1, share=0.5)

    players = Players(http, voice=Slow(), on_done=bell.set)
    players.prepare(["小朋友请回家"])
    players.close()
    assert players._spoken.of("小朋友请回家") is not None
    assert ["小朋友请回家"] == asked


def test_words_that_are_being_spoken_are_not_spoken_twice(http: httpx.Client, bell: threading.Event) -> None:
    asked: list[str] = []

    class Counting:
        def speak(self, text: str) -> Samples | None:
            asked.append(text)
            return None

    players = Players(http, voice=Counting(), on_done=bell.set)
    for texts in (["甲"], ["甲", "乙"], ["乙"], [], ["乙"]):
        players.prepare(texts)
    players.close()
    assert ["乙", "乙", "甲"] == sorted(asked)


def test_a_recording_that_is_gone_fails_the_sound_and_no_other(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    queue(install("http://a"), "7:0")
    queue(install("http://b"), "7:1")
    Sound.objects.filter(key="7:0").update(prompt="GONE")
    play(now, lease, players)
    assert [("sound_failed", "NO_PROMPT"), ("sound_played", "")] == told()


def test_what_ended_long_ago_is_forgotten(
    install: Install, queue: Queue, devices: Devices, lease: Lease, players: InlinePlayers, now: datetime,
) -> None:
    speaker = install()
    queue(speaker, "7:0")
    play(now, lease, players)
    queue(speaker, "7:1", in_s=86_400 * 500)
    assert 0 == tidy_sounds(now + timedelta(days=400))
    assert 1 == tidy_sounds(now + timedelta(days=401))
    assert ["PENDING"] == states()
