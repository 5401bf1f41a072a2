"""Writes of alerts: findings in, alerts and their cases out, in one transaction with the events last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.db.models import Q

from shouwang.alerts.models import Alert, Inhibited
from shouwang.alerts.registry import kind_of, resolver_of
from shouwang.alerts.rules import LARGEST_BATCH, BatchTooLarge, FoundFinding, Key, Subject, plan
from shouwang.cases.actions import NewCase, open_cases
from shouwang.journal.actions import append, lock_order
from shouwang.journal.prepared import Prepared
from shouwang.journal.put import amend, put, reserve_ids
from shouwang.journal.rules import NewEvent
from shouwang.journal.sql import run
from shouwang.kernel.moments import to_us

_COLUMNS = (
    "id", "kind", "subject_kind", "subject_id", "episode_us", "state", "severity", "area_id", "path", "reason", "params",
    "detector", "opened_at", "updated_at", "merged", "case_id", "exercise_id",
)
_Places = Mapping[tuple[str, int], Subject]


@dataclass(frozen=True)
class Post:
    """Findings that one caller may tell of the places `within`."""

    findings: Sequence[FoundFinding]
    within: Sequence[str] = ("/",)

    def seen(self, subjects: _Places) -> list[FoundFinding]:
        """Return the findings about subjects that are known and lie within."""
        within = tuple(self.within)
        found = [(finding, subjects.get((finding.subject_kind, finding.subject_id))) for finding in self.findings]
        return [finding for finding, subject in found if subject is not None and subject.path.startswith(within)]


def take_findings(findings: Sequence[FoundFinding], *, within: Sequence[str] = ("/",), now: datetime) -> list[int]:
    """Open, update or end alerts as `findings` ask, with their cases, tasks, timers and messages; return the opened ids.

    Runs in the caller's transaction when there is one. A finding of an open alert updates it and is counted; a subject
    that is inhibited opens nothing and is recorded, one that is not known or lies outside the paths `within` is passed
    over. Raises BatchTooLarge.
    """
    (opened,) = take_posts([Post(findings, within)], now=now)
    return opened


def take_posts(posts: Sequence[Post], *, now: datetime) -> list[list[int]]:
    """Do as `take_findings` for several callers in one transaction; return the ids that each one's findings opened."""
    everything = [finding for post in posts for finding in post.findings]
    if len(everything) > LARGEST_BATCH:
        raise BatchTooLarge(found=len(everything), most=LARGEST_BATCH)
    with transaction.atomic():
        lock_order()
        subjects = _resolve(everything)
        open_keys, spells = _known(everything)
        seen = [post.seen(subjects) for post in posts]
        plan_ = plan(
            (each for own in seen for each in own if each.phase != "OPEN" or (each.key, each.episode_us) not in spells), open_keys,
        )
        _update(plan_.updating, now)
        opened, events = _open(plan_.opening, subjects, now)
        events += _end(plan_.ending, now)
        if events:
            append(events, now=now)
    return [[opened.pop(finding.key) for finding in own if finding.key in opened] for own in seen]


def close_for_case(alert_id: int, *, now: datetime) -> None:
    """End the alert whose case was closed; ending it again changes nothing."""
    with transaction.atomic():
        row = run("SELECT case_id, exercise_id FROM alerts_alert WHERE id = %s AND state = 'OPEN'", (alert_id,)).fetchone()
        if row is not None:
            amend(Alert, alert_id, state="ENDED", ended_at=to_us(now))
            append([NewEvent("alert.ended", alert_id, {"case": row[0]}, row[1])], now=now)


def _resolve(findings: Sequence[FoundFinding]) -> dict[tuple[str, int], Subject]:
    asked: dict[str, set[int]] = defaultdict(set)
    for finding in findings:
        asked[finding.subject_kind].add(finding.subject_id)
    return {
        (kind, subject_id): subject
        for kind, ids in asked.items()
        for subject_id, subject in resolver_of(kind)(sorted(ids)).items()
    }


_KNOWN = Prepared(
    lambda spells, subjects: Alert.objects.filter(Q(state="OPEN") | Q(episode_us__in=spells), subject_id__in=subjects)
    .values_list("kind", "subject_kind", "subject_id", "exercise_id", "episode_us", "pk", "state"),
)


