"""The four national warning levels, mildest first, with the character that always accompanies the colour."""

from __future__ import annotations

from enum import IntEnum


class Severity(IntEnum):
    """Severity of an alert or a case; a higher number is graver (GB/T 33744 colours, CAP 1.2 severity)."""

    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def cap(self) -> str:
        """Return the CAP 1.2 severity word."""
        return {1: "Minor", 2: "Moderate", 3: "Severe", 4: "Extreme"}[self.value]

    @property
    def zh(self) -> str:
        """Return the character shown beside the colour."""
        return {1: "蓝", 2: "黄", 3: "橙", 4: "红"}[self.value]

    @property
    def css(self) -> str:
        """Return the class name of the colour."""
        return self.name.lower()
