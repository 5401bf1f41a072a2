"""The voice: what it says when, and when it is quiet."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shouwang.systems.drowning.rules.errors import KnownWrong
from shouwang.systems.drowning.rules.kinds import CHILD, PERSON
from shouwang.systems.drowning.rules.known import checked
from shouwang.systems.drowning.rules.settings import ALL, manners_of, night_of
from shouwang.systems.drowning.rules.voice import Manners, ladder, may_speak

NOW = datetime(2026, 7, 1, 7, 0, tzinfo=UTC)
NOON, NIGHT = 12 * 60, 23 * 60


def test_the_ladder_speaks_at_once_firmer_after_8_s_and_names_the_place_after_20_s() -> None:
    words = ladder(PERSON, place="东坑塘")
    assert [(each.step, each.after_s, each.prompt) for each in words] == [
        ("STANDARD", 0, "WATER_EDGE"), ("FIRM", 8, "WATER_EDGE_FIRM"), ("NAMED", 20, "WATER_EDGE_LAST"),
    ]
    assert "东坑塘" in words[2].said
    assert ladder(CHILD, place="")[0].prompt == "WATER_EDGE_CHILD"


@pytest.mark.parametrize(("begun_s", "minute", "may"), [
    ([], NOON, True), ([10], NOON, False), ([89], NOON, False), ([90], NOON, True), ([3_700], NOON, True),
    ([100, 400, 800], NIGHT, True), ([100, 400, 800, 1_200], NIGHT, False), ([100, 400, 800, 1_200], NOON, True), ([100, 400, 800, 3_601], NIGHT, True),
])
def test_it_is_quiet_after_it_spoke_and_seldom_at_night(begun_s: list[int], minute: int, may: bool) -> None:
    begun = [NOW - timedelta(seconds=each) for each in begun_s]
    assert may_speak(NOW, begun=begun, minute=minute, manners=Manners()) is may


def test_an_area_without_a_night_speaks_as_by_day() -> None:
    begun = [NOW - timedelta(seconds=each) for each in (100, 400, 800, 1_200)]
    assert may_speak(NOW, begun=begun, minute=NIGHT, manners=Manners(night=None))


def test_settings_become_nights_and_manners() -> None:
    values = {spec.key: spec.default for spec in ALL}
    night = night_of(values)
    assert night is not None
    assert night.hold(23 * 60)
    assert not night.hold(12 * 60)
    assert manners_of(values) == Manners()
    assert night_of({**values, "drowning.night_until": values["drowning.night_from"]}) is None


@pytest.mark.parametrize(("persons", "reason", "hours"), [(0, "钓鱼", 1), (21, "钓鱼", 1), (1, "  ", 1), (1, "钓" * 121, 1), (1, "钓鱼", 0), (1, "钓鱼", 13)])
def test_a_notice_of_known_persons_needs_reason_number_and_end(persons: int, reason: str, hours: int) -> None:
    with pytest.raises(KnownWrong):
        checked(persons=persons, reason=reason, until=NOW + timedelta(hours=hours), now=NOW)


def test_a_good_notice_is_tidied() -> None:
    assert checked(persons=2, reason=" 施工  人员 ", until=NOW + timedelta(hours=12), now=NOW) == "施工 人员"
