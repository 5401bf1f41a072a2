"""What a camera's event means: a table of events and verdicts, and what must hold for all of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.systems.drowning.rules.judging import NEAR, Known, Near, Seen, Verdict, judge
from shouwang.systems.drowning.rules.kinds import ALONE_AT_NIGHT, CHILD, ENTERED, GROUP, PERSON, SEVERITY, STAY, UNSURE
from shouwang.systems.drowning.rules.zones import Zone

NOW = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
SHORE = Zone(1, "shore", "SHORE", ((0, 0.5), (1, 0.5), (1, 0.8), (0, 0.8)))
WATER = Zone(2, "water", "WATER", ((0, 0.8), (1, 0.8), (1, 1), (0, 1)))
ZONES = (SHORE, WATER)
ON_SHORE, IN_WATER, ABOVE = (0.4, 0.4, 0.5, 0.7), (0.4, 0.6, 0.5, 0.9), (0.4, 0.1, 0.5, 0.4)


def seen(**more: object) -> Seen:
    return replace(Seen("ENTER", "START", "HUMAN", "cam:1", NOW, ON_SHORE), **more)  # type: ignore[arg-type]


def near(who: str = "cam:2", *, band: str = "SHORE", since_s: float = 5, last_s: float = 1) -> Near:
    return Near(who, band, NOW - timedelta(seconds=since_s), NOW - timedelta(seconds=last_s))


@pytest.mark.parametrize(("event", "others", "verdict", "kind"), [
    (seen(), [], Verdict.ALARM, PERSON),
    (seen(box=ABOVE), [], Verdict.OUTSIDE, ""),
    (seen(object="VEHICLE"), [], Verdict.NO_PERSON, ""),
    (seen(object="ANIMAL"), [], Verdict.NO_PERSON, ""),
    (seen(object="UNKNOWN"), [], Verdict.ALARM, PERSON),
    (seen(state="STOP"), [], Verdict.LEFT, ""),
    (seen(kind="STAY"), [], Verdict.ALARM, STAY),
    (seen(kind="CROWD"), [], Verdict.ALARM, GROUP),
    (seen(box=IN_WATER), [], Verdict.ALARM, ENTERED),
    (seen(box=IN_WATER), [near("cam:1", band="WATER")], Verdict.ALARM, PERSON),
    (seen(box=IN_WATER), [near("cam:1", band="SHORE")], Verdict.ALARM, ENTERED),
    (seen(is_child=True), [], Verdict.ALARM, CHILD),
    (seen(is_unsure=True, is_child=True), [], Verdict.ALARM, UNSURE),
    (seen(), [near("a"), near("b")], Verdict.ALARM, GROUP),
    (seen(), [near("a"), near("b", last_s=31)], Verdict.ALARM, PERSON),
    (seen(count=3), [], Verdict.ALARM, GROUP),
    (seen(box=None, rule="water"), [], Verdict.ALARM, ENTERED),
    (seen(box=None, rule="no such"), [], Verdict.ALARM, ENTERED),
])
def test_an_event_gets_its_verdict(event: Seen, others: list[Near], verdict: Verdict, kind: str) -> None:
    found = judge(event, zones=ZONES, near=others, known=None, is_night=False)
    assert (found.verdict, found.kind) == (verdict, kind)


def test_without_zones_the_cameras_own_rule_counts() -> None:
    assert judge(seen(box=ABOVE), zones=(), near=(), known=None, is_night=False).kind == PERSON


def test_alone_at_night_is_graver_and_two_are_not_alone() -> None:
    assert judge(seen(), zones=ZONES, near=(), known=None, is_night=True).kind == ALONE_AT_NIGHT
    assert judge(seen(), zones=ZONES, near=[near()], known=None, is_night=True).kind == PERSON


def test_who_is_known_raises_nothing_until_then_and_one_more_does() -> None:
    known = Known(NOW + timedelta(hours=1), 2)
    assert judge(seen(), zones=ZONES, near=[near()], known=known, is_night=False).verdict == Verdict.KNOWN
    assert judge(seen(), zones=ZONES, near=[near("a"), near("b")], known=known, is_night=False).verdict == Verdict.ALARM
    assert judge(seen(), zones=ZONES, near=(), known=Known(NOW, 2), is_night=False).verdict == Verdict.ALARM


def test_a_zone_that_asks_for_a_stay_waits_for_it() -> None:
    slow = (replace(SHORE, stay_s=10),)
    assert judge(seen(), zones=slow, near=(), known=None, is_night=False).verdict == Verdict.NOT_YET
    assert judge(seen(), zones=slow, near=[near("cam:1", since_s=9)], known=None, is_night=False).verdict == Verdict.NOT_YET
    assert judge(seen(), zones=slow, near=[near("cam:1", since_s=10)], known=None, is_night=False).verdict == Verdict.ALARM
    assert judge(seen(kind="STAY"), zones=slow, near=(), known=None, is_night=False).verdict == Verdict.ALARM


@given(
    st.sampled_from(["ENTER", "CROSS", "STAY", "CROWD"]), st.sampled_from(["START", "STOP", "PULSE"]), st.sampled_from(["HUMAN", "UNKNOWN", "VEHICLE", "ANIMAL"]),
    st.tuples(*[st.floats(0, 1)] * 4), st.integers(0, 5), st.booleans(), st.booleans(), st.booleans(),
)
def test_every_event_gets_one_verdict_and_every_alarm_a_severity(
    kind: str, state: str, what: str, box: tuple[float, float, float, float], others: int, night: bool, unsure: bool, child: bool,
) -> None:
    event = seen(kind=kind, state=state, object=what, box=box, is_unsure=unsure, is_child=child)
    found = judge(event, zones=ZONES, near=[near(f"cam:{n + 5}") for n in range(others)], known=None, is_night=night)
    assert (found.verdict == Verdict.ALARM) == (found.kind in SEVERITY)
    if found.verdict == Verdict.ALARM:
        assert found.persons == others + 1
        assert found.zone is not None


@given(st.floats(0, 100))
def test_more_persons_never_make_an_alarm_into_none(last_s: float) -> None:
    alone = judge(seen(), zones=ZONES, near=(), known=None, is_night=False)
    company = judge(seen(), zones=ZONES, near=[near(last_s=last_s), near("x", last_s=last_s)], known=None, is_night=False)
    assert alone.verdict == company.verdict == Verdict.ALARM
    assert SEVERITY[company.kind] >= SEVERITY[alone.kind]
    assert company.persons == (3 if last_s <= NEAR.total_seconds() else 1)
