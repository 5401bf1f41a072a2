"""How often the garbage collector looks: Python's own pace costs a tenth of a batch of alerts, and finds nothing."""

from __future__ import annotations

import gc

YOUNG, MIDDLE, OLD = 20_000, 20, 20


def collect_seldom() -> None:
    """Keep what the program has loaded out of the collector's sight, and let it look after each YOUNG new objects.

    Call it once everything is loaded. Objects go by their counts; the collector is for those that refer to one another.
    """
    gc.freeze()
    gc.set_threshold(YOUNG, MIDDLE, OLD)
