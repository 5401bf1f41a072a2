"""Bodies in blocks: in order, again, out of order, too large, too many, too old."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.telemetry.sources.coap.uploads import BlockMissing, Uploads
from shouwang.ui.answers import BodyTooLarge

LIMITS = {"body_bytes": 100, "uploads": 3, "upload_bytes": 150, "upload_s": 93}


def test_blocks_in_order_are_one_body_and_a_repeated_one_changes_nothing() -> None:
    uploads = Uploads(LIMITS)
    for again in (1, 2, 3):
        assert uploads.add("a", b"12", start=0, is_last=False, at_s=again) is None
    for again in (4, 5):
        assert uploads.add("a", b"34", start=2, is_last=False, at_s=again) is None
    for again in (6, 7):  # its answer may have been lost
        assert uploads.add("a", b"5", start=4, is_last=True, at_s=again) == b"12345"
    assert uploads.add("a", b"xy", start=0, is_last=True, at_s=8) == b"xy"


def test_a_block_that_does_not_follow_is_refused() -> None:
    uploads = Uploads(LIMITS)
    with pytest.raises(BlockMissing):
        uploads.add("a", b"34", start=2, is_last=True, at_s=0)
    uploads.add("a", b"12", start=0, is_last=False, at_s=0)
    for start in (1, 3, 50):
        with pytest.raises(BlockMissing):
            uploads.add("a", b"x", start=start, is_last=True, at_s=0)
    with pytest.raises(BlockMissing):
        uploads.add("b", b"34", start=2, is_last=True, at_s=0)


def test_nothing_grows_beyond_its_limit() -> None:
    uploads = Uploads(LIMITS)
    uploads.add("a", bytes(60), start=0, is_last=False, at_s=0)
    with pytest.raises(BodyTooLarge):
        uploads.add("a", bytes(60), start=60, is_last=False, at_s=0)
    assert len(uploads) == 0
    for key in range(10):
        uploads.add(key, b"x", start=0, is_last=False, at_s=0)
    assert len(uploads) == 3
    for key in range(3):
        uploads.add(key, bytes(100), start=0, is_last=True, at_s=1)
    assert len(uploads) == 1  # 150 B in all
    uploads.add("late", b"x", start=0, is_last=False, at_s=100)
    assert len(uploads) == 1
    with pytest.raises(BlockMissing):
        uploads.add("late", b"y", start=1, is_last=True, at_s=200)


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 120), st.integers(0, 40), st.booleans()), max_size=40))
def test_any_order_of_blocks_keeps_the_limits(blocks: list[tuple[int, int, int, bool]]) -> None:
    uploads = Uploads(LIMITS)
    for at_s, (key, start, size, is_last) in enumerate(blocks):
        try:
            body = uploads.add(key, bytes(size), start=start, is_last=is_last, at_s=at_s)
        except (BlockMissing, BodyTooLarge):
            continue
        assert (body is not None) is is_last
        assert body is None or len(body) == start + size
    held = [len(each.body) for each in uploads._uploads.values()]
    assert (len(held) <= 3, sum(held) <= 150, sum(held)) == (True, True, uploads._bytes)
