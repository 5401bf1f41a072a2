"""What the taps of those who came add up to; a few taps say nothing, so that none of them can be guessed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from shouwang.activities.rules.checks import require
from shouwang.kernel.texts import Text

SCORES: Mapping[int, Text] = {
    5: Text("非常满意", "Very satisfied"),
    4: Text("满意", "Satisfied"),
    3: Text("一般", "So-so"),
    2: Text("不满意", "Not satisfied"),
    1: Text("很不满意", "Not at all"),
}
FEWEST = 5
MOST = 20_000


@dataclass(frozen=True, slots=True)
class Evaluation:
    """How many have tapped, and their mean from 1 to 5; None while fewer than five have."""

    n: int
    mean: float | None


def evaluated(counts: Mapping[int, int]) -> Evaluation:
    """Return the evaluation that so many taps of each score come to."""
    n = sum(counts.values())
    return Evaluation(n, sum(score * count for score, count in counts.items()) / n if n >= FEWEST else None)


def require_score(score: int) -> None:
    """Raise ActivityWrong unless `score` is one of the five."""
    require(score in SCORES, ("评价", "The evaluation"), str(score), ("1 至 5", "1 to 5"))
