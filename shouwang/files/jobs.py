"""What files do by the clock."""

from __future__ import annotations

from datetime import datetime

from shouwang.files import actions


def tidy(now: datetime) -> int:
    """Forget uploads nobody finished with, then drop what has passed its time; return how many files went."""
    actions.drop_old_uploads(now=now)
    return actions.drop_expired(now=now)
