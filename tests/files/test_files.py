"""Files: kept once by content, within a limit, for certain, and for a time."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.files import actions, jobs, queries
from shouwang.files.models import File
from shouwang.files.rules import FileEmpty, FileLost, FileTooLarge, Sensitivity, later, shard, stricter
from shouwang.kernel.errors import NotFound

LIMIT = 1_000_000
SENSITIVITIES = st.sampled_from(Sensitivity)


@pytest.fixture(autouse=True)
def _own_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("django.conf.settings.SHOUWANG_DATA_DIR", tmp_path)


def kept() -> list[Path]:
    """Return every file in the folder of content."""
    return [path for path in queries.folder().rglob("*") if path.is_file()]


@settings(deadline=None)  # a busy machine is no failure
@given(SENSITIVITIES, SENSITIVITIES, SENSITIVITIES)
def test_the_stricter_of_two_wins_in_any_order(one: Sensitivity, two: Sensitivity, three: Sensitivity) -> None:
    assert stricter(one, two) is stricter(two, one)
    assert stricter(stricter(one, two), three) is stricter(one, stricter(two, three))
    assert stricter("SEALED", one) is Sensitivity.SEALED


def test_the_later_retention_wins_and_for_ever_is_latest(now: datetime) -> None:
    assert later(now, now + timedelta(1)) == now + timedelta(1)
    assert later(None, now) is None
    assert later(now, None) is None


def test_content_is_sharded_by_its_hash() -> None:
    assert str(shard("abcdef")) == "ab/cd/abcdef"


@pytest.mark.django_db
def test_a_stored_file_is_read_back_and_verified(now: datetime) -> None:
    stored = actions.store(io.BytesIO(b"a photo"), limit_bytes=LIMIT, now=now, media_type="image/jpeg")
    assert (stored.sha256, stored.size) == (hashlib.sha256(b"a photo").hexdigest(), 7)
    assert (stored.stored_at, stored.retain_until, stored.sensitivity) == (now, None, Sensitivity.INTERNAL)
    with queries.open_file(stored.id) as content:
        assert content.read() == b"a photo"
    queries.verify(stored.id)
    assert queries.file(stored.id) == stored


@pytest.mark.django_db
def test_equal_content_is_kept_once_with_the_stricter_rules(now: datetime) -> None:
    soon, late = now + timedelta(days=1), now + timedelta(days=30)
    first = actions.store(b"same", limit_bytes=LIMIT, now=now, retain_until=late)
    second = actions.store(b"same", limit_bytes=LIMIT, now=now, retain_until=soon, sensitivity=Sensitivity.SEALED)
    assert (second.id, second.retain_until, second.sensitivity) == (first.id, late, Sensitivity.SEALED)
    assert len(kept()) == 1


@pytest.mark.django_db
def test_a_file_at_its_limit_is_kept_and_one_past_it_leaves_nothing(now: datetime) -> None:
    actions.store(b"x" * 100, limit_bytes=100, now=now)
    with pytest.raises(FileTooLarge, match="100"):
        actions.store(io.BytesIO(b"y" * 101), limit_bytes=100, now=now)
    with pytest.raises(FileEmpty):
        actions.store(b"", limit_bytes=100, now=now)
    assert (len(kept()), File.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_a_source_that_breaks_off_leaves_nothing(now: datetime) -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError(size)

    with pytest.raises(OSError, match="262144"):
        actions.store(Broken(), limit_bytes=LIMIT, now=now)
    assert (kept(), File.objects.count()) == ([], 0)


@pytest.mark.django_db
def test_a_derived_copy_names_its_original(now: datetime) -> None:
    original = actions.store(b"sealed", limit_bytes=LIMIT, now=now, sensitivity=Sensitivity.SEALED)
    copy = actions.store(b"masked", limit_bytes=LIMIT, now=now, derived_from=original.id, derivation="MASKED")
    assert queries.copies(original.id) == [copy]
    with pytest.raises(NotFound):
        actions.store(b"other", limit_bytes=LIMIT, now=now, derived_from=999_999)


@pytest.mark.django_db
def test_lost_or_changed_content_is_found(now: datetime) -> None:
    stored = actions.store(b"content", limit_bytes=LIMIT, now=now)
    queries.place_of(stored.sha256).write_bytes(b"other")
    with pytest.raises(FileLost):
        queries.verify(stored.id)
    queries.place_of(stored.sha256).unlink()
    with pytest.raises(FileLost):
        queries.open_file(stored.id)
    actions.store(b"content", limit_bytes=LIMIT, now=now)
    queries.verify(stored.id)


@pytest.mark.django_db
def test_what_has_passed_its_time_is_dropped_copies_first(now: datetime) -> None:
    until = now + timedelta(days=1)
    original = actions.store(b"original", limit_bytes=LIMIT, now=now, retain_until=until)
    actions.store(b"copy", limit_bytes=LIMIT, now=now, retain_until=until, derived_from=original.id)
    held = actions.store(b"held", limit_bytes=LIMIT, now=now, retain_until=until)
    for_ever = actions.store(b"kept copy", limit_bytes=LIMIT, now=now, derived_from=held.id)
    assert actions.drop_expired(now=now) == 0
    assert actions.drop_expired(now=until) == 2
    assert set(File.objects.values_list("id", flat=True)) == {held.id, for_ever.id}
    assert len(kept()) == 2


@pytest.mark.django_db
def test_an_upload_is_kept_for_its_account_and_purpose_until_finished_with(now: datetime) -> None:
    number = actions.keep_upload(b"a list", account_id=7, purpose="homes", name="x" * 200, limit_bytes=LIMIT, now=now)
    found = queries.upload(7, number, purpose="homes")
    assert (len(found.name), found.done, found.note) == (120, 0, {})
    assert queries.path_of(found.file_id).read_bytes() == b"a list"
    for account, purpose in ((8, "homes"), (7, "places")):
        with pytest.raises(NotFound):
            queries.upload(account, number, purpose=purpose)
    assert actions.move_upload(number, was=0, done=5, note={"good": 5})
    assert not actions.move_upload(number, was=0, done=9, note={})  # another has gone on meanwhile
    assert queries.upload(7, number, purpose="homes").note == {"good": 5}


@pytest.mark.django_db
def test_an_upload_nobody_finished_is_forgotten_after_a_day_and_then_its_content_goes(now: datetime) -> None:
    number = actions.keep_upload(b"a list", account_id=7, purpose="homes", name="a.xlsx", limit_bytes=LIMIT, now=now)
    day = timedelta(days=1, seconds=1)
    assert actions.drop_expired(now=now + day) == 0  # the upload still refers to it
    assert jobs.tidy(now + timedelta(hours=23)) == 0
    assert jobs.tidy(now + day) == 1
    assert kept() == []
    with pytest.raises(NotFound):
        queries.upload(7, number, purpose="homes")


@pytest.mark.django_db
def test_what_has_become_part_of_something_is_kept_longer(now: datetime) -> None:
    stored = actions.store(b"a photo", limit_bytes=LIMIT, now=now, retain_until=now + timedelta(days=7))
    actions.keep_until([stored.id], now + timedelta(days=90))
    assert queries.file(stored.id).retain_until == now + timedelta(days=90)
    actions.keep_until([stored.id], now + timedelta(days=1))
    assert queries.file(stored.id).retain_until == now + timedelta(days=90)
