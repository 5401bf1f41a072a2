"""What is beyond the camera, together: following the cases of hazards and agreed items, and telling above what is late."""

from __future__ import annotations

from datetime import datetime

from shouwang.cases.queries import case_row
from shouwang.systems.drowning.actions.hazards import follow_hazard, propose_hazard, tell_late_hazards
from shouwang.systems.drowning.actions.parties import follow_joint_item, tell_late_items
from shouwang.systems.drowning.actions.patrols import tell_late_patrols
from shouwang.systems.drowning.rules import SYSTEM
from shouwang.systems.drowning.rules import hazards as hazard_rules
from shouwang.systems.drowning.rules import parties as party_rules


def follow_case(case_id: int, *, closed: bool, now: datetime) -> None:
    """Let what a case is about stand as the case does; a closed rescue proposes a hazard. Cases of others are left alone."""
    kind = case_row(case_id).kind
    if kind == hazard_rules.CASE_KIND:
        follow_hazard(case_id, now=now)
    elif kind == party_rules.CASE_KIND:
        follow_joint_item(case_id, now=now)
    elif kind == SYSTEM and closed:
        propose_hazard(case_id, now=now)


def tell_late(now: datetime) -> int:
    """Tell whoever is above of patrols, hazards and agreed items that are past their day, each once; return how many."""
    return tell_late_patrols(now) + tell_late_hazards(now) + tell_late_items(now)
