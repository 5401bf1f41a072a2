"""Who sounds now, what follows an outcome, how loud, and when a loudspeaker is looked at."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.notify.contract import Delivered, Missing, Outcome, Rejected, Retry, Sent, Unknown
from shouwang.notify.rules.sounds import (
    AfterCheck,
    AfterPlay,
    Alive,
    Loudness,
    SoundState,
    SpeakerState,
    after_check,
    after_death,
    after_play,
    is_quiet,
    next_check_at,
    plan,
)

NOW = datetime(2026, 7, 15, 4, 0, tzinfo=UTC)  # noon at Shanghai
S = timedelta(seconds=1)
HOUR = timedelta(hours=1)


def alive(number: int, speaker: int = 1, *, severity: int = 3, due_s: float = 0, until_s: float = 5, **changes: object) -> Alive:
    due_at = NOW + due_s * S
    found = Alive(number, speaker, severity, SoundState.PENDING, due_at, due_at + until_s * S, due_at, 0, None)
    return replace(found, **changes)  # type: ignore[arg-type]


def planned(*sounds: Alive, playing: set[int] = frozenset(), busy: set[int] = frozenset()) -> tuple[list[int], list[int], list[int], float | None]:  # type: ignore[assignment]
    found = plan(sounds, now=NOW, fence=7, playing=playing, busy=busy)
    ids = [[each.id for each in some] for some in (found.due, found.late, found.orphans)]
    return ids[0], ids[1], ids[2], None if found.next_at is None else (found.next_at - NOW) / S


def test_the_gravest_sounds_first_and_one_at_a_time_on_a_loudspeaker() -> None:
    assert ([2, 3], [], [], 5.0) == planned(alive(1), alive(2, severity=4), alive(3, speaker=2))
    assert ([1], [], [], 4.0) == planned(alive(1, due_s=-1), alive(2), alive(3, due_s=8), alive(4, due_s=-1))


def test_a_loudspeaker_that_sounds_waits_and_another_does_not() -> None:
    sounding = alive(1, state=SoundState.LEASED, again_at=NOW + 50 * S, fence=7)
    assert ([3], [], [], 5.0) == planned(sounding, alive(2), alive(3, speaker=2), playing={1})
    assert ([3], [], [], 5.0) == planned(alive(2), alive(3, speaker=2), busy={1})


def test_the_next_pass_comes_exactly_when_the_next_is_due() -> None:
    assert ([], [], [], 8.0) == planned(alive(1, due_s=8), alive(2, due_s=20))
    assert ([], [], [], None) == planned()


def test_what_is_too_late_is_never_begun() -> None:
    assert ([], [1], [], None) == planned(alive(1, due_s=-5, until_s=5))


def test_what_has_lost_its_player_is_taken_up_at_once_by_whoever_comes_after() -> None:
    sounding = alive(1, state=SoundState.LEASED, again_at=NOW + 50 * S, fence=6)
    assert ([], [], [1], 0.0) == planned(sounding)
    assert ([], [], [], None) == planned(sounding, playing={1})  # its own, under an older fence
    assert ([], [], [], 50.0) == planned(replace(sounding, fence=7))  # somebody of this fence still may
    assert ([], [], [1], 0.0) == planned(replace(sounding, fence=7, again_at=NOW))


@given(st.lists(st.builds(
    alive, st.integers(1, 9), st.integers(1, 3), severity=st.integers(1, 4), due_s=st.integers(-9, 9), until_s=st.integers(1, 9),
), unique_by=lambda each: each.id), st.sets(st.integers(1, 3)))
def test_every_sound_is_begun_ended_or_waits_for_a_stated_moment(sounds: list[Alive], busy: set[int]) -> None:
    found = plan(sounds, now=NOW, fence=7, playing=(), busy=busy)
    begun, late = {each.id for each in found.due}, {each.id for each in found.late}
    assert not begun & late
    assert not {each.speaker_id for each in found.due} & busy
    assert len(begun) == len({each.speaker_id for each in found.due})
    for each in sounds:
        if each.id not in begun | late:
            assert found.next_at is not None
            assert NOW < found.next_at <= (each.not_after if each.due_at <= NOW else each.due_at)


LATER = NOW + 60 * S
AFTER: list[tuple[Outcome | None, int, datetime, AfterPlay]] = [
    (Sent(), 1, LATER, AfterPlay(SoundState.PLAYED)),
    (Delivered(), 1, LATER, AfterPlay(SoundState.PLAYED)),
    (Rejected("HTTP_401"), 1, LATER, AfterPlay(SoundState.FAILED, "HTTP_401")),
    (Rejected("the device of Li"), 1, LATER, AfterPlay(SoundState.FAILED, "OTHER")),  # only codes are kept
    (Unknown("TIMEOUT"), 1, LATER, AfterPlay(SoundState.UNKNOWN, "TIMEOUT")),  # it may have sounded: not again
    (Missing(), 1, LATER, AfterPlay(SoundState.FAILED, "MISSING")),
    (None, 1, LATER, AfterPlay(SoundState.LATE, "LATE")),
    (Retry(0.1, "NO_CONNECTION"), 1, LATER, AfterPlay(SoundState.PENDING, "NO_CONNECTION", NOW + 1 * S)),
    (Retry(900.0, "HTTP_503"), 1, LATER, AfterPlay(SoundState.PENDING, "HTTP_503", NOW + 30 * S)),
    (Retry(5.0, "NO_CONNECTION"), 3, LATER, AfterPlay(SoundState.FAILED, "NO_CONNECTION")),  # three times are enough
    (Retry(5.0, "NO_CONNECTION"), 1, NOW + 5 * S, AfterPlay(SoundState.FAILED, "NO_CONNECTION")),  # it would be too late
]


@pytest.mark.parametrize(("outcome", "attempts", "not_after", "expected"), AFTER)
def test_each_outcome_has_one_end_or_a_next_time(outcome: Outcome | None, attempts: int, not_after: datetime, expected: AfterPlay) -> None:
    assert expected == after_play(outcome, attempts=attempts, now=NOW, not_after=not_after)


def test_a_dead_players_sound_is_played_once_more_at_most() -> None:
    assert AfterPlay(SoundState.PENDING, "PLAYER_DIED", NOW) == after_death(attempts=1, now=NOW, not_after=LATER)
    assert AfterPlay(SoundState.UNKNOWN, "PLAYER_DIED") == after_death(attempts=2, now=NOW, not_after=LATER)
    assert AfterPlay(SoundState.UNKNOWN, "PLAYER_DIED") == after_death(attempts=1, now=NOW, not_after=NOW)


@pytest.mark.parametrize(
    ("settings", "local_hour", "percent"),
    [
        ({}, 12, 100), ({}, 22, 60), ({}, 6, 60), ({}, 7, 100),  # as shipped
        ({"loudness": "80", "night_loudness": "0", "night_from": "12:30", "night_to": "14:00"}, 12, 80),
        ({"loudness": "80", "night_loudness": "0", "night_from": "12:30", "night_to": "14:00"}, 13, 0),
        ({"night_from": "12:00", "night_to": "12:00"}, 12, 100),  # no night
        ({"loudness": "loud", "night_from": "25:00"}, 22, 60),  # malformed: as shipped
        ({"loudness": "900"}, 12, 100),
    ],
)
def test_the_loudness_goes_by_the_local_hour(settings: dict[str, str], local_hour: int, percent: int) -> None:
    assert percent == Loudness.of(settings).at(NOW + (local_hour - 12) * HOUR)


def local(day: int, hour: int) -> datetime:
    return datetime(2026, 7, day, hour, tzinfo=UTC) - 8 * HOUR


@pytest.mark.parametrize(
    ("now", "hour", "at"),
    [
        (local(15, 8), 9, local(15, 9)), (local(15, 9), 9, local(16, 9)), (local(15, 23), 9, local(16, 9)),
        (local(15, 12), 3, local(16, 7)),  # an hour of the night is moved to its end
    ],
)
def test_loudspeakers_are_looked_at_daily(now: datetime, hour: int, at: datetime) -> None:
    assert at == next_check_at(now, hour=hour)


def checked(is_well: bool, was: SpeakerState, failures: int, now: datetime = NOW) -> AfterCheck:
    return after_check(is_well=is_well, was=was, failures=failures, now=now, hour=9)


def test_one_is_dead_after_two_failed_checks_ten_minutes_apart_and_back_after_one_good() -> None:
    assert AfterCheck(SpeakerState.OK, 1, NOW + 10 * 60 * S) == checked(False, SpeakerState.OK, 0)
    assert AfterCheck(SpeakerState.DEAD, 2, NOW + HOUR) == checked(False, SpeakerState.OK, 1)
    assert AfterCheck(SpeakerState.DEAD, 3, NOW + HOUR) == checked(False, SpeakerState.DEAD, 2)
    assert AfterCheck(SpeakerState.OK, 0, local(16, 9)) == checked(True, SpeakerState.DEAD, 2)
    assert AfterCheck(SpeakerState.UNKNOWN, 1, NOW + 10 * 60 * S) == checked(False, SpeakerState.UNKNOWN, 0)


def test_a_dead_one_is_not_looked_at_in_the_quiet_of_night() -> None:
    late = local(15, 20) + 30 * 60 * S
    assert AfterCheck(SpeakerState.DEAD, 2, local(16, 9)) == checked(False, SpeakerState.OK, 1, late)
    assert [True, False, False, True] == [is_quiet(local(15, hour)) for hour in (6, 7, 20, 21)]
