"""Runs one part of a bench in this process: `python -m bench.part MODULE FUNCTION JSON`."""

from __future__ import annotations

import cProfile
import importlib
import json
import os
import sys


def main(module: str, function: str, arguments: str) -> None:
    """Call the function and print its answer."""
    import django

    django.setup()
    called = getattr(importlib.import_module(module), function)
    profile = os.environ.get("BENCH_PROFILE")
    if profile and function in profile.split(":")[0].split(","):
        with cProfile.Profile() as seen:
            answer = called(**json.loads(arguments))
        seen.dump_stats(f"{profile.split(':')[1]}-{function}-{os.getpid()}.prof")
    else:
        answer = called(**json.loads(arguments))
    print(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:4])
