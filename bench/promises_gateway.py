"""The web process of `promises_disk`: the real one, which knows the benches' kind of alert; broken for the self-test."""

from __future__ import annotations

import os
from typing import Any

from bench.world import register
from shouwang.config.gateway import application

register()
if os.environ.get("BENCH_BROKEN"):
    from django.db import OperationalError

    from shouwang.telemetry import actions
    from shouwang.telemetry.rules import IngestResult

    really = actions.ingest

    def careless(columns: Any, **more: Any) -> IngestResult:
        """Say that readings are stored, whether they are or not."""
        try:
            return really(columns, **more)
        except OperationalError:
            return IngestResult(len(columns))

    actions.ingest = careless

__all__ = ["application"]
