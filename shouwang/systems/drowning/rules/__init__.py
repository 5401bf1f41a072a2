"""Pure rules of the drowning system: zones, what an event means, the voice on site, procedures and kinds of alerts."""

from shouwang.systems.drowning.rules.kinds import KINDS, REASONS, SEVERITY, SYSTEM, TITLES
from shouwang.systems.drowning.rules.procedures import CAMERA_CHECK, PROCEDURES, WATER_EDGE_CHECK

__all__ = ["CAMERA_CHECK", "KINDS", "PROCEDURES", "REASONS", "SEVERITY", "SYSTEM", "TITLES", "WATER_EDGE_CHECK"]
