"""Backup and restore on the database in use: complete under load, exact, refusing what would harm."""

from __future__ import annotations

import threading
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from shouwang.cli.backup import back_up, restore_from, sum_file, sum_of
from shouwang.cli.errors import BackupExists, BackupUnreadable, OtherVersion, TargetInUse
from shouwang.files.actions import store
from shouwang.files.queries import place_of
from shouwang.files.queries import verify as verify_file
from shouwang.journal.actions import append, set_timers
from shouwang.journal.queries import last_seq, timers_of, verify
from shouwang.journal.rules import LogBroken, NewEvent, NewTimer
from shouwang.places import queries as places
from shouwang.places.actions import add_area

pytestmark = pytest.mark.django_db(transaction=True)
EMPTY_ZIP = b"PK\x05\x06" + bytes(18)


def empty_the_database() -> None:
    call_command("flush", interactive=False, verbosity=0)


def write_event(n: int, *, now: datetime) -> None:
    with transaction.atomic():
        append([NewEvent("test.written", n, {"n": n})], now=now)


@pytest.fixture
def backup(tmp_path: Path, now: datetime) -> Path:
    root = add_area(parent_id=None, name="示范\t市\\", level="PREFECTURE", now=now)  # what a COPY must escape
    add_area(parent_id=root, name="示范县", now=now)
    with transaction.atomic():
        set_timers([NewTimer("DUE", 7, now)])
    file = tmp_path / "backup"
    back_up(file, now=now)
    return file


def test_what_was_backed_up_comes_back_row_by_row(backup: Path, now: datetime) -> None:
    before = [area.name for root in places.roots() for area in places.below(root.path)]
    events = last_seq()
    empty_the_database()
    done = restore_from(backup)
    assert before == [area.name for root in places.roots() for area in places.below(root.path)]
    assert events == done.events == verify()
    assert {7: now} == timers_of("DUE", [7])


def test_numbering_goes_on_after_a_restore(backup: Path, now: datetime) -> None:
    taken = max(area.id for root in places.roots() for area in places.below(root.path))
    empty_the_database()
    restore_from(backup)
    assert add_area(parent_id=places.roots()[0].id, name="新县", now=now) > taken


def test_the_sum_is_in_the_form_that_sha256sum_checks(backup: Path) -> None:
    assert f"{sum_of(backup)}  backup\n" == sum_file(backup).read_text()


@pytest.mark.writers
def test_a_backup_made_under_load_is_restored_with_its_chain(tmp_path: Path, now: datetime) -> None:
    stop = threading.Event()

    def write() -> None:
        n = 0
        while not stop.is_set():
            n += 1
            write_event(n, now=now)
        connection.close()

    writers = [threading.Thread(target=write) for _ in range(2)]
    for thread in writers:
        thread.start()
    while last_seq() < 20:
        pass
    least = last_seq()
    back_up(tmp_path / "backup", now=now)
    most = last_seq()
    stop.set()
    for thread in writers:
        thread.join()
    empty_the_database()
    done = restore_from(tmp_path / "backup")
    assert done.events is not None
    assert least <= done.events <= most + 1
    assert last_seq() == done.events


def test_a_target_with_data_is_refused_and_left_alone(backup: Path) -> None:
    before = last_seq()
    with pytest.raises(TargetInUse):
        restore_from(backup)
    assert before == last_seq()


def test_a_file_is_never_overwritten(backup: Path, now: datetime) -> None:
    digest = sum_of(backup)
    with pytest.raises(BackupExists):
        back_up(backup, now=now)
    assert digest == sum_of(backup)


