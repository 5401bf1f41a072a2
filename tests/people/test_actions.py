"""Writes of people on the real database: who may, what is refused, what is remembered."""

from __future__ import annotations

import io
from datetime import date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from openpyxl import Workbook, load_workbook

from shouwang.documents.sheets import SheetUnreadable, write_bad_rows
from shouwang.journal.queries import events_after
from shouwang.kernel.errors import NotFound, Refused
from shouwang.people import actions, queries
from shouwang.people.models import AccessLog, Credential, Person
from shouwang.people.queries import Who
from shouwang.people.queries.scopes import forget_tokens
from shouwang.people.rules import SYSTEM, Scope
from shouwang.people.rules.errors import (
    ConsentAbsent,
    CredentialEnded,
    CredentialUnbound,
    DutyHeldAlready,
    PasswordWeak,
    ReasonMissing,
    RightNotGrantable,
    ScopeMissing,
    ShiftOverlaps,
    UsernameTaken,
)
from tests.people.conftest import DAY, Officer, Town

HOUR = timedelta(hours=1)


def add(town: Town, area: int, name: str = "王兰英", **more: str) -> int:
    return actions.add_person(SYSTEM, name=name, area_id=area, now=datetime.fromisoformat("2026-01-15T10:00+08:00"), **more)


def test_a_table_read_without_scope_is_refused(town: Town) -> None:
    for read in (Person.objects.all, Person.objects.count, Person.objects.first, lambda: Person.objects.filter(pk=1)):
        with pytest.raises(ScopeMissing):
            read()


def test_related_rows_are_read_plainly(town: Town, officer: Officer) -> None:
    person, _, account = officer("GRID_WORKER", town.village)
    account.refresh_from_db()
    assert account.person is not None
    assert account.person.pk == person


def test_a_person_is_found_by_name_initials_and_phone_within_the_scope_only(town: Town, officer: Officer) -> None:
    _, scope, _ = officer("TOWNSHIP_DUTY", town.north)
    inside = add(town, town.village, "张桂兰", phone="10000000077")
    add(town, town.other_village, "张桂兰", phone="10000000078")
    for text in ("桂兰", "zgl", "ZG", "10000000077"):
        rows, total = queries.list_persons(scope, text=text)
        assert ([row.id for row in rows], total) == ([inside], 1)
    assert queries.list_persons(scope, text="10000000078") == ([], 0)
    assert (rows[0].name, rows[0].phone, rows[0].area) == ("张**", "100****0077", "莘县 张寨镇 黄庙村")


def test_out_of_scope_reads_as_not_found(town: Town, officer: Officer, now: datetime) -> None:
    _, scope, _ = officer("CIVIL_AFFAIRS", town.north)
    outside = add(town, town.other_village)
    for attempt in (
        lambda: queries.person_page(scope, outside),
        lambda: actions.reveal(scope, outside, reason="核对电话", now=now),
        lambda: actions.add_person(scope, name="新人", area_id=town.south, now=now),
        lambda: actions.record_fact(scope, outside, kind="LIVES_ALONE", source="入户", from_date=DAY, now=now),
    ):
        with pytest.raises(NotFound):
            attempt()


def test_a_grid_worker_edits_nobody(town: Town, officer: Officer, now: datetime) -> None:
    person, scope, _ = officer("GRID_WORKER", town.village)
    with pytest.raises(Refused):
        actions.add_person(scope, name="新人", area_id=town.village, now=now)
    with pytest.raises(Refused):
        actions.assign_duty(scope, person_id=person, code="TOWNSHIP_DUTY", area_id=town.village, from_date=DAY, now=now)


def test_only_an_administrator_of_the_place_appoints(town: Town, officer: Officer, now: datetime) -> None:
    person, civil, _ = officer("CIVIL_AFFAIRS", town.county)
    _, admin, _ = officer("ADMINISTRATOR", town.north)
    with pytest.raises(Refused):
        actions.assign_duty(civil, person_id=person, code="COUNTY_DUTY", area_id=town.county, from_date=DAY, now=now)
    with pytest.raises(NotFound):
        actions.assign_duty(admin, person_id=person, code="COUNTY_DUTY", area_id=town.county, from_date=DAY, now=now)
    assert actions.assign_duty(admin, person_id=person, code="GRID_WORKER", area_id=town.village, from_date=DAY, now=now)


