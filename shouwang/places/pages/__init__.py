"""The pages of places."""

from __future__ import annotations

from shouwang.places.pages.areas import areas, change, settings
from shouwang.places.pages.importing import bad_rows, bring_in, decide, preview, progress, template

__all__ = ["areas", "bad_rows", "bring_in", "change", "decide", "preview", "progress", "settings", "template"]
