"""Kinds of alerts and resolvers of subjects, registered by the systems when the program starts."""

from __future__ import annotations

from shouwang.alerts.rules import AlertKind, FoundFinding, Key, Resolver
from shouwang.kernel.errors import NotFound

_kinds: dict[str, AlertKind] = {}
_resolvers: dict[str, Resolver] = {}


def register_kind(kind: AlertKind) -> None:
    """Make `kind` known."""
    _kinds[kind.code] = kind


def register_resolver(subject_kind: str, resolver: Resolver) -> None:
    """Say how subjects of a kind are resolved to what the alert is about, and where."""
    _resolvers[subject_kind] = resolver


def kind_of(code: str) -> AlertKind:
    """Return the kind `code`. Raises NotFound."""
    if code not in _kinds:
        raise NotFound(what=f"预警种类 {code}")
    return _kinds[code]


def kinds() -> dict[str, AlertKind]:
    """Return every registered kind by code."""
    return dict(_kinds)


def family_of(code: str) -> str:
    """Return the family that a kind belongs to, itself where it has none or is not registered."""
    return (_kinds[code].family if code in _kinds else "") or code


def key_of(finding: FoundFinding) -> Key:
    """Return what at most one open alert may have (I2): the family of kinds, and whom it is about."""
    return family_of(finding.kind), finding.subject_kind, finding.subject_id, finding.exercise_id


def resolver_of(subject_kind: str) -> Resolver:
    """Return the resolver of a kind of subject. Raises NotFound."""
    if subject_kind not in _resolvers:
        raise NotFound(what=f"对象种类 {subject_kind}")
    return _resolvers[subject_kind]
