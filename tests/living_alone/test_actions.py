"""Enrolling homes, announcing absences, importing lists: on the real database."""

from __future__ import annotations

import io
from datetime import datetime, timedelta

import pytest
from openpyxl import Workbook

from shouwang.alerts.rules import FoundFinding
from shouwang.files import actions as files
from shouwang.files.queries import UploadRow, upload
from shouwang.journal.queries import events_of
from shouwang.kernel.errors import NotFound, Refused
from shouwang.people.models import Household, Person
from shouwang.people.queries import live_consents, members_of, person_cards
from shouwang.people.rules import Scope
from shouwang.places.actions import set_setting
from shouwang.systems.living_alone import actions, queries
from shouwang.systems.living_alone.actions.importing import END, PER_TRANSACTION, tally_of
from shouwang.systems.living_alone.models import Enrolment
from shouwang.systems.living_alone.rules.errors import MeterTaken
from shouwang.systems.living_alone.rules.lines import HEADINGS, Contact, NewHome
from shouwang.telemetry.queries import things_named
from tests.journeys.conftest import County

pytestmark = pytest.mark.django_db
HEAD = [names[0] for names in HEADINGS.values()]


def home(county: County, **more: object) -> NewHome:
    values = {"name": "示例甲", "area_id": county.village, "address": "2组3号", "meter": "WM2", "phone": "10000000031", **more}
    return NewHome(**values)  # type: ignore[arg-type]


def book(*rows: dict[str, str]) -> bytes:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    sheet.append(HEAD)
    for row in rows:
        sheet.append([row.get(head, "") for head in HEAD])
    kept = io.BytesIO()
    made.save(kept)
    return kept.getvalue()


def keep(data: bytes, now: datetime) -> UploadRow:
    number = files.keep_upload(data, account_id=1, purpose="living_alone", name="名单.xlsx", limit_bytes=1_000_000, now=now)
    return upload(1, number, purpose="living_alone")


def test_a_home_is_enrolled_with_its_meter_and_whom_to_call(county: County, officer: Scope, now: datetime) -> None:
    new = home(county, relative=Contact("示例乙", "10000000032", "子女"), key_holder=Contact("示例丙", "10000000033"), consent=True)
    done = actions.enrol_home(officer, new, source="form", now=now)
    assert done.is_new
    shown = queries.home_page(officer, done.household_id, now=now, language="zh")
    assert [(member.role, card.phone) for member, card in shown.members] == [
        ("RESIDENT", "10000000031"), ("RELATIVE", "10000000032"), ("KEY_HOLDER", "10000000033"),
    ]
    assert (shown.meter, shown.consent) == ("WM2", True)
    assert things_named(["WM2"])["WM2"].household_id == done.household_id
    assert "living_alone.enrolled" in [event.kind for event in events_of(done.household_id)]


def test_enrolling_again_changes_and_adds_nobody_twice(county: County, officer: Scope, now: datetime) -> None:
    new = home(county, relative=Contact("示例乙", "10000000032"))
    first = actions.enrol_home(officer, new, source="form", now=now)
    persons = Person.objects.unscoped().count()
    again = actions.enrol_home(officer, home(county, address="9组9号", relative=Contact("示例乙", "10000000032")), source="form", now=now)
    assert (again.household_id, again.is_new) == (first.household_id, False)
    assert Person.objects.unscoped().count() == persons
    assert Household.objects.unscoped().get(pk=first.household_id).address == "9组9号"


def test_an_exchanged_meter_goes_on_with_the_same_home(county: County, officer: Scope, now: datetime) -> None:
    first = actions.enrol_home(officer, home(county), source="form", now=now)
    again = actions.enrol_home(officer, home(county, meter="WM3"), source="form", now=now)
    assert again.household_id == first.household_id
    stream = things_named(["WM3"])["WM3"].datastreams["register_l"]
    assert queries.enrolment_of(first.household_id).datastream_id == stream


def test_a_registered_meter_that_watches_nobody_is_taken(county: County, officer: Scope, now: datetime) -> None:
    actions.end_watching(county.household, reason="OTHER", by=None, now=now)
    Enrolment.objects.all().delete()
    done = actions.enrol_home(officer, home(county, name="住户己", phone="", meter="WM1"), source="form", now=now)
    assert done.household_id == county.household
    names = [card.name for card in person_cards([m.person_id for m in members_of([county.household])[county.household]], language="zh").values()]
    assert names.count("住户己") == 1


def test_a_meter_of_another_home_is_refused(county: County, officer: Scope, now: datetime) -> None:
    with pytest.raises(MeterTaken):
        actions.enrol_home(officer, home(county, meter="WM1"), source="form", now=now)


def test_nobody_enrols_outside_the_own_area_or_without_the_right(county: County, officer: Scope, now: datetime) -> None:
    elsewhere = Scope(5, ("/999/",), frozenset({"people.edit"}))
    with pytest.raises(NotFound):
        actions.enrol_home(elsewhere, home(county), source="form", now=now)
    with pytest.raises(Refused):
        actions.enrol_home(Scope(5, (county.path,), frozenset({"people.read"})), home(county), source="form", now=now)
    outside = Scope(5, (county.path[: county.path.rstrip("/").rindex("/") + 1] + "999/",), frozenset({"people.edit"}))
    with pytest.raises(NotFound):
        actions.enrol_home(outside, home(county, meter="WM1"), source="form", now=now)


