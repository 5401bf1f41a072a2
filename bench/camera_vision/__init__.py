"""Vision of plain cameras: what `python -m bench camera_vision` runs; it needs the extra `shouwang[vision]`, this file does not."""

from __future__ import annotations

from typing import Any

from bench.camera_vision.figures import FIGURES
from bench.harness import Bench

__all__ = ["BREAKS_A_FIGURE", "BROKEN", "FIGURES", "run"]

BREAKS_A_FIGURE = True
BROKEN = ("recall_1s_day",)


def run(bench: Bench) -> dict[str, Any]:
    """Run the bench."""
    from bench.camera_vision.running import run as run_all

    return run_all(bench)
