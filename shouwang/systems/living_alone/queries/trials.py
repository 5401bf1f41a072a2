"""Reads of trials, and of the past they look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from random import Random

from shouwang.systems.living_alone.models import Enrolment, Trial
from shouwang.systems.living_alone.rules import trials as rules
from shouwang.systems.living_alone.rules.trials import Effect

HOMES = 60
"""How many homes, drawn by lot, a trial looks at."""


@dataclass(frozen=True)
class TrialRow:
    """A trial as the page shows it: the effects of the prices in force, and of those tried, by tier and from few hours to many."""

    id: int
    area_id: int
    path: str
    targets: Mapping[str, float]
    homes: int
    stops: int
    tried: int
    of: int
    now: Mapping[str, Effect] | None
    points: Mapping[str, Sequence[Effect]]
    asked_at: datetime
    done_at: datetime | None
    accepted_at: datetime | None

    @property
    def is_too_small(self) -> bool:
        """Return whether the trial ended for want of homes that were read for long enough."""
        return self.done_at is not None and not self.tried

    @property
    def proposed(self) -> dict[str, Effect]:
        """Return by tier the price to which the targets lead, with the effects between the nearest prices tried."""
        return {tier: rules.effect_at(rules.price_for(self.targets[tier], points), points) for tier, points in self.points.items()}


def last_trial(path: str) -> TrialRow | None:
    """Return the last trial of an area, None where there was none."""
    row = Trial.objects.filter(path=path).order_by("-pk").first()
    return None if row is None else row_of(row)


def row_of(row: Trial) -> TrialRow:
    """Return a trial as the page shows it."""
    found = [rules.from_json(each) for each in row.points]
    points = {tier: [each[tier] for each in found[1:]] for tier in rules.TIERS} if row.done_at and found else {}
    return TrialRow(
        row.pk, row.area_id, row.path, {"call": row.call_target, "visit": row.visit_target}, row.homes, row.stops, len(found),
        len(row.prices) + 1, found[0] if found else None, points, row.asked_at, row.done_at, row.accepted_at,
    )


def streams_below(path: str, *, enrolled_before: datetime, chance: Random) -> list[int]:
    """Return the streams of at most HOMES watched homes below `path`, drawn by lot."""
    inside = Enrolment.objects.filter(active=True, path__gte=path, path__lt=path[:-1] + "0", enrolled_at__lte=enrolled_before)
    streams = list(inside.order_by("pk").values_list("datastream_id", flat=True))
    return sorted(chance.sample(streams, min(HOMES, len(streams))))
