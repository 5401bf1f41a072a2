"""How often a provider takes a message: never more than it says, the urgent before the calm, nothing left behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shouwang.notify.rules.rates import MARGIN_S, MOST_TOGETHER, Rate, Target, Turns, Use, free_at

NOW = datetime(2026, 1, 15, 2, 0, tzinfo=UTC)
ROBOT = Target("dingtalk", "r", Rate(20, 60.0, "robot"), is_shared=True)
PHONE = Target("voice", "p", Rate(3, 900.0, "address"), is_shared=False)


def s(n: float) -> timedelta:
    return timedelta(seconds=n)


@pytest.mark.parametrize(
    ("target", "sent_s", "urgent", "pace", "free_s"),
    [
        (ROBOT, [], True, 1, 0),  # never used
        (ROBOT, [0.0], True, 1, 0),  # one turn of twenty
        (ROBOT, [0.0], False, 1, 5),  # calm ones keep five seconds apart
        (ROBOT, [-64.0] * 20, True, 1, 1),  # full: when the first leaves the window of 60 s and a call's 5
        (ROBOT, [-66.0] * 20, True, 1, 0),  # out of the window
        (ROBOT, [-30.0] * 12, False, 1, 35),  # twelve of twenty: the rest is for what is red
        (ROBOT, [-30.0] * 12, True, 1, 0),
        (PHONE, [-100.0, -50.0, -10.0], False, 1, 805),  # an address is nobody else's: no share, no distance
        (PHONE, [-100.0, -50.0], False, 1, 0),
        (ROBOT, [0.0] * 20, True, 60, 3900),  # on a clock that runs sixty times as fast
        (ROBOT, [3600.0] * 20, True, 1, 0),  # from before the clock was set back by an hour
    ],
)
def test_when_a_target_takes_one_more(target: Target, sent_s: list[float], urgent: bool, pace: float, free_s: float) -> None:
    use = Use(tuple(NOW + s(n) for n in sent_s))
    assert NOW + s(free_s) == free_at(use, target, urgent=urgent, now=NOW, pace=pace)


def test_a_blocked_target_takes_nothing_until_its_provider_said() -> None:
    use = Use((), NOW + s(600))
    assert NOW + s(600) == free_at(use, ROBOT, urgent=True, now=NOW, pace=1)
    turns = Turns(NOW, used={ROBOT: use})
    assert not turns.may(ROBOT, urgent=True)
    assert NOW + s(600) == turns.next_at
    assert turns.may(None, urgent=False)  # what has no rate


def test_the_calm_goes_together_and_the_urgent_alone_while_turns_are_plenty() -> None:
    turns = Turns(NOW)
    first = turns.take(ROBOT, urgent=False, exercise_id=None)
    assert [first] * 3 == [turns.join(ROBOT, urgent=False, exercise_id=None) for _ in range(3)]
    assert turns.join(ROBOT, urgent=False, exercise_id=7) is None  # an exercise never mixes with the real
    assert turns.join(ROBOT, urgent=True, exercise_id=None) is None
    red = [turns.take(ROBOT, urgent=True, exercise_id=None) for _ in range(14)]
    assert red[-1] == turns.join(ROBOT, urgent=True, exercise_id=None)  # five turns left: from here on together


def test_a_group_does_not_grow_without_end() -> None:
    turns = Turns(NOW)
    turns.take(ROBOT, urgent=False, exercise_id=None)
    joined = [turns.join(ROBOT, urgent=False, exercise_id=None) for _ in range(MOST_TOGETHER)]
    assert (MOST_TOGETHER - 1, None) == (len([each for each in joined if each is not None]), joined[-1])


def test_an_address_is_never_shared() -> None:
    turns = Turns(NOW)
    turns.take(PHONE, urgent=False, exercise_id=None)
    assert turns.join(PHONE, urgent=False, exercise_id=None) is None


@given(
    arrivals=st.lists(st.tuples(st.integers(0, 120_000), st.booleans()), min_size=1, max_size=150),
    delays=st.lists(st.floats(0, MARGIN_S), min_size=1, max_size=20),
)
@example(arrivals=[(n * 700, True) for n in range(150)], delays=[MARGIN_S] * 20 + [0.0] * 200)  # the first slow, the later quick
def test_a_storm_never_exceeds_the_rate_and_all_of_it_goes(arrivals: list[tuple[int, bool]], delays: list[float]) -> None:
    """Sent at these moments and arriving up to a call's length later, at most twenty arrive in any minute."""
    waiting = sorted((NOW + timedelta(milliseconds=at), urgent) for at, urgent in arrivals)
    use, sent, at, gone = Use(), [], NOW, 0
    while gone < len(waiting):
        turns = Turns(at, used={ROBOT: use})
        due = [each for each in waiting[gone:] if each[0] <= at]
        left = []
        for each in sorted(due, key=lambda pair: not pair[1]):
            if turns.join(ROBOT, urgent=each[1], exercise_id=None) is None:
                if turns.may(ROBOT, urgent=each[1]):
                    turns.take(ROBOT, urgent=each[1], exercise_id=None)
                else:
                    left.append(each)
        sent += turns.taken.get(ROBOT, [])
        use = turns.use_after(ROBOT)
        waiting[gone : gone + len(due)] = [each for each in due if each not in left] + left
        gone += len(due) - len(left)
        at = turns.next_at or (min(waiting[gone:])[0] if gone < len(waiting) else at)
        assert at <= NOW + s(120 + 70 * len(arrivals))
    arrived = sorted(moment + s(delays[n % len(delays)]) for n, moment in enumerate(sent))
    for n, moment in enumerate(arrived):
        assert len([other for other in arrived[n:] if other < moment + s(60)]) <= 20
    assert len(use.sent) <= 20
