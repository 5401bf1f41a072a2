"""One seed of `make simulate`: two days of a county with faults, on the production dispatcher."""

from __future__ import annotations

from typing import Any

import pytest

from bench.simulate import OUTSIDE
from bench.simulate.mutants import MUTANTS, applied
from bench.simulate.simulation import simulate

pytestmark = pytest.mark.django_db(transaction=True)
DAYS = 2


@pytest.fixture(autouse=True)
def _outside(settings: Any) -> None:
    settings.SHOUWANG_WEBHOOK_ALLOW = [OUTSIDE]


def test_every_invariant_holds_through_faults_and_the_same_seed_gives_the_same_log() -> None:
    """I1 to I10; I8 is the second run."""
    first = simulate(3, days=DAYS)
    assert [] == first.violations, first.trail
    assert first.counts["cases"] > DAYS
    assert sum(first.faults.values()) > 10
    assert first.hash == simulate(3, days=DAYS).hash


def test_a_mutant_is_caught_and_the_run_says_where() -> None:
    with applied("timer_lost"):
        caught = simulate(3, days=DAYS, stop_at=1)
    (violation,) = caught.violations
    assert violation["invariant"].startswith(("I3", "no escalation early")), "a timer not set anew leaves the old one, which rings early"
    assert caught.trail
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 6
