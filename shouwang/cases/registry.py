"""What is true now of the subjects of cases, registered by the systems when the program starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

FactsNow = Callable[[int, datetime], Mapping[str, Any]]
_facts: dict[str, FactsNow] = {}


def register_facts(kind: str, facts: FactsNow) -> None:
    """Say what is known at a moment of the subject of the cases of a `kind`; what is not known is left out."""
    _facts[kind] = facts


def facts_now(kind: str, subject_id: int, *, now: datetime) -> Mapping[str, Any]:
    """Return what is true at `now` of a case's subject; nothing where no system says anything."""
    return _facts[kind](subject_id, now) if kind in _facts else {}
