"""What an alert is made of, and which of several findings makes which change. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from shouwang.kernel.errors import ShouwangError

Key = tuple[str, str, int, int | None]
LARGEST_BATCH = 500


class BatchTooLarge(ShouwangError):
    """More alerts came in one batch than one transaction may hold."""

    zh = "一批有 {found} 条预警，每批最多 {most} 条；请分批发送。"
    en = "The batch holds {found} alerts, at most {most} are taken at once; send it in parts."
    status = 413


@dataclass(frozen=True)
class FoundFinding:
    """What a detector found about one subject. `episode_us` tells one spell from the next."""

    kind: str
    subject_kind: str
    subject_id: int
    episode_us: int
    phase: Literal["OPEN", "UPDATE", "END"]
    severity: int
    at_us: int
    reason_code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    detector: str = ""
    version: str = ""
    params_hash: str = ""
    exercise_id: int | None = None

    @property
    def key(self) -> Key:
        """Return what at most one open alert may have (I2)."""
        return self.kind, self.subject_kind, self.subject_id, self.exercise_id


@dataclass(frozen=True)
class Subject:
    """Whom or what an alert is about, resolved to a place; `params` are ids and numbers for the reason."""

    subject_kind: str
    subject_id: int
    area_id: int
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    inhibited_until: datetime | None = None


@dataclass(frozen=True)
class AlertKind:
    """A registered kind of alert: which procedure answers it, and its CAP words."""

    code: str
    system: str
    procedure: str
    title_zh: str
    title_en: str
    urgency: str = "Expected"
    certainty: str = "Likely"
    response_type: str = "Assess"
    category: str = "Safety"
    public: bool = False
    opens_case: bool = True


Resolver = Callable[[list[int]], Mapping[int, Subject]]


@dataclass(frozen=True)
class Plan:
    """What a batch of findings asks for: alerts to open, open ones to update, open ones to end."""

    opening: tuple[FoundFinding, ...]
    updating: tuple[FoundFinding, ...]
    ending: tuple[FoundFinding, ...]


def plan(findings: Iterable[FoundFinding], open_keys: Mapping[Key, int]) -> Plan:
    """Return what the findings ask for, given the keys that are open; several of one key in a batch make one alert.

    A spell that began and ended within the batch is opened too: a person shall look at it.
    """
    opening: dict[Key, FoundFinding] = {}
    updating: dict[Key, FoundFinding] = {}
    ending: dict[Key, FoundFinding] = {}
    for finding in findings:
        known = finding.key in open_keys or finding.key in opening
        if finding.phase == "END":
            if known:
                ending[finding.key] = finding
        elif known:
            ending.pop(finding.key, None)
            updating[finding.key] = finding
        else:
            opening[finding.key] = finding
    return Plan(tuple(opening.values()), tuple(updating.values()), tuple(ending.values()))