def _known(findings: Sequence[FoundFinding]) -> tuple[dict[Key, int], set[tuple[Key, int]]]:
    """Return the open alerts of the findings' subjects, and the spells that have an alert already, open or ended.

    A watch that was killed sends some spells again.
    """
    subjects = sorted({finding.subject_id for finding in findings})
    spells = sorted({finding.episode_us for finding in findings})
    rows = _KNOWN.rows(spells, subjects)
    open_keys: dict[Key, int] = {}
    seen: set[tuple[Key, int]] = set()
    for kind, subject_kind, subject_id, exercise_id, episode_us, alert_id, state in rows:
        key = (kind, subject_kind, subject_id, exercise_id)
        seen.add((key, episode_us))
        if state == "OPEN":
            open_keys[key] = alert_id
    return open_keys, seen


_OPEN = Prepared(
    lambda kind, subject_kind, subject_id: Alert.objects.filter(kind=kind, subject_kind=subject_kind, subject_id=subject_id, state="OPEN")
    .values_list("pk", "case_id", "exercise_id"),
)


def _open_of(finding: FoundFinding) -> list[tuple[int, int | None]]:
    """Return the open alerts of a finding's kind and subject, each with its case."""
    rows = _OPEN.rows(finding.kind, finding.subject_kind, finding.subject_id)
    return [(alert_id, case_id) for alert_id, case_id, exercise_id in rows if exercise_id == finding.exercise_id]


def _update(updating: Sequence[FoundFinding], now: datetime) -> None:
    for finding in updating:
        for alert_id, _ in _open_of(finding):
            run("UPDATE alerts_alert SET merged = merged + 1, updated_at = %s WHERE id = %s", (to_us(now), alert_id))


def _open(
    opening: Sequence[FoundFinding], subjects: _Places, now: datetime,
) -> tuple[dict[Key, int], list[NewEvent]]:
    wanted: list[tuple[FoundFinding, Subject]] = []
    inhibited: list[tuple[FoundFinding, Subject]] = []
    for finding in opening:
        subject = subjects[finding.subject_kind, finding.subject_id]
        is_hushed = subject.inhibited_until is not None and subject.inhibited_until > now
        (inhibited if is_hushed else wanted).append((finding, subject))
    now_us = to_us(now)
    put(
        Inhibited, ("kind", "subject_kind", "subject_id", "reason", "at"),
        [(f.kind, f.subject_kind, f.subject_id, f.reason_code, now_us) for f, _ in inhibited],
    )
    if not wanted:
        return {}, []
    ids = list(reserve_ids(Alert, len(wanted)))
    new_cases: list[NewCase] = []
    rows: list[tuple[Any, ...]] = []
    case_of: dict[int, int] = {}
    for alert_id, (finding, subject) in zip(ids, wanted, strict=True):
        kind = kind_of(finding.kind)
        params = {**subject.params, **finding.params}
        if kind.opens_case:
            case_of[alert_id] = len(new_cases)
            new_cases.append(NewCase(
                kind.procedure, kind.system, finding.severity, subject.area_id, subject.path, subject.subject_kind,
                subject.subject_id, finding.reason_code, params, alert_id, finding.exercise_id,
            ))
    opened = open_cases(new_cases, now=now)
    for alert_id, (finding, subject) in zip(ids, wanted, strict=True):
        case_id = opened.ids[case_of[alert_id]] if alert_id in case_of else None
        rows.append((
            alert_id, finding.kind, finding.subject_kind, finding.subject_id, finding.episode_us, "OPEN", finding.severity,
            subject.area_id, subject.path, finding.reason_code,
            msgspec.json.encode({**subject.params, **finding.params}).decode(), finding.detector, now_us, now_us, 0, case_id,
            finding.exercise_id,
        ))
    put(Alert, _COLUMNS, rows)
    events = [
        NewEvent("alert.opened", alert_id, {"kind": finding.kind, "severity": finding.severity}, finding.exercise_id)
        for alert_id, (finding, _) in zip(ids, wanted, strict=True)
    ]
    return {finding.key: alert_id for alert_id, (finding, _) in zip(ids, wanted, strict=True)}, events + opened.events


def _end(ending: Sequence[FoundFinding], now: datetime) -> list[NewEvent]:
    """Note that what was sensed is over; the alert stays open until its case is closed by a person."""
    events = []
    for finding in ending:
        for alert_id, case_id in _open_of(finding):
            if case_id is None:
                amend(Alert, alert_id, state="ENDED", ended_at=to_us(now))
            payload = {"alert": alert_id, "kind": finding.kind}
            events.append(NewEvent("alert.signal_over", case_id or alert_id, payload, finding.exercise_id))
    return events
