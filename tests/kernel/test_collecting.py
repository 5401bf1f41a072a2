"""The pace of the garbage collector."""

from __future__ import annotations

import gc

from shouwang.kernel.collecting import YOUNG


def test_a_process_that_has_loaded_every_room_collects_seldom() -> None:
    assert gc.get_threshold()[0] == YOUNG
    assert gc.get_freeze_count() > 10_000
