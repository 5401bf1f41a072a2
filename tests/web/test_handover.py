"""The watch is handed over: what is open and odd is listed, both sign, nothing changes afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from shouwang.cases.actions import give_shift, take_shift, withdraw_shift
from shouwang.cases.models import CoverageGap, Handover, Task
from shouwang.cases.rules.errors import HandoverNotYours, HandoverSigned, HandoverWaiting
from shouwang.journal.queries import events_after
from shouwang.kernel.moments import local
from shouwang.people.actions import NewDuty, NewPerson, add_account, add_persons, assign_duties
from shouwang.people.rules import SYSTEM
from shouwang.places import queries as places
from tests.journeys.conftest import County
from tests.web.test_pages import as_person, one_case

pytestmark = pytest.mark.django_db


@pytest.fixture
def second(county: County, now: datetime) -> int:
    """Return a second county officer, who takes the watch."""
    area = places.areas([int(part) for part in county.path.split("/") if part][1:2]).popitem()[1]
    (person,) = add_persons(SYSTEM, [NewPerson("县班辛", area.id)], now=now)
    assign_duties(SYSTEM, [NewDuty(person, "COUNTY_DUTY", area.id, local(now).date() - timedelta(days=9), "DEPUTY")], now=now)
    add_account(SYSTEM, username="county2", person_id=person, now=now)
    return person


def test_one_gives_the_other_takes_and_both_signatures_stand(county: County, second: int, now: datetime) -> None:
    case_id = one_case(county, now)
    odd = one_case(county, now)
    CoverageGap.objects.create(
        task_id=Task.objects.get(case_id=odd).pk, case_id=odd, path=county.path, duty="GRID_WORKER", level="VILLAGE", rank="PRIMARY", at=now,
    )
    giver, taker = as_person("county"), as_person("county2")
    page = giver.get("/handover/").content.decode()
    assert "县班辛" in page
    assert f'href="/cases/{case_id}/"' in page
    given = giver.post("/handover/", {"to": second, "note": "张家老人下午回电\n备用钥匙在村委"})
    assert given.status_code == 302
    row = Handover.objects.get()
    assert (row.given_by, row.taken_by, row.taken_at) == (county.county_officer, second, None)
    # The one who gives cannot sign for the other; the other can, once.
    assert giver.post(f"/handover/{row.pk}/take/").status_code == 409
    assert "签名接班" in taker.get(f"/handover/{row.pk}/").content.decode()
    assert taker.post(f"/handover/{row.pk}/take/").status_code == 302
    row.refresh_from_db()
    assert row.taken_at is not None
    assert giver.post(f"/handover/{row.pk}/withdraw/").status_code == 409
    printed = taker.get(f"/handover/{row.pk}/?format=print").content.decode()
    assert [word for word in ("县班丁", "县班辛", "张家老人下午回电", "无人值守或未送达 1", "未办结 2") if word not in printed] == []
    assert "县班辛" in taker.get("/handover/past/").content.decode()
    assert [event.kind for event in events_after(0, limit=5_000) if event.kind.startswith("shift.")] == ["shift.given", "shift.taken"]


def test_nobody_chosen_and_a_second_one_waiting_are_said(county: County, second: int) -> None:
    del county
    giver = as_person("county")
    assert giver.post("/handover/", {"to": "", "note": ""}).status_code == 409
    assert giver.post("/handover/", {"to": second}).status_code == 302
    again = giver.post("/handover/", {"to": second})
    assert again.status_code == 409
    assert "等待接班人签名" in again.content.decode()


def test_a_grid_worker_keeps_no_watch_and_a_stranger_sees_none(county: County, second: int) -> None:
    assert as_person("worker").get("/handover/").status_code == 403
    as_person("county").post("/handover/", {"to": second})
    row = Handover.objects.get()
    assert as_person("worker").get(f"/handover/{row.pk}/").status_code == 404
    assert as_person("worker").post(f"/handover/{row.pk}/take/").status_code == 404
    assert county.worker != second


def test_the_actions_refuse_what_is_not_theirs(county: County, now: datetime) -> None:
    where = {"area_id": 2, "path": "/1/2/", "duty": "COUNTY_DUTY", "note": "", "kept": {"open": [1]}, "now": now}
    number = give_shift(by=1, to=2, **where)  # type: ignore[arg-type]
    with pytest.raises(HandoverWaiting):
        give_shift(by=1, to=2, **where)  # type: ignore[arg-type]
    with pytest.raises(HandoverNotYours):
        withdraw_shift(number, by=2, now=now)
    withdraw_shift(number, by=1, now=now)
    number = give_shift(by=1, to=2, **where)  # type: ignore[arg-type]
    with pytest.raises(HandoverNotYours):
        take_shift(number, by=1, now=now)
    take_shift(number, by=2, now=now)
    take_shift(number, by=2, now=now)
    with pytest.raises(HandoverSigned):
        withdraw_shift(number, by=1, now=now)
    assert county.county_officer
