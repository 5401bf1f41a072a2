"""`policy_checks`: what the policy language promises, asked of the shipped library, of random policies, and of the tests of DMN and publicodes.

`--policies=F --cases=F` (docs/reference/eligibility.md) runs a file of cases beside.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.harness import Bench, sha256
from bench.policy_checks import attacks, dmn, partial, publicodes, randomly
from shouwang.eligibility import cases_of, differences, library_of

FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "flips": lambda found: found.get("flips") == 0,
    "backends_disagree": lambda found: found.get("backends_disagree") == 0,
    "replay_share": lambda found: found.get("replay_share") == 1.0,
    "leaves_uncited": lambda found: found.get("leaves_uncited") == 0,
    "injections_accepted": lambda found: found.get("injections_accepted") == 0,
    "round_trips_failed": lambda found: found.get("round_trips_failed") == 0,
    "tck_nodes": lambda found: (found.get("tck_nodes") or 0) >= 400,
    "ternary_failed": lambda found: found.get("ternary_failed") == 0,
    "publicodes_values": lambda found: (found.get("publicodes_values") or 0) >= 150,
    "missing_lists_failed": lambda found: found.get("missing_lists_failed") == 0,
    "cases_failed": lambda found: not found.get("cases_failed"),
}
BREAKS_A_FIGURE, BROKEN = True, ("flips", "backends_disagree")
ARCHIVES = ("dmn_tck_cases.tar.gz", "publicodes_tests.tar.gz")


def run(bench: Bench) -> dict[str, Any]:
    """Return what each check found."""
    people = bench.options.number("people", 100_000, quick=2_000)
    policies = bench.options.number("policies_made", 1_000, quick=50)
    bench.n = {"people": people, "replayed": min(people, 5_000), "random_policies": policies}
    found = partial.run(bench, people, broken=bench.options.self_test)
    bench.note(f"people: {found}")
    found |= randomly.run(bench, policies)
    found |= attacks.run()
    bench.note("random policies and attacks")
    data = Path(os.environ.get("SHOUWANG_DATA", "")) / "policy"
    for archive, check, empty in ((ARCHIVES[0], dmn.run, dmn.NOTHING), (ARCHIVES[1], publicodes.run, publicodes.NOTHING)):
        path = data / archive
        if path.is_file():
            bench.data[archive] = sha256(path)
            found |= check(path, bench.folder)
        else:
            bench.skipped.append(archive)
            found |= empty
    found |= of_files(bench)
    missing = bool(bench.skipped) and "SHOUWANG_DATA" in os.environ
    promised = ("flips", "backends_disagree", "random_disagree", "random_flips", "injections_accepted", "round_trips_failed", "ternary_failed")
    found["verified"] = not missing and not any(found.get(name) for name in promised)
    return found


def of_files(bench: Bench) -> dict[str, Any]:
    """Return how the cases of `--cases` come out with the policies of `--policies`."""
    policies, cases = (bench.options.values.get(name) for name in ("policies", "cases"))
    if not policies or not cases:
        return {"cases": None, "cases_failed": None, "failed": []}
    bench.data |= {Path(each).name: sha256(Path(each)) for each in (policies, cases)}
    library, given = library_of(Path(policies).read_text("utf-8")), cases_of(Path(cases).read_text("utf-8"))
    wrong = differences(library, given)
    shown = [{"case": each.case, "what": each.what, "expected": str(each.expected), "got": str(each.got)} for each in wrong[:20]]
    return {"cases": len(given), "cases_failed": len({each.case for each in wrong}), "failed": shown}
