"""Sealing: what is sealed opens with its key and place only, and equal values share a fingerprint, not a seal."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.kernel.sealing import (
    Keys,
    KeysInvalid,
    SealBroken,
    fingerprint,
    new_keys,
    parse_keys,
    seal,
    unseal,
    version_of,
    with_new_version,
    write_keys,
)

KEYS = new_keys()
A = base64.urlsafe_b64encode(b"a" * 32).decode()
TEXTS = st.text(min_size=1, max_size=300)


@given(TEXTS)
def test_what_is_sealed_is_opened_again_and_shows_nothing(text: str) -> None:
    sealed = seal(text, KEYS, about="phone")
    assert unseal(sealed, KEYS, about="phone") == text
    assert sealed.startswith("1.")
    assert len(text) < 4 or text not in sealed


@given(TEXTS)
def test_equal_texts_are_sealed_differently_and_share_their_fingerprint(text: str) -> None:
    assert seal(text, KEYS, about="phone") != seal(text, KEYS, about="phone")
    assert fingerprint(text, KEYS, about="phone") == fingerprint(text, KEYS, about="phone")
    assert fingerprint(text, KEYS, about="phone") != fingerprint(text, KEYS, about="id")
    assert fingerprint(text, KEYS, about="phone") != fingerprint(text, new_keys(), about="phone")


def test_nothing_stays_nothing() -> None:
    assert (seal("", KEYS, about="x"), unseal("", KEYS, about="x"), fingerprint("", KEYS, about="x")) == ("", "", "")


@given(TEXTS, st.integers(0, 10_000), st.integers(1, 255))
def test_a_changed_byte_is_noticed(text: str, place: int, flip: int) -> None:
    sealed = seal(text, KEYS, about="phone")
    raw = bytearray(base64.urlsafe_b64decode(sealed.partition(".")[2]))
    raw[place % len(raw)] ^= flip
    with pytest.raises(SealBroken):
        unseal("1." + base64.urlsafe_b64encode(bytes(raw)).decode(), KEYS, about="phone")


@pytest.mark.parametrize("sealed", ["10000000001", "1.", "1.x", "2.aaaa", "0.aaaa", ".", "x.y", "1.AAAA"])
def test_what_is_no_seal_of_ours_is_refused(sealed: str) -> None:
    with pytest.raises(SealBroken):
        unseal(sealed, KEYS, about="phone")


def test_a_seal_opens_in_its_own_column_only() -> None:
    with pytest.raises(SealBroken):
        unseal(seal("10000000001", KEYS, about="phone"), KEYS, about="id")


def test_rotation_seals_with_the_new_key_and_still_opens_the_old() -> None:
    newer = with_new_version(KEYS)
    old, new = seal("a", KEYS, about="x"), seal("a", newer, about="x")
    assert (version_of(old), version_of(new)) == (1, 2)
    assert unseal(old, newer, about="x") == unseal(new, newer, about="x") == "a"
    assert fingerprint("a", KEYS, about="x") == fingerprint("a", newer, about="x")
    with pytest.raises(SealBroken):
        unseal(old, Keys(newer.index, {2: newer.versions[2]}), about="x")


def test_keys_are_written_and_read_back() -> None:
    newer = with_new_version(KEYS)
    assert parse_keys(write_keys(newer)) == newer
    assert parse_keys(write_keys(newer).replace("\n", ",")) == newer


@pytest.mark.parametrize("text", ["", "index:" + A, "1:" + A, "index:x,1:y", f"index:{A},1:AAAA", f"index:{A},01:{A}", f"index:{A},x:{A}"])
def test_keys_that_will_not_do_say_so(text: str) -> None:
    with pytest.raises(KeysInvalid):
        parse_keys(text)
