"""What the page of a water shows beyond its cameras: its hazards and its next patrol."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from shouwang.people.rules import Scope
from shouwang.systems.drowning.actions.hazards import may_find
from shouwang.systems.drowning.queries import WaterRow
from shouwang.systems.drowning.queries.hazards import hazards_of
from shouwang.systems.drowning.queries.patrols import next_patrol
from shouwang.systems.drowning.rules import hazards as hazard_rules
from shouwang.systems.drowning.rules import patrols as patrol_rules


def beyond_of(scope: Scope, water: WaterRow, *, now: datetime, language: str) -> dict[str, Any]:
    """Return the hazards of a water and its oldest patrol that was not made, for its page."""
    patrol = next_patrol(water.id, now=now)
    rows = hazards_of(water.id, now=now, language=language)
    return {
        "hazards": [(row, hazard_rules.KINDS[row.kind], hazard_rules.STATES[row.state]) for row in rows], "may_find": may_find(scope, water.path),
        "patrol": patrol, "patrol_state": patrol_rules.STATES[patrol.state] if patrol else "",
    }
