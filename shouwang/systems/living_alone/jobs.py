"""What the living-alone system does by the clock and on news from below.

The detectors judge readings. Two things they cannot see are looked for here: a meter that never sent anything, and a
home that was announced away and stays silent after the return.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Literal

from django.db import transaction
from django.db.models import Q

from shouwang.alerts.actions import take_findings
from shouwang.alerts.queries import last_told
from shouwang.alerts.rules import LARGEST_BATCH, FoundFinding
from shouwang.cases.events import ANSWERED, CLOSED
from shouwang.detectors.contract import END, OPEN
from shouwang.journal.paths import move_paths
from shouwang.journal.prepared import Prepared
from shouwang.journal.rules import Event
from shouwang.kernel.moments import local, to_us
from shouwang.people.actions import withdraw_consent
from shouwang.people.events import CONSENT_WITHDRAWN
from shouwang.people.queries import households_of, live_consents, members_of
from shouwang.people.rules import SYSTEM
from shouwang.places.events import AREA_MOVED
from shouwang.systems.living_alone.actions import end_watching, label_case, take_word
from shouwang.systems.living_alone.actions.enrolling import TELL_RELATIVE
from shouwang.systems.living_alone.models import Enrolment, Gateway, Label, Trial
from shouwang.systems.living_alone.queries import WATCH_PURPOSE, last_use_of
from shouwang.systems.living_alone.queries.gateways import GatewayRow, gateways
from shouwang.systems.living_alone.rules.absence import LOOK_AFTER
from shouwang.systems.living_alone.rules.endings import CONSENT
from shouwang.systems.living_alone.rules.errors import AbsenceWrong
from shouwang.systems.living_alone.rules.kinds import GATEWAY_NO_DATA, HARD_STOP, LOW_USE, NO_DATA
from shouwang.systems.living_alone.rules.procedures import HARD_STOP_HOURS
from shouwang.systems.living_alone.rules.use import LastUse
from shouwang.telemetry.queries import last_readings, series
from shouwang.watch import actions as learning

SILENT_AFTER = timedelta(hours=24)
TELL_AGAIN = timedelta(days=3)
GATEWAY_AFTER = timedelta(hours=6)
ASK_AGAIN = timedelta(minutes=30)
YOUNG_FOR, KNOWN_AFTER = timedelta(days=60), timedelta(days=42)
WAIT_FOR_READINGS = timedelta(days=3)
LOW_L = 10.0
LOW_SEVERITY = 3
STOP_SEVERITY = 4
SILENT_SEVERITY = 1
HOMES_AT_ONCE = 2_000
READINGS = 10_000
ANSWERS = "living_alone.answers"
LABELS = "living_alone.labels"
WITHDRAWALS = "living_alone.withdrawals"


def on_moves(events: Sequence[Event]) -> None:
    """Give the watched homes below moved areas their new paths."""
    for event in events:
        if event.kind == AREA_MOVED:
            for model in (Enrolment, Gateway, Label, Trial):
                move_paths(model.objects.all(), old=event.payload["from"], new=event.payload["to"])


def on_answers(events: Sequence[Event]) -> None:
    """Take what residents and relatives answered by key, message or link: an absence, or that all is well."""
    for event in events:
        if event.kind == ANSWERED and event.payload.get("household") is not None:
            said = event.payload
            with contextlib.suppress(AbsenceWrong):
                take_word(said["household"], code=said["answer"], number=said["number"], by=said["person"], now=event.at)


def on_withdrawals(events: Sequence[Event]) -> None:
    """Stop watching the homes where the last resident who agreed to it has withdrawn the consent."""
    for event in events:
        if event.kind == CONSENT_WITHDRAWN and event.payload["purpose"] == WATCH_PURPOSE and event.subject_id is not None:
            for household_id in households_of(event.subject_id):
                residents = [each.person_id for each in members_of([household_id]).get(household_id, ()) if each.role == "RESIDENT"]
                if not live_consents(residents, WATCH_PURPOSE):
                    end_watching(household_id, reason=CONSENT, by=None, now=event.at)


def on_closed(events: Sequence[Event]) -> None:
    """Keep what each closed case about a home turned out to be."""
    for event in events:
        if event.kind == CLOSED and event.subject_id is not None:
            label_case(event.subject_id, now=event.at)


def end_consents(now: datetime) -> int:
    """Stop watching the homes whose consent was given until a day that is over, and end the consents themselves; return how many."""
    over = Enrolment.objects.filter(active=True, consent_until__lt=local(now).date()).order_by("pk")
    ids = list(over.values_list("household_id", flat=True)[:HOMES_AT_ONCE])
    for household_id in ids:
        with transaction.atomic():
            end_watching(household_id, reason=CONSENT, by=None, now=now)
            _end_agreement(household_id, now=now)
    return len(ids)


def _end_agreement(household_id: int, *, now: datetime) -> None:
    """End what the residents of a home have agreed to: what was given until a day is not in force after it."""
    residents = [each.person_id for each in members_of([household_id]).get(household_id, ()) if each.role == "RESIDENT"]
    for purpose in (WATCH_PURPOSE, TELL_RELATIVE):
        for person_id in live_consents(residents, purpose):
            withdraw_consent(SYSTEM, person_id, purpose=purpose, now=now)


_ASKED = Prepared(
    lambda after, now, enrolled_until: Enrolment.objects.filter(
        Q(away_until__isnull=True) | Q(away_until__lte=now), pk__gt=after, active=True, enrolled_at__lte=enrolled_until,
    ).order_by("pk")[:HOMES_AT_ONCE],
)
_STOPPED = Prepared(lambda now: Enrolment.objects.filter(stop_at__lte=now, active=True).order_by("pk")[:LARGEST_BATCH])
_BACK = Prepared(lambda now: Enrolment.objects.filter(look_again_at__lte=now, active=True).order_by("pk")[:LARGEST_BATCH])


def learn_again(now: datetime) -> int:
    """Let the watch look once more at the past of homes that it knows for a short time only, for a list of old readings may have come since; return how many."""
    young = Enrolment.objects.filter(active=True, enrolled_at__gt=now - YOUNG_FOR).order_by("-pk").values_list("datastream_id", flat=True)
    return learning.learn_again(list(young[:HOMES_AT_ONCE]), known_since=now - KNOWN_AFTER)


def check_meters(now: datetime) -> int:
    """Have meters looked at that have sent nothing for a day, perhaps never: a METER_CHECK, never a visit; return how many.

    One that stays silent is told again after three days, and one that sends again ends what was told.
    """
    told, rows = 0, _ASKED.objects(0, now, now - SILENT_AFTER)
    dead = frozenset(Gateway.objects.filter(told_at__isnull=False).values_list("pk", flat=True)) if rows else frozenset()
    while rows:
        last = last_readings([row.datastream_id for row in rows], now=now)
        silent = [row for row in rows if row.datastream_id not in last or last[row.datastream_id] <= now - _silent_after(row)]
        back = [row for row in rows if row not in silent and row.silence_told_at is not None]
        alone = [row for row in silent if row.gateway_id is None or row.gateway_id not in dead]
        due = [row for row in alone if row.silence_told_at is None or row.silence_told_at <= now - TELL_AGAIN]
        told += len(due)
        for start in range(0, len(due), LARGEST_BATCH):
            _tell(due[start : start + LARGEST_BATCH], "OPEN", now=now)
        for start in range(0, len(back), LARGEST_BATCH):
            _tell(back[start : start + LARGEST_BATCH], "END", now=now)
        rows = _ASKED.objects(rows[-1].pk, now, now - SILENT_AFTER)
    return told


def check_gateways(now: datetime) -> int:
    """Have gateways looked at that have carried nothing for hours: one ticket instead of one for every meter; return how many.

    One that stays silent is told again after three days, and one that carries readings again ends what was told.
    """
    rows = gateways(now)
    silent = [row for row in rows if row.last_at is None or row.last_at <= now - max(GATEWAY_AFTER, 1.5 * timedelta(hours=row.upload_h))]
    dead = [row for row in silent if row.told_at is None or row.told_at <= now - TELL_AGAIN]
    back = [row for row in rows if row.told_at is not None and row not in silent]
    for part, phase in ((dead, OPEN), (back, END)):
        for start in range(0, len(part), LARGEST_BATCH):
            _tell_of_gateways(part[start : start + LARGEST_BATCH], phase, now=now)
    return len(dead)


def _tell_of_gateways(rows: Sequence[GatewayRow], phase: Literal["OPEN", "END"], *, now: datetime) -> None:
    findings = [
        FoundFinding(
            GATEWAY_NO_DATA, "area", row.area_id, to_us(now), phase, SILENT_SEVERITY, to_us(now), f"{GATEWAY_NO_DATA}_{phase}",
            {"gateway": row.code, "meters": row.meters, "hours": int((now - row.last_at) / timedelta(hours=1)) if row.last_at else 48}, "gateway_silent", "1",
        )
        for row in rows
    ]
    with transaction.atomic():
        Gateway.objects.filter(pk__in=[row.id for row in rows]).update(told_at=now if phase == OPEN else None)
        take_findings(findings, now=now)


def look_again(now: datetime) -> int:
    """Send somebody to homes whose announced absence is over for half a day without water being used; return how many.

    What the detector found during the absence opened nothing, and a spell that goes on is not told twice: without this
    look a fall on the day of the return would stay unseen.
    """
    rows = _BACK.objects(now)
    if not rows:
        return 0
    findings = [finding for row in rows if (finding := _unused(row, now)) is not None]
    with transaction.atomic():
        Enrolment.objects.filter(pk__in=[row.pk for row in rows], look_again_at__lte=now).update(look_again_at=None)
        if findings:
            take_findings(findings, now=now)
    return len(findings)


def look_at_stop(now: datetime) -> int:
    """Send somebody where all was said to be well and no water was used up to the hard stop; return how many.

    A word, or a key, never outweighs a day without water: somebody else may have pressed it. Where the detector has said
    so since, that is enough.
    """
    rows = _STOPPED.objects(now)
    if not rows:
        return 0
    told = last_told(HARD_STOP, "datastream", [row.datastream_id for row in rows])
    uses = {row.pk: last_use_of(row.datastream_id, now=now) for row in rows}
    waiting = [row.pk for row in rows if _is_unknown_yet(row, uses[row.pk], now)]
    untold = [row for row in rows if row.pk not in waiting and not _is_told(row, told)]
    findings = [finding for row in untold if (finding := _still_unused(row, uses[row.pk], now)) is not None]
    with transaction.atomic():
        asked = Enrolment.objects.filter(stop_at__lte=now)
        asked.filter(pk__in=waiting).update(stop_at=now + ASK_AGAIN)
        asked.filter(pk__in=[row.pk for row in rows if row.pk not in waiting]).update(stop_at=None, said_well_at=None)
        if findings:
            take_findings(findings, now=now)
    return len(findings)


def _is_told(row: Enrolment, told: Mapping[int, datetime]) -> bool:
    return row.said_well_at is not None and row.datastream_id in told and told[row.datastream_id] >= row.said_well_at


def _is_unknown_yet(row: Enrolment, use: LastUse | None, now: datetime) -> bool:
    """Return whether the readings do not reach up to the hard stop yet: a run without readings is unknown, not silence."""
    is_late = use is None or (use.at <= (row.said_well_at or now) and use.silent_h < HARD_STOP_HOURS)
    return is_late and row.said_well_at is not None and now < row.said_well_at + WAIT_FOR_READINGS


def _still_unused(row: Enrolment, use: LastUse | None, now: datetime) -> FoundFinding | None:
    """Return the finding that no water was used since somebody said that all is well; None where it was, or cannot be known."""
    is_away = row.away_until is not None and row.away_until > now
    if is_away or use is None or row.said_well_at is None or use.at > row.said_well_at or use.silent_h < HARD_STOP_HOURS:
        return None
    return FoundFinding(
        HARD_STOP, "datastream", row.datastream_id, to_us(row.said_well_at), "OPEN", STOP_SEVERITY, to_us(now),
        "SAID_WELL_UNUSED_OPEN", {"hours": round(use.silent_h)}, "said_well_unused", "1",
    )


def _silent_after(row: Enrolment) -> timedelta:
    """Return after how long without a reading a meter is looked after: a day, and for one that sends once a day half a day more."""
    return max(SILENT_AFTER, 1.5 * timedelta(hours=row.sends_h))


def _tell(rows: Sequence[Enrolment], phase: Literal["OPEN", "END"], *, now: datetime) -> None:
    """Hand over that these meters are silent, or send again, together with the note that it was told."""
    findings = [
        FoundFinding(
            NO_DATA, "datastream", row.datastream_id, to_us(now), phase, SILENT_SEVERITY, to_us(now),
            f"METER_SILENT_{phase}", {"hours": _silent_after(row) // timedelta(hours=1)}, "meter_silent", "1",
        )
        for row in rows
    ]
    with transaction.atomic():
        told_at = now if phase == "OPEN" else None
        Enrolment.objects.filter(pk__in=[row.pk for row in rows]).update(silence_told_at=told_at)
        take_findings(findings, now=now)


def _unused(row: Enrolment, now: datetime) -> FoundFinding | None:
    """Return the finding that a home has used next to nothing since its return; None where it has, or cannot be known."""
    back_at = row.look_again_at - LOOK_AFTER if row.look_again_at else now
    found = series(row.datastream_id, back_at, now, max_points=READINGS)
    if len(found.result) < 2:
        return None
    used_l = float(found.result[-1] - found.result[0])
    if not 0 <= used_l < LOW_L:
        return None
    params = {"used_l": round(used_l, 1), "limit_l": LOW_L, "window_h": (now - back_at) // timedelta(hours=1)}
    return FoundFinding(
        LOW_USE, "datastream", row.datastream_id, to_us(back_at), "OPEN", LOW_SEVERITY, to_us(now), "BACK_UNUSED_OPEN",
        params, "back_unused", "1",
    )
