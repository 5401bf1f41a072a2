"""The pace of the garbage collector."""

from __future__ import annotations

import subprocess
import sys

from shouwang.kernel.collecting import YOUNG


def test_a_process_that_has_loaded_every_room_collects_seldom() -> None:
    program = "import django, gc; django.setup(); print(gc.get_threshold()[0], gc.get_freeze_count())"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert int(said[0]) == YOUNG
    assert int(said[1]) > 10_000
