"""The pages of telemetry."""

from __future__ import annotations

from shouwang.telemetry.pages.importing import bad, bring_in, decide, preview, progress
from shouwang.telemetry.pages.things import age, quarantine, release_quarantine, things

__all__ = ["age", "bad", "bring_in", "decide", "preview", "progress", "quarantine", "release_quarantine", "things"]
