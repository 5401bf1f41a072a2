"""From which confidence on a camera is believed: what other thresholds would have given on its own labelled cases. Pure.

What lies below the threshold is not dropped: it stays an alert that asks to look, without voice and without red.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

FALSE = frozenset({"FALSE_ALARM", "DEVICE"})
"""Results, on the phone or at the desk, by which the camera was wrong."""
STEPS = tuple(round(0.3 + 0.05 * n, 2) for n in range(13))
LEAST_LABELS = 10


@dataclass(frozen=True, slots=True)
class Labelled:
    """A closed case: how sure the camera was, and whether it was a false alarm."""

    score: float
    is_false: bool


@dataclass(frozen=True, slots=True)
class Effect:
    """What a threshold would have given: false alarms milder, and true ones milder too, which nobody wants."""

    least_score: float
    false_milder: int
    true_milder: int


def effects(labels: Sequence[Labelled]) -> tuple[Effect, ...]:
    """Return the effect of each threshold, none while there are fewer than ten labels."""
    if len(labels) < LEAST_LABELS:
        return ()
    return tuple(
        Effect(step, sum(each.is_false and each.score < step for each in labels), sum(not each.is_false and each.score < step for each in labels))
        for step in STEPS
    )


def proposed(found: Sequence[Effect]) -> Effect | None:
    """Return the highest threshold that makes no true alarm milder, None where none would help."""
    harmless = [each for each in found if each.true_milder == 0 and each.false_milder > 0]
    return max(harmless, key=lambda each: each.least_score, default=None)
