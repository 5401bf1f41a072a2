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
from shouwang.alerts.registry import family_of, key_of, kind_of, resolver_of
from shouwang.alerts.rules import LARGEST_BATCH, BatchTooLarge, FoundFinding, Key, Standing, Subject, plan
from shouwang.cases.actions import NewCase, open_cases, raise_case
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
    """Open, update, raise or end alerts as `findings` ask, with their cases, tasks, timers and messages; return the opened ids.

    Runs in the caller's transaction when there is one. A finding of an open alert updates it and is counted, or raises it
    where it is graver; one that its subject explains opens nothing and is recorded, one whose subject is not known or lies
    outside the paths `within` is passed over. Raises BatchTooLarge.
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
        standing, spells = _known(everything)
        seen = [post.seen(subjects) for post in posts]
        asked = plan(
            (each for own in seen for each in own if each.phase != "OPEN" or (key_of(each), each.episode_us) not in spells), standing,
            key_of=key_of,
        )
        _update([standing[key].id for key in asked.updating], now)
        events = [event for key, each in asked.raising.items() for event in _raise(standing[key], each, subjects, now)]
        opened, more = _open(list(asked.opening.values()), subjects, now)
        events += more + _end(asked.ending, {**standing, **opened}, now)
        if events:
            append(events, now=now)
    return [[opened.pop(key_of(each)).id for each in own if key_of(each) in opened] for own in seen]


def close_for_case(alert_id: int, *, now: datetime) -> None:
    """End the alert whose case was closed; ending it again changes nothing."""
    with transaction.atomic(savepoint=False):
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
    .values_list("kind", "subject_kind", "subject_id", "exercise_id", "episode_us", "pk", "state", "severity", "case_id"),
)


def _known(findings: Sequence[FoundFinding]) -> tuple[dict[Key, Standing], set[tuple[Key, int]]]:
    """Return the open alerts of the findings' subjects, and the spells that have an alert already, open or ended.

    A watch that was killed sends some spells again.
    """
    subjects = sorted({finding.subject_id for finding in findings})
    spells = sorted({finding.episode_us for finding in findings})
    rows = _KNOWN.rows(spells, subjects)
    standing: dict[Key, Standing] = {}
    seen: set[tuple[Key, int]] = set()
    for kind, subject_kind, subject_id, exercise_id, episode_us, alert_id, state, severity, case_id in rows:
        key = (family_of(kind), subject_kind, subject_id, exercise_id)
        seen.add((key, episode_us))
        if state == "OPEN":
            standing[key] = Standing(alert_id, severity, case_id)
    return standing, seen


def _update(alert_ids: Sequence[int], now: datetime) -> None:
    for alert_id in alert_ids:
        run("UPDATE alerts_alert SET merged = merged + 1, updated_at = %s WHERE id = %s", (to_us(now), alert_id))


def _raise(alert: Standing, finding: FoundFinding, subjects: _Places, now: datetime) -> list[NewEvent]:
    """Make an open alert the graver one that its family has found, and its case with it."""
    subject = subjects[finding.subject_kind, finding.subject_id]
    if _is_explained(finding, subject, now):
        return []
    params = {**subject.params, **finding.params}
    _update([alert.id], now)
    amend(
        Alert, alert.id, kind=finding.kind, severity=finding.severity, reason=finding.reason_code,
        params=msgspec.json.encode(params).decode(), detector=finding.detector,
    )
    payload = {"kind": finding.kind, "severity": finding.severity, "case": alert.case_id}
    events = [NewEvent("alert.raised", alert.id, payload, finding.exercise_id)]
    if alert.case_id is not None:
        events += raise_case(alert.case_id, severity=finding.severity, reason=finding.reason_code, params=params, now=now)
    return events


def _open(
    opening: Sequence[FoundFinding], subjects: _Places, now: datetime,
) -> tuple[dict[Key, Standing], list[NewEvent]]:
    wanted: list[tuple[FoundFinding, Subject]] = []
    inhibited: list[tuple[FoundFinding, Subject]] = []
    for finding in opening:
        subject = subjects[finding.subject_kind, finding.subject_id]
        (inhibited if _is_explained(finding, subject, now) else wanted).append((finding, subject))
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
    standing: dict[Key, Standing] = {}
    for alert_id, (finding, subject) in zip(ids, wanted, strict=True):
        case_id = opened.ids[case_of[alert_id]] if alert_id in case_of else None
        standing[key_of(finding)] = Standing(alert_id, finding.severity, case_id)
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
    return standing, events + opened.events


def _is_explained(finding: FoundFinding, subject: Subject, now: datetime) -> bool:
    return subject.explains is not None and subject.explains(finding, now)


def _end(ending: Mapping[Key, FoundFinding], standing: Mapping[Key, Standing], now: datetime) -> list[NewEvent]:
    """Note that what was sensed is over; the alert stays open until its case is closed by a person."""
    events = []
    for key, finding in ending.items():
        alert = standing.get(key)
        if alert is None:
            continue
        if alert.case_id is None:
            amend(Alert, alert.id, state="ENDED", ended_at=to_us(now))
        payload = {"alert": alert.id, "kind": finding.kind}
        events.append(NewEvent("alert.signal_over", alert.case_id or alert.id, payload, finding.exercise_id))
    return events
