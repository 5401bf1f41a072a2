"""Pure rules of the living-alone system: its procedures and kinds of alerts, absences, and the rows of an enrolment list."""

from shouwang.systems.living_alone.rules.procedures import KINDS, METER_CHECK, PROCEDURES, REASONS, SAID, SYSTEM, WELFARE_CHECK

__all__ = ["KINDS", "METER_CHECK", "PROCEDURES", "REASONS", "SAID", "SYSTEM", "WELFARE_CHECK"]
