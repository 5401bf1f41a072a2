"""Numbers are sealed in the tables, found whole, rotated while others work, and migrated from clear values and back."""

from __future__ import annotations

import stat
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor

from shouwang.journal import resealing, sealed
from shouwang.kernel.errors import ShouwangError
from shouwang.kernel.sealing import Keys, SealBroken, new_keys, with_new_version, write_keys
from shouwang.people import actions, queries
from shouwang.people.models import ContactPreference, ImportDraft, Person
from shouwang.people.rules import SYSTEM
from tests.people.conftest import Town

PHONE, NUMBER = "10000000061", "11010519491231002X"


@pytest.fixture(autouse=True)
def _own_keys(settings: Any, tmp_path: Path) -> None:
    settings.SHOUWANG_DATA_DIR = tmp_path
    settings.SHOUWANG_FIELD_KEYS = ""


def raw(table: str, column: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY id")  # names of this test
        return [row[0] for row in cursor.fetchall()]


def somebody(town: Town, now: datetime, *, phone: str = PHONE, number: str = NUMBER) -> int:
    return actions.add_person(SYSTEM, name="赵明", area_id=town.village, phone=phone, id_number=number, now=now)


def test_no_number_lies_in_a_table_in_clear(town: Town, now: datetime) -> None:
    person = somebody(town, now)
    actions.set_contact(SYSTEM, person, channel="sms", address=PHONE)
    draft = actions.keep_draft(SYSTEM, name="a.xlsx", head=["姓名"], good=[], bad=[], now=now)
    stored = raw("people_person", "phone") + raw("people_person", "id_number") + raw("people_contactpreference", "address")
    stored += raw("people_importdraft", "good")
    assert all(value.startswith("1.") for value in stored)
    assert not any(PHONE in value or NUMBER in value for value in stored)
    row = Person.objects.unscoped().get(pk=person)
    assert (row.phone, row.id_number) == (PHONE, NUMBER)
    assert queries.contacts_of([person])[person][0].address == PHONE
    assert ImportDraft.objects.unscoped().get(pk=draft).good == "[]"


def test_a_person_is_found_by_the_whole_number_only(town: Town, now: datetime) -> None:
    person = somebody(town, now)
    somebody(town, now, phone="10000000062", number="")
    assert [row.id for row in queries.list_persons(SYSTEM, text=PHONE)[0]] == [person]
    assert queries.list_persons(SYSTEM, text=PHONE[:-1])[0] == []
    assert queries.find_person(SYSTEM, name="", area_id=0, id_number=NUMBER) == person
    assert queries.find_person(SYSTEM, name="赵明", area_id=town.village, phone=PHONE) == person
    for question in ({"phone": PHONE}, {"phone__contains": "1"}, {"id_number__startswith": "1"}):
        with pytest.raises((TypeError, ShouwangError, Exception), match=r"sealed|Unsupported lookup"):
            list(Person.objects.unscoped().filter(**question))


def test_an_identity_number_is_there_once(town: Town, now: datetime) -> None:
    somebody(town, now)
    with pytest.raises(IntegrityError), transaction.atomic():
        somebody(town, now, phone="")
    somebody(town, now, number="")
    somebody(town, now, number="")


def test_the_key_file_is_made_once_and_is_its_owners_only(town: Town, now: datetime) -> None:
    somebody(town, now)
    first = sealed.key_file().read_text()
    assert stat.S_IMODE(sealed.key_file().stat().st_mode) == 0o600
    assert sealed.keys(anew=True) == sealed.keys()
    assert sealed.key_file().read_text() == first


def test_the_wrong_keys_open_nothing_and_say_what_to_check(town: Town, now: datetime, settings: Any) -> None:
    somebody(town, now)
    assert resealing.closed_columns() == []
    settings.SHOUWANG_FIELD_KEYS = write_keys(new_keys())
    assert resealing.closed_columns() == ["people.person.id_number", "people.person.phone"]
    with pytest.raises(SealBroken, match="请核对密钥文件"):
        queries.list_persons(SYSTEM)


def test_rotation_seals_everything_again_and_old_keys_may_then_go(town: Town, now: datetime) -> None:
    person = somebody(town, now)
    actions.set_contact(SYSTEM, person, channel="sms", address=PHONE)
    before = sealed.fingerprint_of("people.person.phone", PHONE)
    sealed.save_keys(with_new_version(sealed.keys()))
    somebody(town, now, phone="10000000063", number="")
    assert resealing.versions_in_use() == {1: 3, 2: 1}
    told: list[int] = []
    assert resealing.reseal(told.append) == 3
    assert sum(told) == 3
    assert resealing.reseal() == 0
    assert resealing.versions_in_use() == {2: 4}
    current = sealed.keys()
    sealed.save_keys(Keys(current.index, {2: current.versions[2]}))
    assert [row.id for row in queries.list_persons(SYSTEM, text=PHONE)[0]] == [person]
    assert sealed.fingerprint_of("people.person.phone", PHONE) == before


@pytest.mark.django_db(transaction=True)
def test_clear_values_are_sealed_by_the_migration_and_opened_on_the_way_back(now: datetime) -> None:
    before, after = [("people", "0002_credential_rights")], [("people", "0004_seal_numbers")]
    executor = MigrationExecutor(connection)
    executor.migrate(before)
    try:
        old = executor.loader.project_state(before).apps
        area = old.get_model("places", "Area").objects.create(level="VILLAGE", name="黄庙村", path="/1/")
        person = {"name": "赵明", "initials": "zm", "area": area, "path": "/1/", "added_at": now, "phone": PHONE, "id_number": NUMBER}
        made = old.get_model("people", "Person").objects.create(**person)
        old.get_model("people", "ContactPreference").objects.create(person=made, channel="sms", address=PHONE)
        executor = MigrationExecutor(connection)
        executor.migrate(after)
        assert all(value.startswith("1.") for value in raw("people_person", "phone") + raw("people_contactpreference", "address"))
        assert [row.id for row in queries.list_persons(SYSTEM, text=PHONE)[0]] == [made.pk]
        executor = MigrationExecutor(connection)
        executor.migrate(before)
        assert raw("people_person", "phone") == [PHONE]
        assert raw("people_person", "id_number") == [NUMBER]
    finally:
        executor = MigrationExecutor(connection)
        executor.migrate(executor.loader.graph.leaf_nodes())
        ContactPreference.objects.unscoped().delete()
