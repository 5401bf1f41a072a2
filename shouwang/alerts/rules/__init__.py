"""Rules of alerts: findings and what they ask for; an alert as a CAP 1.2 message and an Atom feed."""

from shouwang.alerts.rules.findings import (
    LARGEST_BATCH,
    AlertKind,
    BatchTooLarge,
    FoundFinding,
    Key,
    Plan,
    Resolver,
    Standing,
    Subject,
    plan,
)

__all__ = [
    "LARGEST_BATCH",
    "AlertKind",
    "BatchTooLarge",
    "FoundFinding",
    "Key",
    "Plan",
    "Resolver",
    "Standing",
    "Subject",
    "plan",
]