def test_a_duty_answers_until_it_is_ended(town: Town, officer: Officer, now: datetime) -> None:
    who = [Who(town.path(town.grid), "GRID_WORKER", "VILLAGE"), Who(town.path(town.other_village), "GRID_WORKER", "VILLAGE")]
    person, _, _ = officer("GRID_WORKER", town.village)
    assert queries.answerable(who, at=now) == [person, None]
    with pytest.raises(DutyHeldAlready):
        actions.assign_duty(SYSTEM, person_id=person, code="GRID_WORKER", area_id=town.village, from_date=DAY, now=now)
    rows, _ = queries.list_duties(SYSTEM, on=DAY)
    actions.end_duty(SYSTEM, rows[0].id, now=now)
    assert queries.answerable(who, at=now) == [None, None]
    assert actions.assign_duty(
        SYSTEM, person_id=person, code="GRID_WORKER", area_id=town.village, from_date=date(2026, 1, 15), now=now,
    )
    assert queries.answerable(who, at=now) == [person, None]


def test_a_shift_answers_and_gives_its_rights_while_it_lasts(town: Town, officer: Officer, now: datetime) -> None:
    holder, scope, _ = officer("TOWNSHIP_DUTY", town.north)
    stand_in, _, account = officer("GRID_WORKER", town.village)
    who = [Who(town.path(town.village), "TOWNSHIP_DUTY", "TOWNSHIP")]
    shift = actions.plan_shift(
        scope, area_id=town.north, code="TOWNSHIP_DUTY", start_at=now, until_at=now + HOUR, person_id=stand_in, now=now,
    )
    assert queries.answerable(who, at=now) == [stand_in]
    assert queries.answerable(who, at=now + HOUR) == [holder]
    assert queries.scope_of_account(account, now).may("case.dispatch", town.path(town.village))
    assert not queries.scope_of_account(account, now + HOUR).may("case.dispatch", town.path(town.village))
    with pytest.raises(ShiftOverlaps):
        actions.plan_shift(
            scope, area_id=town.north, code="TOWNSHIP_DUTY", start_at=now + HOUR / 2, until_at=now + 2 * HOUR, person_id=holder, now=now,
        )
    actions.cancel_shift(scope, shift, now=now)
    assert queries.answerable(who, at=now) == [holder]


def test_an_officer_plans_no_shift_above_the_own_rights(town: Town, officer: Officer, now: datetime) -> None:
    person, scope, _ = officer("TOWNSHIP_DUTY", town.north)
    for code, area, error in (("ADMINISTRATOR", town.north, Refused), ("COUNTY_DUTY", town.county, NotFound)):
        with pytest.raises(error):
            actions.plan_shift(scope, area_id=area, code=code, start_at=now, until_at=now + HOUR, person_id=person, now=now)


def test_the_roster_is_kept_five_seconds_and_asked_without_a_query(town: Town, officer: Officer, now: datetime) -> None:
    person, _, _ = officer("GRID_WORKER", town.village)
    who = [Who(town.path(town.village), "GRID_WORKER", "VILLAGE")] * 500
    seconds = iter([0.0, 4.9, 5.0])
    expected = [person] * 500

    def tick() -> float:
        return next(seconds)

    for queries_made in (3, 0, 3):  # duties, shifts, leaves
        with CaptureQueriesContext(connection) as seen:
            assert queries.answerable(who, at=now, monotonic=tick) == expected
        assert len(seen) == queries_made


