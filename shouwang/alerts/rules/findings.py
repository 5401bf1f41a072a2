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
        """Return what tells it from findings of other kinds or subjects; `registry.key_of` is what one open alert may have (I2)."""
        return self.kind, self.subject_kind, self.subject_id, self.exercise_id


@dataclass(frozen=True)
class Subject:
    """Whom or what an alert is about, resolved to a place; `params` are ids and numbers for the reason."""

    subject_kind: str
    subject_id: int
    area_id: int
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    explains: Explains | None = None
    """Whether what is known of the subject at a moment explains a finding, so that it opens nothing."""


@dataclass(frozen=True)
class AlertKind:
    """A registered kind of alert: which procedure answers it, and its CAP words.

    Kinds of one `family` about one subject are one alert: the first opens it, a graver one raises it.
    """

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
    family: str = ""


Explains = Callable[[FoundFinding, datetime], bool]
KeyOf = Callable[[FoundFinding], Key]
Resolver = Callable[[list[int]], Mapping[int, Subject]]


@dataclass(frozen=True)
class Standing:
    """An alert that is open."""

    id: int
    severity: int
    case_id: int | None


@dataclass(frozen=True)
class Plan:
    """What a batch of findings asks for: alerts to open, and open ones to update, to raise and to end."""

    opening: Mapping[Key, FoundFinding]
    updating: Mapping[Key, FoundFinding]
    raising: Mapping[Key, FoundFinding]
    ending: Mapping[Key, FoundFinding]


def plan(findings: Iterable[FoundFinding], standing: Mapping[Key, Standing], *, key_of: KeyOf) -> Plan:
    """Return what the findings ask for, given the alerts that are open; several of one key in a batch make one alert, the gravest.

    A spell that began and ended within the batch is opened too: a person shall look at it.
    """
    opening: dict[Key, FoundFinding] = {}
    updating: dict[Key, FoundFinding] = {}
    raising: dict[Key, FoundFinding] = {}
    ending: dict[Key, FoundFinding] = {}
    for finding in findings:
        key = key_of(finding)
        if finding.phase == "END":
            if key in standing or key in opening:
                ending[key] = finding
            continue
        ending.pop(key, None)
        if key in standing:
            graver = finding.severity > (raising[key] if key in raising else standing[key]).severity
            (raising if graver else updating)[key] = finding
        elif key not in opening or finding.severity > opening[key].severity:
            opening[key] = finding
    return Plan(opening, updating, raising, ending)
