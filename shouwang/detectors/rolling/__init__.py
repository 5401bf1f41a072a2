"""Water used in a rolling window, from a cumulative register: the core that the rules in service share. Not a detector itself.

Verdicts fall on a fixed grid of minutes of phenomenon time, so they do not depend on when anybody looks. At a grid
moment g the use in (g - window, g] is known between two bounds: `upper` is the register now less the last reading at or
before g - window, `lower` the register now less the first reading from g - window on. Low use needs upper < low_l, high
use needs lower > high_l, and the opposite verdict needs the other bound; in between, the verdict stands as it was. A
register that runs backwards is an exchanged meter: the window starts anew. A stream without a reading for longer than
`max_gap_h` is NO_DATA and says nothing about use: the other verdicts stand as they were.
"""

from __future__ import annotations

from shouwang.detectors.rolling.rule import NO_DATA, Rule
from shouwang.detectors.rolling.window import judge_window, move_readings

__all__ = ["NO_DATA", "Rule", "judge_window", "move_readings"]
