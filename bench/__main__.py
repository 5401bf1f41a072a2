"""`python -m bench NAME [--key=value …] [--quick] [--self-test]`."""

from __future__ import annotations

import importlib
import sys
import traceback

from bench import harness

NAMES = (
    "cases", "alerts", "ingest", "contention", "promises", "cap", "faults", "latency", "simulate", "pages", "page", "first_run", "desk_live", "mqtt",
    "living_alone", "detectors", "camera_events", "camera_vision", "soak", "eligibility", "questions", "policy_checks",
)


def main(arguments: list[str]) -> int:
    """Run one bench and return the exit code."""
    names = [argument for argument in arguments if not argument.startswith("--")]
    if len(names) != 1 or names[0] not in NAMES:
        print(f"usage: python -m bench {{{'|'.join(NAMES)}}} [--key=value …] [--quick] [--self-test]", file=sys.stderr)
        return 2
    options = harness.Options.parse([argument for argument in arguments if argument.startswith("--")])
    bench = importlib.import_module(f"bench.{names[0]}")
    with harness.Bench(names[0], options) as run:
        try:
            found = bench.run(run)
        except Exception:  # noqa: BLE001 - a failed bench still prints its object
            traceback.print_exc()
            found = {"verified": False, "failed": traceback.format_exc(limit=1).strip().splitlines()[-1]}
        missed = [name for name, holds in getattr(bench, "FIGURES", {}).items() if not holds(found)]
        # What the self-test breaks must itself be seen: a figure that is missed anyway does not count.
        seen = bool(missed) and set(getattr(bench, "BROKEN", ())) <= set(missed)
        noticed = seen if getattr(bench, "BREAKS_A_FIGURE", False) else not found.get("verified")
        return run.report(found, missed, noticed=noticed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
