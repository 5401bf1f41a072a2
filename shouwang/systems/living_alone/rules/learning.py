"""In words, how well the watch knows a home: from how many days of readings. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from shouwang.kernel.texts import Text

DAY = timedelta(days=1)
WARM_DAYS = 14
"""From then on a home is judged by its own habits, before by those of homes in general."""

LOOKING = Text("正在查看水表已有的读数", "looking at the readings the meter has sent")
NOTHING = Text("水表还没有读数，先按一般人家的习惯判断", "the meter has sent nothing yet: judged by the habits of homes in general")
LEARNING = Text("正在从 {days} 天的读数学习", "learning from {days} days of readings")
YOUNG = Text("只有 {days} 天的读数，满 14 天前按一般人家的习惯判断", "{days} days of readings: before 14 it is judged by the habits of homes in general")
KNOWN = Text("已从 {days} 天的读数学到这户的习惯", "learnt from {days} days of readings")


def known_by(first_at: datetime | None, *, is_learnt: bool, is_taken: bool, now: datetime) -> tuple[Text, int]:
    """Return how well a home is known, and from how many days of readings, the first of which is `first_at`."""
    if first_at is None:
        return (NOTHING if is_learnt else LOOKING), 0
    days = max((now - first_at) // DAY, 0)
    if not is_taken:
        return LEARNING, days
    return (KNOWN if days >= WARM_DAYS else YOUNG), days
