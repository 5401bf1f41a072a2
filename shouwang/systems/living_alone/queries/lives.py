"""How a home has lived lately: its curve, its days, what its cases turned out to be; and the homes somebody cares for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from shouwang.kernel.moments import local
from shouwang.people.rules import Scope
from shouwang.systems.living_alone.models import Label
from shouwang.systems.living_alone.queries import CHECK, HomeRow, last_use_of, list_homes
from shouwang.systems.living_alone.queries.curves import use_curve
from shouwang.systems.living_alone.rules.curve import hourly_use
from shouwang.systems.living_alone.rules.days import Day, weeks_of
from shouwang.systems.living_alone.rules.use import LastUse
from shouwang.telemetry.queries import series

WEEKS = 6
POINTS = 10_000
LABELS_SHOWN = 20
CARED_FOR = 200


@dataclass(frozen=True)
class Labelling:
    """What one case about a home turned out to be."""

    case_id: int
    alert_kind: str
    label: str
    opened_at: datetime
    contact_min: float | None


@dataclass(frozen=True)
class Life:
    """The last weeks of a home."""

    curve: dict[str, Any] | None
    weeks: Sequence[Sequence[Day | None]]
    labels: Sequence[Labelling]


@dataclass(frozen=True)
class CareRow:
    """A home on the list of whoever cares for it."""

    home: HomeRow
    last_use: LastUse | None

    @property
    def severity(self) -> int:
        """Return the severity of its open case, 0 without one."""
        return self.home.open_case.severity if self.home.open_case else 0

    @property
    def hours(self) -> int:
        """Return for how many whole hours readings have shown no use, 0 where nothing is known."""
        return int(self.last_use.silent_h) if self.last_use else 0


def life_of(household_id: int, datastream_id: int, *, now: datetime, language: str) -> Life:
    """Return the last three days by the hour, the last six weeks by the day, and the last cases of a home."""
    rows = Label.objects.filter(household_id=household_id).order_by("-opened_at", "-pk")[:LABELS_SHOWN]
    labels = [
        Labelling(
            row.case_id, row.alert_kind, row.label, row.opened_at,
            None if row.contact_at is None else (row.contact_at - row.opened_at) / timedelta(minutes=1),
        )
        for row in rows
    ]
    today = local(now).date()
    first = today - timedelta(days=today.weekday() + 7 * (WEEKS - 1))
    points = series(datastream_id, now - (today - first) - timedelta(days=2), now, max_points=POINTS).points()
    marked = {local(each.opened_at).date(): each.label for each in reversed(labels)}
    return Life(
        use_curve(datastream_id, until=now, end=now, marks=(), language=language),
        weeks_of(hourly_use(points, until=now), first=first, last=today, labels=marked), labels,
    )


def care_list(scope: Scope, *, now: datetime) -> tuple[list[CareRow], int]:
    """Return the homes in `scope` that are watched, those with an open case first, then by how long no water was used; and how many there are.

    At most CARED_FOR: it is the list of somebody who goes there on foot.
    """
    checked, _ = list_homes(scope, now=now, state=CHECK, limit=CARED_FOR)
    others, total = list_homes(scope, now=now, limit=CARED_FOR)
    homes = list({home.household_id: home for home in (*checked, *others)}.values())[:CARED_FOR]
    rows = [CareRow(home, last_use_of(home.datastream_id, now=now)) for home in homes]
    return sorted(rows, key=lambda row: (-row.severity, row.home.state == "AWAY", -(row.last_use.silent_h if row.last_use else 0.0))), total