def test_households_members_facts_and_consents(town: Town, officer: Officer, now: datetime) -> None:
    _, civil, _ = officer("CIVIL_AFFAIRS", town.north)
    resident, relative = add(town, town.village), add(town, town.south, "王小强", phone="10000000009")
    home = actions.enrol_household(civil, name="王兰英户", address="一组3号", area_id=town.village, residents=[resident], now=now)
    actions.add_member(civil, home, person_id=relative, role="RELATIVE", relation="儿子", now=now)
    assert [(m.person_id, m.role) for m in queries.members_of([home])[home]] == [(resident, "RESIDENT"), (relative, "RELATIVE")]
    actions.end_membership(civil, home, person_id=relative, role="RELATIVE", now=now)
    assert len(queries.members_of([home])[home]) == 1
    actions.record_fact(civil, resident, kind="HEALTH", value="高血压", source="村医", from_date=DAY, now=now)
    assert [fact.value for fact in queries.person_page(civil, resident).facts] == [None]
    assert [fact.value for fact in queries.person_page(civil, resident, revealed=True).facts] == ["高血压"]
    first = actions.give_consent(civil, resident, purpose="METER_WATCH", wording="v1", source="入户签字", now=now)
    assert actions.give_consent(civil, resident, purpose="METER_WATCH", wording="v1", source="入户签字", now=now) == first
    assert queries.live_consents([resident, relative], "METER_WATCH") == {resident}
    actions.withdraw_consent(civil, resident, purpose="METER_WATCH", now=now)
    assert queries.live_consents([resident], "METER_WATCH") == frozenset()
    with pytest.raises(ConsentAbsent):
        actions.withdraw_consent(civil, resident, purpose="METER_WATCH", now=now)


def test_everybody_sets_the_own_channels(town: Town, officer: Officer, now: datetime) -> None:
    person, scope, _ = officer("GRID_WORKER", town.village)
    actions.set_contact(scope, person, channel="sms", address="10000000001")
    actions.set_contact(scope, person, channel="webhook", address="https://example.org/hook", enabled=False)
    assert queries.contacts_of([person]) == {person: (queries.ContactRow("sms", "10000000001"),)}


def test_revealing_needs_a_reason_that_is_written_down(town: Town, officer: Officer, now: datetime) -> None:
    _, scope, _ = officer("GRID_WORKER", town.village)
    resident = add(town, town.village, phone="10000000077")
    with pytest.raises(ReasonMissing):
        actions.reveal(scope, resident, reason=" ", now=now)
    assert not AccessLog.objects.unscoped().exists()
    assert actions.reveal(scope, resident, reason="入户核查", now=now) == actions.Revealed("王兰英", "10000000077", "")
    _, admin, _ = officer("ADMINISTRATOR", town.county)
    rows, total = queries.access_log(admin)
    assert total == 1
    assert (rows[0].actor, rows[0].reason, rows[0].object.zh) == ("李兰英", "入户核查", f"人员 {resident}")
    with pytest.raises(Refused):
        actions.reveal(admin, resident, reason="好奇", now=now)  # an administrator sets up, and looks at nobody


def test_events_name_nobody(town: Town, officer: Officer, now: datetime) -> None:
    _, scope, _ = officer("GRID_WORKER", town.village, name="金丝雀")
    resident = add(town, town.village, "金丝雀", phone="10000000099")
    actions.reveal(scope, resident, reason="金丝雀", now=now)
    assert events_after(0)
    assert not [event for event in events_after(0, limit=1000) if "金丝雀" in str(event.payload) or "10000000099" in str(event.payload)]


def test_a_token_is_kept_as_a_hash_cached_rotated_and_revoked(town: Town, officer: Officer, now: datetime) -> None:
    _, admin, _ = officer("ADMINISTRATOR", town.county)
    token = actions.issue_credential("INTEGRATION", subject="meters", paths=[town.path(town.county)], now=now)
    row = Credential.objects.unscoped().get()
    assert token not in row.hash
    assert len(token) == 43
    scope = queries.scope_of_token(token, "INTEGRATION", now)
    assert scope is not None
    assert (scope.subject, scope.paths, scope.may("telemetry.write", town.path(town.village))) == ("meters", (town.path(town.county),), True)
    with CaptureQueriesContext(connection) as seen:
        assert queries.scope_of_token(token, "INTEGRATION", now) == scope
        assert queries.scope_of_token(token, "DEVICE", now) is None
    assert len(seen) == 0
    fresh = actions.rotate_credential(admin, row.pk, now=now)
    assert queries.scope_of_token(token, "INTEGRATION", now) is None
    assert queries.scope_of_token(fresh, "INTEGRATION", now) == scope
    actions.revoke_credential(admin, row.pk, now=now)
    assert queries.scope_of_token(fresh, "INTEGRATION", now) is None
    with pytest.raises(CredentialEnded):
        actions.rotate_credential(admin, row.pk, now=now)
    assert queries.scope_of_token("nonsense", "INTEGRATION", now) is None


