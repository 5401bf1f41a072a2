"""The page of the invariants names the tests that hold them, and they are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/invariants.md").read_text("utf-8")
TESTS = {
    name
    for path in (*(ROOT / "tests/invariants").glob("test_*.py"), *(ROOT / "tests/scope").glob("test_*.py"))
    for name in re.findall(r"^def (test_i\d\d_\w+)", path.read_text("utf-8"), re.MULTILINE)
}


@pytest.mark.parametrize("number", range(1, 11))
def test_every_invariant_is_stated_and_tested(number: int) -> None:
    assert re.search(rf"^\| I{number} \|", PAGE, re.MULTILINE)
    assert any(name.startswith(f"test_i{number:02}_") for name in TESTS)


def test_the_page_names_the_tests_as_they_are() -> None:
    assert set(re.findall(r"`(test_i\d\d_\w+)`", PAGE)) == TESTS
