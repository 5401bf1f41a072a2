"""How a person wishes to be told, and the words of what leaves as one."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.kernel.moments import LOCAL_ZONE
from shouwang.kernel.texts import Text
from shouwang.notify import rules
from shouwang.notify.rules.wishes import DAY_MINUTES, Quiet, Wishes, quiet_until, steps_of
from shouwang.notify.rules.wording import LINES, Part, fit, link_for, say

NIGHT = Quiet(22 * 60, 7 * 60)
NOON = Quiet(12 * 60, 13 * 60 + 30)
RINGS = frozenset({"voice"})


def at(hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 1, 15, hour, minute, 30, tzinfo=LOCAL_ZONE)


@pytest.mark.parametrize(
    ("quiet", "moment", "until"),
    [
        (None, at(23), None),
        (NIGHT, at(21, 59), None),
        (NIGHT, at(22), datetime(2026, 1, 16, 7, tzinfo=LOCAL_ZONE)),
        (NIGHT, at(3), datetime(2026, 1, 15, 7, tzinfo=LOCAL_ZONE)),  # over midnight
        (NIGHT, at(6, 59), datetime(2026, 1, 15, 7, tzinfo=LOCAL_ZONE)),
        (NIGHT, at(7), None),  # the end does not belong to it
        (NOON, at(12, 30), datetime(2026, 1, 15, 13, 30, tzinfo=LOCAL_ZONE)),
        (NOON, at(14), None),
        (Quiet(60, 60), at(1), None),  # from one o'clock to one o'clock is no time at all
    ],
)
def test_when_quiet_hours_end(quiet: Quiet | None, moment: datetime, until: datetime | None) -> None:
    assert until == quiet_until(quiet, moment)


@given(start=st.integers(0, DAY_MINUTES - 1), end=st.integers(0, DAY_MINUTES - 1), minute=st.integers(0, DAY_MINUTES - 1))
def test_quiet_hours_end_when_they_say(start: int, end: int, minute: int) -> None:
    moment = datetime(2026, 1, 15, tzinfo=LOCAL_ZONE) + timedelta(minutes=minute)
    found = quiet_until(Quiet(start, end), moment)
    if found is not None:
        assert end == found.hour * 60 + found.minute
        assert timedelta() < found - moment < timedelta(days=1)
        assert quiet_until(Quiet(start, end), found) is None


@pytest.mark.parametrize(
    ("channels", "steps", "expected"),
    [
        ([], {}, ()),
        (["sms", "wecom"], {}, (("sms", "wecom"),)),  # all that is silent at once
        (["sms", "voice"], {}, (("sms",), ("voice",))),  # what rings only when nothing was accepted
        (["voice"], {}, ((), ("voice",))),  # then too
        (["voice"], {"voice": 0}, (("voice",),)),  # unless the person wants to be called at once
        (["wecom", "sms", "voice"], {"sms": 1, "voice": 2}, (("wecom",), ("sms",), ("voice",))),
        (["wecom", "voice"], {"voice": 2}, (("wecom",), ("voice",))),  # a step nobody uses is closed up
    ],
)
def test_in_which_order_a_person_is_told(channels: list[str], steps: dict[str, int], expected: tuple[tuple[str, ...], ...]) -> None:
    assert expected == steps_of(channels, Wishes(steps), rings=RINGS)


@pytest.fixture
def words(monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a sentence and the addresses it carries, for one test."""
    monkeypatch.setitem(rules.TEMPLATES, "T", Text("任务{n}", "Task {n}"))
    monkeypatch.setattr("shouwang.notify.rules.texts._makers", [lambda task, person: f"/t/{task}/{person}/"])
    monkeypatch.setattr("shouwang.notify.rules.texts._home_makers", [lambda: "/tasks/"])


def part(n: int = 1, person: int = 1, **more: object) -> Part:
    return Part(person, "T", {"n": n}, task_id=n, **more)  # type: ignore[arg-type]


@pytest.mark.usefixtures("words")
def test_a_group_is_never_given_a_link_that_acts_as_a_person() -> None:
    assert "/t/7/1/" == link_for(part(7), is_shared=False)
    assert "/tasks/" == link_for(part(7), is_shared=True)
    assert "/tasks/" == link_for(part(7, was_quiet=True), is_shared=False)


@pytest.mark.usefixtures("words")
@pytest.mark.parametrize(
    ("parts", "language", "limit", "link", "expected"),
    [
        ([part()], "zh", 200, "", "任务1"),
        ([part()], "zh", 200, "/t/", "任务1 /t/"),
        ([part(count=3)], "zh", 200, "", "您有 3 条消息，最急的一条：任务1"),
        ([part(count=3, was_quiet=True)], "zh", 200, "", "勿扰时段内您有 3 条消息，请打开守望查看。"),
        ([part(1), part(2, person=2, count=2), part(1, person=3)], "zh", 200, "",
         "4 条消息，请 3 人登录守望查看：\n任务1\n您有 2 条消息，最急的一条：任务2"),
        ([part(1), part(2, person=2)], "en", 200, "", "2 messages for 2 persons; sign in to read them:\nTask 1\nTask 2"),
        ([part(10**30)], "zh", 25, "/a/very/long/address/of/a/task", "任务10000000000000000… /a/very/long/address/of/a/task"),
    ],
)
def test_what_is_said(parts: list[Part], language: str, limit: int, link: str, expected: str) -> None:
    assert expected == say(parts, language=language, limit=limit, link=link)


@pytest.mark.usefixtures("words")
def test_a_long_list_to_a_group_is_cut() -> None:
    said = say([part(n, person=n) for n in range(1, 10)], language="zh", limit=200)
    assert 1 + LINES + 1 == len(said.split("\n"))
    assert said.endswith("另有 4 种消息")
    assert 20 == len(say([part(n, person=n) for n in range(1, 10)], language="zh", limit=20))


@given(st.text(), st.integers(8, 60))
def test_what_must_fit_into_bytes_is_cut_between_characters(text: str, limit: int) -> None:
    cut = fit(text, limit)
    assert len(cut.encode()) <= limit
    assert text == cut if len(text.encode()) <= limit else cut.endswith("…")
