"""What runs in a process of its own: some seeds on one database, with or without a mutant."""

from __future__ import annotations

import logging
import sys
import traceback
from dataclasses import asdict
from typing import Any

from bench.simulate import mutants
from bench.simulate.simulation import simulate

BROKEN = ("TypeError", "AttributeError", "NameError", "ImportError")
"""What a play finds when a mutant itself is broken: it proves nothing."""


def seeds(*, seeds: list[int], days: int, again_every: int, cases_per_day: float) -> dict[str, Any]:
    """Make the tables, play each of `seeds`, and every so often one a second time: its log must be the same (I8)."""
    _quiet()
    outcomes, repeated = [], 0
    for n, seed in enumerate(seeds):
        outcome = asdict(_played(seed, days=days, cases_per_day=cases_per_day))
        if again_every and n % again_every == 0:
            repeated += 1
            second = _played(seed, days=days, cases_per_day=cases_per_day)
            if second.hash != outcome["hash"]:
                outcome["violations"].append({
                    "invariant": "I8 the same seed gives the same log", "at": "the end", "found": second.hash, "expected": outcome["hash"],
                })
        _tell(outcome)
        outcomes.append(outcome)
    return {"outcomes": outcomes, "repeated": repeated}


def names() -> dict[str, Any]:
    """Return the names of the mutants."""
    return {"names": [each.name for each in mutants.MUTANTS]}


def mutant(*, name: str, first_seed: int, most_seeds: int, days: int, cases_per_day: float) -> dict[str, Any]:
    """Play seed after seed with one mutant until an invariant does not hold; return which, and after how many."""
    _quiet()
    for n in range(most_seeds):
        with mutants.applied(name):
            outcome = simulate(first_seed + n, days=days, stop_at=1, cases_per_day=cases_per_day)
        if outcome.violations:
            found = outcome.violations[0]
            if any(error in found["found"] for error in BROKEN):
                message = f"the mutant {name} no longer fits the code it changes: {found['found']}"
                raise RuntimeError(message)
            return {"caught": True, "seeds": n + 1, "invariant": found["invariant"], "found": found["found"][:160]}
    return {"caught": False, "seeds": most_seeds}


def _quiet() -> None:
    from django.core.management import call_command

    logging.disable(logging.ERROR)
    call_command("migrate", verbosity=0)


def _played(seed: int, *, days: int, cases_per_day: float) -> Any:
    try:
        return simulate(seed, days=days, cases_per_day=cases_per_day)
    except Exception:
        traceback.print_exc()
        print(f"seed {seed} broke the simulator itself; replay: make simulate SEEDS=1 ARGS=--seed={seed}", file=sys.stderr, flush=True)
        raise


def _tell(outcome: dict[str, Any]) -> None:
    """Say how a seed went; a violation with its trail and how to replay it."""
    counts = outcome["counts"]
    print(
        f"seed {outcome['seed']}: {outcome['seconds']} s, {counts.get('cases')} cases, {counts.get('messages')} messages, "
        f"{len(outcome['violations'])} violations", file=sys.stderr, flush=True,
    )
    for violation in outcome["violations"]:
        print(f"  VIOLATION of {violation['invariant']} at {violation['at']}: found {violation['found']}, expected {violation['expected']}", file=sys.stderr)
    if outcome["violations"]:
        print("  trail:", *outcome["trail"], sep="\n    ", file=sys.stderr)
        print(f"  replay: make simulate SEEDS=1 ARGS=--seed={outcome['seed']}", file=sys.stderr, flush=True)