def test_ended_homes_are_not_watched_until_enrolled_again(county: County, officer: Scope, now: datetime) -> None:
    done = actions.enrol_home(officer, home(county), source="form", now=now)
    stream = queries.enrolment_of(done.household_id).datastream_id
    assert stream in queries.resolve_datastreams([stream])
    actions.end_watching(done.household_id, reason="MOVED", by=1, now=now)
    assert queries.resolve_datastreams([stream]) == {}
    actions.enrol_home(officer, home(county), source="form", now=now)
    assert stream in queries.resolve_datastreams([stream])


def test_the_own_hospital_wins_over_the_areas(county: County, now: datetime) -> None:
    assert queries.hospital_of(county.household) is None
    set_setting(county.village, "living_alone.hospital", "示例镇卫生院 10000000121", now=now)
    found = queries.hospital_of(county.household)
    assert found is not None
    assert (found.name, found.phone, found.is_own) == ("示例镇卫生院", "10000000121", False)
    actions.set_hospital(county.household, name="示例县人民医院", phone="10000000120")
    own = queries.hospital_of(county.household)
    assert own is not None
    assert (own.name, own.is_own) == ("示例县人民医院", True)


def test_an_absence_is_undone_and_looked_after(county: County, now: datetime) -> None:
    actions.announce_absence(county.household, until=now + timedelta(days=2), by=county.worker, now=now)
    row = Enrolment.objects.get(household_id=county.household)
    assert (row.away_until, row.look_again_at) == (now + timedelta(days=2), now + timedelta(days=2, hours=12))
    assert _explained(county, "WATER_HARD_STOP", now)
    assert not _explained(county, "WATER_HARD_STOP", now + timedelta(days=2))
    assert not any(_explained(county, kind, now) for kind in ("WATER_NO_DATA", "WATER_HIGH_USE", "WATER_LEAK"))
    actions.announce_absence(county.household, until=None, by=county.worker, now=now)
    row.refresh_from_db()
    assert (row.away_until, row.look_again_at) == (None, now + timedelta(hours=12))
    assert not _explained(county, "WATER_HARD_STOP", now)


def test_a_list_is_checked_and_its_good_rows_are_enrolled(county: County, officer: Scope, now: datetime) -> None:
    rows = [{"姓名": f"示例{n}", "电话": f"1000000{n:04d}", "地区": "东塘村", "住址": f"{n}号", "水表编号": f"X{n}"} for n in range(30)]
    rows[3]["地区"] = "无此村"
    rows[4]["水表编号"] = "WM1"  # watches another home
    kept = keep(book(*rows), now)
    checked = actions.check_upload(officer, kept)
    assert [(row.row, row.problems[0].code) for row in checked.bad] == [(5, "AREA_UNKNOWN"), (6, "METER_TAKEN")]
    done = actions.import_portion(officer, kept, now=now)
    assert done.done == END
    assert (tally_of(done).enrolled, tally_of(done).failed) == (28, ())
    assert queries.list_homes(officer, now=now)[1] == 29
    assert not live_consents([county.worker], "METER_WATCH")


def test_a_list_may_be_worked_through_twice_and_by_two_at_once(county: County, officer: Scope, now: datetime) -> None:
    rows = [{"姓名": f"示例{n}", "地区": "东塘村", "住址": f"{n}号", "水表编号": f"X{n}"} for n in range(PER_TRANSACTION + 5)]
    kept = keep(book(*rows), now)
    done = actions.import_portion(officer, kept, now=now)
    late = actions.import_portion(officer, kept, now=now)  # another browser window that still stands at the beginning
    assert (done.done, late.done) == (END, 0)
    assert queries.list_homes(officer, now=now)[1] == len(rows) + 1
    twice = keep(book(*rows), now)
    again = actions.import_portion(officer, twice, now=now)
    assert (tally_of(again).enrolled, tally_of(again).changed) == (0, len(rows))


def test_a_row_that_is_refused_when_enrolled_leaves_nothing_behind(county: County, officer: Scope, now: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"姓名": f"示例{n}", "地区": "东塘村", "住址": f"{n}号", "水表编号": f"X{n}"} for n in range(3)]
    kept = keep(book(*rows), now)
    real = actions.importing.enrol_home  # type: ignore[attr-defined]

    def refuse(scope: Scope, new: NewHome, *, source: str, now: datetime) -> object:
        done = real(scope, new, source=source, now=now)
        if new.meter == "X1":
            raise MeterTaken(meter="X1")
        return done

    monkeypatch.setattr(actions.importing, "enrol_home", refuse)  # type: ignore[attr-defined]
    done = actions.import_portion(officer, kept, now=now)
    assert [row for row, _ in tally_of(done).failed] == [3]
    assert "X1" not in things_named(["X0", "X1", "X2"])


def _explained(county: County, kind: str, at: datetime) -> bool:
    subject = queries.resolve_datastreams([county.datastream])[county.datastream]
    assert subject.explains is not None
    return subject.explains(FoundFinding(kind, "datastream", county.datastream, 1, "OPEN", 4, 1, f"{kind}_OPEN"), at)