def test_a_token_has_the_rights_it_was_issued_for_and_no_others(town: Town, now: datetime) -> None:
    def issued(*rights: str, kind: str = "INTEGRATION") -> str:
        return actions.issue_credential(kind, subject="x", paths=[town.path(town.county)], rights=rights, now=now)

    def rights_of(token: str) -> frozenset[str]:
        forget_tokens()
        scope = queries.scope_of_token(token, "INTEGRATION", now)
        assert scope is not None
        return scope.rights

    assert rights_of(issued()) == {"telemetry.write", "alerts.write", "stream.read"}  # never push.read unless it is stated
    token = issued("push.read")
    assert rights_of(token) == {"push.read"}
    with pytest.raises(RightNotGrantable, match=r"people\.read"):
        issued("push.read", "people.read")
    with pytest.raises(RightNotGrantable, match=r"push\.read"):
        issued("push.read", kind="DEVICE")
    Credential.objects.unscoped().update(rights="push.read people.read")  # a row that says more than its kind may have
    assert rights_of(token) == {"push.read"}


def test_a_link_opens_one_object_until_it_ends(town: Town, officer: Officer, now: datetime) -> None:
    person, _, _ = officer("GRID_WORKER", town.village)
    with pytest.raises(CredentialUnbound):
        actions.issue_credential("LINK", person_id=person, now=now)
    token, other = actions.issue_links(
        [actions.NewLink(person, "task", 812, now + HOUR), actions.NewLink(person, "task", 813, now + HOUR)], now=now,
    )
    scope = queries.scope_of_token(token, "LINK", now)
    assert scope == Scope(person, (), frozenset({"case.read", "case.handle"}), kind="LINK", object=("task", 812))
    assert queries.scope_of_token(token, "LINK", now + HOUR) is None
    assert actions.revoke_links("task", [812], now=now) == 1
    assert queries.scope_of_token(token, "LINK", now) is None
    assert queries.scope_of_token(other, "LINK", now) is not None


def test_an_account_is_locked_after_five_wrong_passwords(town: Town, officer: Officer, now: datetime) -> None:
    person, _, _ = officer("GRID_WORKER", town.village)
    account = actions.add_account(SYSTEM, username="wang", person_id=person, password="golden-sparrow-9", now=now)
    assert actions.sign_in("wang", "golden-sparrow-9", now=now) == account
    for _ in range(5):
        assert actions.sign_in("wang", "wrong", now=now) is None
    assert actions.sign_in("wang", "golden-sparrow-9", now=now) is None
    assert queries.failed_sign_in_until("wang", at=now) == now + timedelta(minutes=5)
    assert actions.sign_in("wang", "golden-sparrow-9", now=now + timedelta(minutes=5)) == account
    assert actions.sign_in("nobody", "golden-sparrow-9", now=now) is None


@pytest.mark.parametrize("password", ["short", "password123", "wangwang1", "x" * 200])
def test_a_weak_password_is_refused(town: Town, officer: Officer, now: datetime, password: str) -> None:
    person, _, _ = officer("GRID_WORKER", town.village)
    with pytest.raises(PasswordWeak):
        actions.add_account(SYSTEM, username="wangwang", person_id=person, password=password, now=now)


def test_nobody_takes_over_an_account_with_rights_beyond_the_own(town: Town, officer: Officer, now: datetime) -> None:
    _, admin, _ = officer("ADMINISTRATOR", town.north)
    person, _, account = officer("GRID_WORKER", town.village)
    actions.change_account(admin, account.pk, password="golden-sparrow-9", now=now)
    with pytest.raises(UsernameTaken):
        actions.add_account(admin, username=account.username, person_id=person, now=now)
    actions.assign_duty(SYSTEM, person_id=person, code="COUNTY_DUTY", area_id=town.county, from_date=DAY, now=now)
    with pytest.raises(Refused):
        actions.change_account(admin, account.pk, password="golden-sparrow-9", now=now)
    actions.change_account(SYSTEM, account.pk, is_active=False, now=now)
    assert queries.scope_of_account(queries.account(account.pk), now).rights == frozenset()


