"""Pages of telemetry: inside the reader's area, in words, in both languages."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.contrib.messages.storage.cookie import CookieStorage
from django.http import HttpRequest
from django.test import RequestFactory

from shouwang.kernel.errors import NotFound, Refused
from shouwang.people.rules import Scope
from shouwang.telemetry import actions, pages, queries
from shouwang.telemetry.rules import NewThing
from shouwang.telemetry.sources.http import receive

AGES = [
    (None, "超过 48 小时没有读数", "no reading for over 48 hours"),
    (timedelta(seconds=59), "0 分钟前", "0 min ago"),
    (timedelta(minutes=59), "59 分钟前", "59 min ago"),
    (timedelta(hours=2, minutes=5), "2 小时 5 分钟前", "2 h 5 min ago"),
    (-timedelta(minutes=3), "0 分钟前", "0 min ago"),  # a device's clock is ahead
]


def asked(request: HttpRequest, scope: Scope) -> HttpRequest:
    request.scope = scope  # type: ignore[attr-defined]
    request._messages = CookieStorage(request)  # type: ignore[attr-defined]
    return request


@pytest.mark.parametrize(("since", "zh", "en"), AGES)
def test_an_age_is_said_in_words(now: datetime, since: timedelta | None, zh: str, en: str) -> None:
    said = pages.age(now - since if since is not None else None, now=now)
    assert (said.zh, said.en) == (zh, en)


def test_things_of_the_area_are_listed(meters: dict[str, int], rf: RequestFactory) -> None:
    assert meters
    village = Scope(8, ("/1/2/",), frozenset({"case.read"}))
    answer = pages.things(asked(rf.get("/things/"), village)).content.decode()
    assert "水表 2" in answer
    assert "水表 1" not in answer
    assert "超过 48 小时没有读数" in answer


def test_quarantine_is_shown_and_released(meters: dict[str, int], platform: Scope, officer: Scope, now: datetime, rf: RequestFactory) -> None:
    assert meters
    body = b'{"readings": [{"device": "M9", "datastream": "register_l", "phenomenon_time": "2026-01-15T02:00:00Z", "result": 5}]}'
    receive(body, platform, now=now)
    ((row,), _) = queries.quarantine()
    assert "M9" in pages.quarantine(asked(rf.get("/things/quarantine/"), officer)).content.decode()
    pages.release_quarantine(asked(rf.post("/"), officer), row.id)
    assert queries.quarantined_rows() == 1
    actions.add_things([NewThing("M9", "WATER_METER", "", (("register_l", "L"),), path="/1/")], now=now)
    queries.forget()
    assert pages.release_quarantine(asked(rf.post("/"), officer), row.id).status_code == 302
    assert queries.quarantined_rows() == 0
    with pytest.raises(NotFound):
        pages.release_quarantine(asked(rf.post("/"), officer), row.id)


def test_quarantine_is_for_those_who_import(db: None, rf: RequestFactory) -> None:
    del db
    reader = Scope(8, ("/1/",), frozenset())
    with pytest.raises(Refused):
        pages.quarantine(asked(rf.get("/"), reader))
    with pytest.raises(Refused):
        pages.release_quarantine(asked(rf.post("/"), reader), 1)
