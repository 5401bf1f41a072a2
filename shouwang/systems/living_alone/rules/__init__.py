"""Pure rules of the living-alone system: its procedures and kinds of alerts, absences, and the rows of an enrolment list."""

from shouwang.systems.living_alone.rules.kinds import KINDS, RATES, REASONS
from shouwang.systems.living_alone.rules.procedures import METER_CHECK, PROCEDURES, SAID, SYSTEM, WELFARE_CHECK

__all__ = ["KINDS", "METER_CHECK", "PROCEDURES", "RATES", "REASONS", "SAID", "SYSTEM", "WELFARE_CHECK"]
