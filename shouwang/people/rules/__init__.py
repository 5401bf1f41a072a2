"""Pure rules of people: scope and rights, masking, who answers, and what an imported row must be."""

from __future__ import annotations

from shouwang.people.rules.codes import DUTIES, FACTS, ROLES
from shouwang.people.rules.masking import initials, mask_id_number, mask_name, mask_phone
from shouwang.people.rules.roster import DutyRow, LeaveRow, Roster, ShiftRow, Who, ids_of_path
from shouwang.people.rules.scope import RIGHTS, RIGHTS_OF_DUTY, SYSTEM, Grant, Scope, rights_of

__all__ = [
    "DUTIES",
    "FACTS",
    "RIGHTS",
    "RIGHTS_OF_DUTY",
    "ROLES",
    "SYSTEM",
    "DutyRow",
    "Grant",
    "LeaveRow",
    "Roster",
    "Scope",
    "ShiftRow",
    "Who",
    "ids_of_path",
    "initials",
    "mask_id_number",
    "mask_name",
    "mask_phone",
    "rights_of",
]
