"""Writes of patrols: made ahead by the calendar, told done by whoever went, late ones told to the township once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from django.db import transaction
from django.db.models import Max

from shouwang.journal.actions import append
from shouwang.journal.rules import NewEvent
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import local
from shouwang.people.rules import Scope
from shouwang.systems.drowning.actions.hazards import require_find
from shouwang.systems.drowning.actions.telling import FROM_TOWNSHIP, tell_duty
from shouwang.systems.drowning.models import Patrol, Water
from shouwang.systems.drowning.queries import values_at
from shouwang.systems.drowning.rules import patrols as rules
from shouwang.systems.drowning.rules.errors import PatrolNotYet
from shouwang.systems.drowning.rules.patrols import midnight, rhythm_of, windows

NOTE_LENGTH = 400
TOLD_AT_ONCE = 200
WATERS_AT_ONCE = 2_000


def plan_patrols(now: datetime) -> int:
    """Make the patrols that begin within two weeks, for each water that is watched; return how many are new.

    One that is there already stays as it is: another rhythm holds from the next one on.
    """
    today = local(now).date()
    until = today + rules.AHEAD
    made: list[Patrol] = []
    waters = Water.objects.filter(active=True)
    last = dict(Patrol.objects.filter(water__active=True).values_list("water_id").annotate(Max("due_to")))
    rhythms = {area_id: rhythm_of(values_at(area_id)) for area_id in set(waters.values_list("area_id", flat=True))}
    for water in waters.order_by("pk")[:WATERS_AT_ONCE]:
        since = _begin(last.get(water.pk), today)
        made += [
            Patrol(water_id=water.pk, path=water.path, due_from=midnight(start), due_to=midnight(end))
            for start, end in windows(rhythms[water.area_id], since=since, until=until)
        ]
    with transaction.atomic():
        Patrol.objects.bulk_create(made, ignore_conflicts=True)
    return len(made)


def _begin(planned_to: datetime | None, today: date) -> date:
    """Return the day from which a water has no patrol yet; what was missed while nobody watched it is not asked for."""
    return today if planned_to is None else max(today, local(planned_to).date())


def do_patrol(scope: Scope, patrol_id: int, *, note: str = "", now: datetime) -> int:
    """Note that a patrol was made and nothing found; return its water. Telling it again changes nothing.

    Raises NotFound, Refused, PatrolNotYet.
    """
    row = Patrol.objects.filter(pk=patrol_id).first()
    if row is None or not scope.may("case.read", row.path):
        raise NotFound(what=f"巡查 {patrol_id}")
    require_find(scope, row.path)
    if now < row.due_from:
        raise PatrolNotYet(patrol=patrol_id, found=f"{local(row.due_from):%Y-%m-%d}")
    with transaction.atomic():
        told = Patrol.objects.filter(pk=patrol_id, done_at__isnull=True)
        if told.update(done_at=now, by=scope.person_id, note=" ".join(note.split())[:NOTE_LENGTH]):
            append([NewEvent("drowning.patrol_done", patrol_id, {"water": row.water_id, "hazard": None})], now=now)
    return row.water_id


def tell_late_patrols(now: datetime) -> int:
    """Tell the township of each patrol whose days are over and that nobody made, once; return how many."""
    late = Patrol.objects.filter(due_to__lte=now, done_at__isnull=True, told_at__isnull=True, water__active=True)
    rows: Sequence[Patrol] = list(late.select_related("water").order_by("pk")[:TOLD_AT_ONCE])
    for row in rows:
        with transaction.atomic():
            if Patrol.objects.filter(pk=row.pk, told_at__isnull=True, done_at__isnull=True).update(told_at=now):
                params = {"water": row.water.name, "until": f"{local(row.due_to):%Y-%m-%d}"}
                tell_duty(row.path, FROM_TOWNSHIP, template=rules.LATE, key=f"patrol:{row.pk}:late", params=params, now=now)
    return len(rows)