def test_a_changed_byte_is_found_before_anything_is_written(backup: Path) -> None:
    content = bytearray(backup.read_bytes())
    content[len(content) // 2] ^= 1
    backup.write_bytes(content)
    empty_the_database()
    with pytest.raises(BackupUnreadable):
        restore_from(backup)
    assert last_seq() == 0


@pytest.mark.parametrize("content", [b"", b"not a backup", b"PK\x03\x04 no zip", EMPTY_ZIP, b"SQLite format 3\x00 and no more"])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "backup"
    file.write_bytes(content)
    sum_file(file).write_text(f"{sum_of(file)}  backup\n")
    with pytest.raises(BackupUnreadable):
        restore_from(file)


def test_a_backup_without_its_sum_is_refused(backup: Path) -> None:
    sum_file(backup).unlink()
    empty_the_database()
    with pytest.raises(BackupUnreadable):
        restore_from(backup)


def test_a_broken_chain_is_not_restored(tmp_path: Path, now: datetime) -> None:
    write_event(1, now=now)
    write_event(2, now=now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE journal_event SET payload = '{}' WHERE seq = 1")
    back_up(tmp_path / "backup", now=now)
    empty_the_database()
    with pytest.raises(LogBroken):
        restore_from(tmp_path / "backup")
    assert last_seq() == 0


def test_a_backup_of_other_tables_is_refused(tmp_path: Path, now: datetime) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("INSERT INTO django_migrations (app, name, applied) VALUES ('cases', '9999_later', '2026-01-01')")
    try:
        back_up(tmp_path / "backup", now=now)
    finally:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("DELETE FROM django_migrations WHERE name = '9999_later'")
    with pytest.raises(OtherVersion, match="9999_later"):
        restore_from(tmp_path / "backup")


def test_a_backup_is_a_zip_with_its_manifest(backup: Path) -> None:
    with zipfile.ZipFile(backup) as archive:
        names = archive.namelist()
    assert names[-1] == "manifest.json"
    assert ("tables/journal_event.copy" if connection.vendor == "postgresql" else "database.sqlite3") in names


def test_uploaded_files_come_back_in_a_new_place(tmp_path: Path, settings: Any, now: datetime) -> None:
    settings.SHOUWANG_DATA_DIR = tmp_path / "old"
    kept = [store(f"{n} 内容".encode(), limit_bytes=100, now=now) for n in range(3)]
    done = back_up(tmp_path / "backup", now=now)
    assert (done.files, done.lost) == (3, ())
    empty_the_database()
    settings.SHOUWANG_DATA_DIR = tmp_path / "new"
    restore_from(tmp_path / "backup")
    for each in kept:
        verify_file(each.id)
        assert place_of(each.sha256).is_relative_to(tmp_path / "new")


def test_content_that_is_gone_is_named_unless_its_time_had_passed(tmp_path: Path, settings: Any, now: datetime) -> None:
    settings.SHOUWANG_DATA_DIR = tmp_path / "old"
    kept = store(b"kept", limit_bytes=100, now=now)
    dropped = store(b"dropped", limit_bytes=100, now=now, retain_until=now)
    for each in (kept, dropped):
        place_of(each.sha256).unlink()
    assert (kept.sha256,) == back_up(tmp_path / "backup", now=now).lost


def test_a_refused_restore_leaves_no_content_behind(tmp_path: Path, settings: Any, now: datetime) -> None:
    settings.SHOUWANG_DATA_DIR = tmp_path / "old"
    content = store(b"content", limit_bytes=100, now=now)
    write_event(1, now=now)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE journal_event SET payload = '{}' WHERE seq = 1")
    back_up(tmp_path / "backup", now=now)
    empty_the_database()
    settings.SHOUWANG_DATA_DIR = tmp_path / "new"
    with pytest.raises(LogBroken):
        restore_from(tmp_path / "backup")
    assert not place_of(content.sha256).exists()


def test_a_backup_of_another_kind_of_database_is_refused(backup: Path) -> None:
    kind = b"POSTGRESQL" if connection.vendor == "postgresql" else b"SQLITE"
    changed = backup.with_name("changed")
    with zipfile.ZipFile(backup) as archive, zipfile.ZipFile(changed, "w") as out:
        for name in archive.namelist():
            out.writestr(name, archive.read(name).replace(b'"' + kind, b'"OTHER'))
    sum_file(changed).write_text(f"{sum_of(changed)}  changed\n")
    empty_the_database()
    with pytest.raises(BackupUnreadable, match="kind OTHER"):
        restore_from(changed)
