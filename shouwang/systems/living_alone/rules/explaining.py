"""What is known of a home that explains a finding, so that nobody is sent. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from shouwang.alerts.rules import FoundFinding
from shouwang.kernel.moments import HOUR_US, to_us
from shouwang.systems.living_alone.rules.kinds import CALL, EXPLAINED_BY_ABSENCE, NO_DATA, VISIT

OVERDUE = 1.5
"""After how many intervals without an upload a meter is silent."""
BY_WORD = frozenset({CALL, VISIT})
"""What a word that all is well explains, as long as no water was used since: never the hard stop."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a home; `can_call` is asked only where it matters."""

    away_until: datetime | None
    said_well_at: datetime | None
    upload_h: int
    can_call: Callable[[datetime], bool]
    is_gateway_dead: Callable[[int, datetime], bool] | None = None
    """Whether nothing has come through the meter's gateway since a moment (µs): it is the gateway then, and has its own ticket."""

    def explains(self, finding: FoundFinding, now: datetime) -> bool:
        """Return whether a finding needs nobody: the home is away, somebody said during this silence that all is well, or a call finds no telephone.

        Whoever cannot be called is visited at the later hour that is worth a visit. A meter that sends once a day is not silent
        for the hours between, and one behind a dead gateway is not the one to look at.
        """
        if finding.kind == NO_DATA:
            return float(finding.params.get("max_gap_h", OVERDUE * self.upload_h)) < OVERDUE * self.upload_h or self._is_gateways(finding, now)
        if finding.kind in EXPLAINED_BY_ABSENCE and self.away_until is not None and self.away_until > now:
            return True
        if finding.kind in BY_WORD and self._said_well_since(finding):
            return True
        return finding.kind == CALL and not self.can_call(now)

    def _is_gateways(self, finding: FoundFinding, now: datetime) -> bool:
        last_us = finding.params.get("last_at_us")
        return self.is_gateway_dead is not None and last_us is not None and self.is_gateway_dead(int(last_us) + self.upload_h * HOUR_US, now)

    def _said_well_since(self, finding: FoundFinding) -> bool:
        """Return whether the word came after the hour of the last use was over: else it may be about an earlier silence."""
        last_use_us = finding.params.get("last_use_us")
        return self.said_well_at is not None and last_use_us is not None and last_use_us + HOUR_US <= to_us(self.said_well_at)
