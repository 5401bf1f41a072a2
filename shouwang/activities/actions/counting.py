"""What is counted: who came, as a number; taps of the evaluation, without names; what it cost."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction

from shouwang.activities import events as kinds
from shouwang.activities.actions.holding import held, held_public, require_state, tell
from shouwang.activities.models import Activity, Headcount, Rating
from shouwang.activities.rules.checks import require, require_key
from shouwang.activities.rules.evaluation import MOST, require_score
from shouwang.activities.rules.plans import MOST_PEOPLE
from shouwang.kernel.texts import Text
from shouwang.people.rules import Scope

COUNTING = Text("计数", "count who came")
RATING = Text("评价", "rate it")
NOTING = Text("登记费用", "note the cost")
RATED_UNTIL = timedelta(days=7)


def count_attendance(scope: Scope, activity_id: int, *, change: int, key: str, now: datetime) -> int:
    """Count so many more (or fewer) who came and return how many there are; the same key again counts nothing.

    Raises NotFound, Refused, MoveRefused, ActivityWrong.
    """
    with transaction.atomic():
        return _count(scope, held(scope, activity_id), change=change, key=key, now=now)


def correct_attendance(scope: Scope, activity_id: int, *, total: int, key: str, now: datetime) -> int:
    """Set how many came and return that. Raises as `count_attendance`."""
    with transaction.atomic():
        row = held(scope, activity_id)
        return _count(scope, row, change=total - (row.attended or 0), key=key, now=now)


def _count(scope: Scope, row: Activity, *, change: int, key: str, now: datetime) -> int:
    require_key(key)
    require_state(row, "RUNNING", "ENDED", doing=COUNTING)
    if Headcount.objects.filter(activity_id=row.pk, key=key).exists():
        return row.attended or 0
    total = (row.attended or 0) + change
    require(0 <= total <= MOST_PEOPLE, ("人数", "The number of people"), str(total), (f"0 至 {MOST_PEOPLE}", f"0 to {MOST_PEOPLE}"))
    Headcount.objects.create(activity_id=row.pk, key=key, change=change, at=now, by=scope.person_id)
    row.attended = total
    row.save(update_fields=["attended"])
    tell(row, kinds.ATTENDANCE_COUNTED, now=now, change=change, count=total, by=scope.person_id)
    return total


def rate(code: str, *, score: int, key: str, now: datetime) -> None:
    """Take one tap from 1 to 5; the same key changes its tap. Until a week after the end. Raises NotFound, NotUsed, MoveRefused, ActivityWrong."""
    require_key(key)
    require_score(score)
    with transaction.atomic():
        row = held_public(code, use="EVALUATION")
        require_state(row, "RUNNING", "ENDED", doing=RATING)
        late = now > row.ends_at + RATED_UNTIL
        require(not late, ("评价时间", "The time"), f"{now:%Y-%m-%d}", ("活动结束后 7 天内", "within 7 days after the activity"))
        before = Rating.objects.filter(activity_id=row.pk, key=key).first()
        if before is not None and before.score == score:
            return
        was = before.score if before else None
        full = before is None and Rating.objects.filter(activity_id=row.pk).count() >= MOST
        require(not full, ("评价数", "The number of taps"), str(MOST), (f"少于 {MOST}", f"fewer than {MOST}"))
        Rating.objects.update_or_create(activity_id=row.pk, key=key, defaults={"score": score, "at": now})
        tell(row, kinds.RATED, now=now, score=score, was=was)


def note_cost(scope: Scope, activity_id: int, *, fen: int, now: datetime) -> None:
    """Note what an activity cost, in fen; the same again changes nothing. Raises NotFound, Refused, NotUsed, MoveRefused."""
    with transaction.atomic():
        row = held(scope, activity_id, use="COST")
        require_state(row, "PLANNED", "OPEN", "RUNNING", "ENDED", doing=NOTING)
        require(fen >= 0, ("费用", "The cost"), str(fen), ("不小于零", "not below zero"))
        if row.cost_fen == fen:
            return
        row.cost_fen = fen
        row.save(update_fields=["cost_fen"])
        tell(row, kinds.COST_NOTED, now=now, fen=fen, by=scope.person_id)