def test_a_moved_area_takes_its_people_along(town: Town, officer: Officer, now: datetime) -> None:
    worker, _, _ = officer("GRID_WORKER", town.village)
    old, new = town.path(town.village), f"{town.path(town.south)}{town.village}/"
    for _ in range(2):
        actions.follow_move(old, new)
    assert Person.objects.unscoped().get(pk=worker).path == new
    assert queries.answerable([Who(new, "GRID_WORKER", "VILLAGE")], at=now) == [worker]


def book(*rows: tuple[object, ...]) -> bytes:
    sheet_book = Workbook()
    sheet = sheet_book.active
    assert sheet is not None
    for row in (("姓名", "电话", "地区", "职责", "开始日期"), *rows):
        sheet.append(row)
    for cell in sheet["A"]:
        cell.data_type = "s"  # "=1+1" as somebody typed it: a text
    kept = io.BytesIO()
    sheet_book.save(kept)
    return kept.getvalue()


def test_a_list_is_checked_then_imported_once(town: Town, officer: Officer, now: datetime) -> None:
    _, admin, _ = officer("ADMINISTRATOR", town.county)
    data = book(
        ("赵明", 10000000041, "张寨镇 黄庙村", "网格员", date(2026, 1, 1)),
        ("钱芳", "10000000042", "371522101000", "", None),
        ("孙丽", "10000000043", "黄庙村", "", None),  # two villages of that name
        ("=1+1", "10000000044", "无此村", "", None),
    )
    head, good, bad = actions.check_sheet(admin, data, name="名单.xlsx")
    assert [(line.name, line.area_id, line.duty) for line in good] == [("赵明", town.village, "GRID_WORKER"), ("钱芳", town.north, "")]
    assert [row.problems[0].code for row in bad] == ["AREA_AMBIGUOUS", "AREA_UNKNOWN"]
    written = load_workbook(io.BytesIO(write_bad_rows(head, bad, language="zh"))).active
    assert written is not None
    assert [(cell.value, cell.data_type) for cell in written[3]][:3] == [("5", "s"), (bad[1].problems[0].text("zh"), "s"), ("=1+1", "s")]
    assert actions.import_people(admin, good, now=now) == (2, 1)
    assert actions.import_people(admin, good, now=now) == (0, 0)
    assert queries.list_persons(admin, text="赵明")[1] == 1


def test_a_draft_belongs_to_who_made_it_and_serves_once(town: Town, officer: Officer, now: datetime) -> None:
    _, admin, _ = officer("ADMINISTRATOR", town.county)
    _, other, _ = officer("ADMINISTRATOR", town.county)
    head, good, bad = actions.check_sheet(admin, book(("赵明", "", "张寨镇", "", None)), name="名单.xlsx")
    draft = actions.keep_draft(admin, name="名单.xlsx", head=head, good=good, bad=bad, now=now)
    assert admin.account_id is not None
    assert other.account_id is not None
    assert queries.import_draft(admin.account_id, draft).good == good
    with pytest.raises(NotFound):
        queries.import_draft(other.account_id, draft)
    assert actions.import_draft(admin, draft, good, now=now) == (1, 0)
    with pytest.raises(NotFound):
        actions.import_draft(admin, draft, good, now=now)


@pytest.mark.parametrize("data", [b"", b"not a workbook", b"PK\x03\x04broken"])
def test_a_broken_workbook_says_so(town: Town, officer: Officer, data: bytes) -> None:
    with pytest.raises(SheetUnreadable):
        actions.check_sheet(SYSTEM, data, name="坏.xlsx")


def test_what_is_kept_for_a_time_is_dropped_after_it(town: Town, officer: Officer, now: datetime) -> None:
    person, scope, _ = officer("GRID_WORKER", town.village)
    actions.issue_links([actions.NewLink(person, "task", 1, now)], now=now)
    actions.note_access(scope, action="EXPORT", now=now)
    actions.tidy(now=now + timedelta(days=29))
    assert Credential.objects.unscoped().count() == 1
    actions.tidy(now=now + timedelta(days=31))
    assert Credential.objects.unscoped().count() == 0
    assert AccessLog.objects.unscoped().count() == 1
    actions.tidy(now=now + timedelta(days=4 * 366))
    assert AccessLog.objects.unscoped().count() == 0
