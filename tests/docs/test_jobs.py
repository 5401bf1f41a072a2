"""The caps of the daily jobs are a table that `make jobs` can read, and hold what was promised."""

from __future__ import annotations

from tests.browser.hands import MEASURES, caps

PROMISED = {"dispatch": ("clicks", 2), "close": ("clicks", 5), "telephone_entry": ("seconds", 20), "field_report": ("clicks", 5), "enrol_home": ("seconds", 60)}


def test_each_promise_has_its_cap() -> None:
    found = caps()
    assert all(set(each) == set(MEASURES) for each in found.values())
    assert all(found[job][measure] <= most for job, (measure, most) in PROMISED.items())


def test_a_row_that_is_not_whole_sets_no_cap() -> None:
    assert caps("| `close` | grid worker | done | 5 | 0 | 3 |") == {}
    assert caps("| `close` | grid worker | done | 5 | 0 | 3 | 7.5 |") == {"close": {"clicks": 5, "keys": 0, "pages": 3, "seconds": 7.5}}
