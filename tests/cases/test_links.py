"""The signed address of a task."""

from __future__ import annotations

import pytest

from shouwang.cases import links
from shouwang.cases.links import DAY_S, LinkInvalid, TaskLink, read_link, task_link

MIDDAY_S = 20_000.5 * DAY_S


def at(monkeypatch: pytest.MonkeyPatch, moment_s: float) -> None:
    monkeypatch.setattr("time.time", lambda: moment_s)


def token(link: str) -> str:
    return link.removeprefix("/t/").removesuffix("/")


def test_a_link_is_the_same_all_day_and_opens_one_task_for_one_person(monkeypatch: pytest.MonkeyPatch) -> None:
    at(monkeypatch, MIDDAY_S)
    link = task_link(812, 7)
    assert TaskLink(812, 7) == read_link(token(link))
    at(monkeypatch, MIDDAY_S + 3_600)
    assert link == task_link(812, 7)
    assert link != task_link(812, 8)
    at(monkeypatch, MIDDAY_S + DAY_S)
    assert link != task_link(812, 7)


@pytest.mark.parametrize(("days", "valid"), [(7.0, True), (7.4, True), (7.6, False)])
def test_a_link_is_valid_for_seven_days_and_the_rest_of_its_own(monkeypatch: pytest.MonkeyPatch, days: float, valid: bool) -> None:
    at(monkeypatch, MIDDAY_S)
    link = task_link(812, 7)
    at(monkeypatch, MIDDAY_S + days * DAY_S)
    if valid:
        assert TaskLink(812, 7) == read_link(token(link))
    else:
        with pytest.raises(LinkInvalid):
            read_link(token(link))


@pytest.mark.parametrize("wrong", ["", "x", "WzEsMV0:1:2"])
def test_a_changed_link_opens_nothing(wrong: str) -> None:
    with pytest.raises(LinkInvalid):
        read_link(wrong)


def test_the_address_for_a_group_opens_nothing_by_itself(settings: object) -> None:
    assert links.address_of_tasks().endswith("/tasks/")
