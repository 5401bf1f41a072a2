"""How long things are remembered and looked at, in hours unless said: shared by all that judge by habit."""

from __future__ import annotations

WEEK_H = 168
RING_H = 192
AHEAD_H = 36
LONG_H = (8, 12, 18, 24)
QUIET_H = 3
WARM_H = 14 * 24
RECENT_H = (3, 6, 12, 24)
YEAR_H = 8766
EXCHANGED_L = 10.0
"""A register that falls by more is another meter's, by less the same one's that water has pushed back: nobody has used any."""
