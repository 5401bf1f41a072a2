"""What a case turned out to be, and the figures of a programme. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median, quantiles

from shouwang.kernel.texts import Text

LABELS: Mapping[str, Text] = {
    "WELL": Text("平安", "Well"), "NEEDED_HELP": Text("需要救助", "Needed help"), "AWAY": Text("外出", "Away"),
    "VISITOR": Text("有人来访", "Visitor"), "LEAK": Text("漏水", "Leak"), "TAP": Text("忘关水", "Tap left open"),
    "METER_FAULT": Text("水表故障", "Meter fault"), "KNOWN": Text("已知情况", "Known already"), "OTHER": Text("其他", "Other"),
}
FALSE_ALARMS = frozenset({"WELL", "AWAY", "VISITOR", "KNOWN"})
_WHAT = {"METER": "METER_FAULT", "LEAK": "LEAK", "TAP": "TAP"}
_RESULTS = {"REPAIRED": "METER_FAULT", "METER_OR_LEAK": "METER_FAULT", "WELL": "WELL", "NEEDED_HELP": "NEEDED_HELP", "AWAY": "AWAY", "VISITOR": "VISITOR", "ORDINARY": "WELL"}
_FALSE = {"DEVICE": "METER_FAULT", "KNOWN": "KNOWN"}
NEVER = frozenset({"TEST", "MERGED"})
"""How cases end that say nothing of a home: a test, and one that goes on as part of another."""
YEAR = timedelta(days=365.25)
SPREAD = 6
LEAST_YEARS = 0.5
"""A rate over less than this says nothing yet."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """One case with what it turned out to be."""

    household_id: int
    label: str
    opened_at: datetime
    contact_at: datetime | None


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of a programme over a span; None where nothing was counted."""

    home_years: float
    cases: int
    by_label: Mapping[str, int]
    false_per_home_year: float | None
    contact_median_min: float | None
    contact_p90_min: float | None
    homes_without: int
    home_p90: float | None
    home_most: int
    spread: tuple[int, ...] = ()
    """How many homes had 0, 1, 2, … false alarms; the last counts those with as many or more."""


def label_of(results: Sequence[str], what: str, *, ended: str = "") -> str | None:
    """Return the label of a case: whether help was needed at any step, else the last result, else why the desk `ended` it.

    `what` tells meter from leak. None where a case says nothing of a home.
    """
    if "NEEDED_HELP" in results:
        return "NEEDED_HELP"
    if ended in NEVER:
        return None
    if ended in _FALSE:
        return _FALSE[ended]
    last = next((result for result in reversed(results) if result in _RESULTS), "")
    return _WHAT.get(what, "METER_FAULT") if last == "METER_OR_LEAK" else _RESULTS.get(last, "OTHER")


def figures(found: Sequence[Labelled], watched: Mapping[int, timedelta]) -> Figures:
    """Return the figures of homes `watched` for so long each, with the cases `found` among them."""
    false = Counter(each.household_id for each in found if each.label in FALSE_ALARMS)
    years = sum(watched.values(), timedelta()) / YEAR
    waits = sorted((each.contact_at - each.opened_at) / timedelta(minutes=1) for each in found if each.contact_at is not None)
    per_home = sorted(false.get(home, 0) for home in watched)
    return Figures(
        years, len(found), Counter(each.label for each in found), sum(per_home) / years if years >= LEAST_YEARS else None,
        median(waits) if waits else None, _p90(waits), sum(1 for number in per_home if not number), _p90(per_home), max(per_home, default=0),
        tuple(sum(1 for number in per_home if min(number, SPREAD - 1) == often) for often in range(SPREAD)),
    )


def _p90(values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=10, method="inclusive")[-1]
