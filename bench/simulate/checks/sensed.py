"""I1, I2 and I6 at the end: what was acknowledged is stored and led to an alert; whoever may look sees what is theirs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta

from bench.simulate import store
from bench.simulate.county import County
from bench.simulate.sources import EXERCISE, Meters, Posted
from bench.simulate.stage import Stage
from shouwang.cases.queries import Filters, case_in_scope, list_cases
from shouwang.kernel.errors import NotFound
from shouwang.kernel.moments import to_us
from shouwang.people.models import Account
from shouwang.people.queries import scope_of_account

ALL = ("OPEN", "COMPLETED", "SUSPENDED", "CLOSED", "WITHDRAWN")
EARLY, LATE = timedelta(hours=12), timedelta(hours=50)


def readings(stage: Stage, meters: Meters) -> None:
    """I1: every reading that was acknowledged is stored, once, as it was."""
    expected: dict[int, list[float]] = defaultdict(lambda: [0, 0.0])
    for (stream, _), value in meters.acknowledged.items():
        expected[stream][0] += 1
        expected[stream][1] += value
    stored = {row[0]: [row[1], row[2]] for row in store.rows("SELECT datastream_id, count(*), sum(result) FROM telemetry_observation GROUP BY datastream_id")}
    for stream, (count, total) in expected.items():
        if stored.get(stream) != [count, total]:
            stage.violate("I1 what was acknowledged is stored", found=f"datastream {stream}: {stored.get(stream)}", expected=str([count, total]))


def silences(stage: Stage, meters: Meters) -> int:
    """A home in which no water is used for long has an alert; one whose absence was announced opens none. Return how many."""
    found: dict[object, list[tuple[int, int]]] = defaultdict(list)
    for stream, opened, ended in store.rows(
        "SELECT subject_id, opened_at, coalesce(ended_at, 9000000000000000) FROM alerts_alert WHERE kind IN ('WATER_LOW_USE', 'WATER_NO_DATA') "
        "AND exercise_id IS NULL",
    ):
        found[stream].append((int(opened), int(ended)))  # type: ignore[call-overload]
    seen = 0
    for home in meters.county.homes:
        for spell in meters.spells[home.datastream]:
            if spell.kind != "SILENT" or spell.announced or spell.end > stage.end - timedelta(hours=12):
                continue
            seen += 1
            begin, end = to_us(spell.start + EARLY), to_us(max(spell.start + LATE, spell.end) + timedelta(hours=8))
            if not any(opened <= end and ended >= begin for opened, ended in found[home.datastream]):
                stage.violate("a silent home is noticed", found=f"{home.meter} {spell.start} to {spell.end}: none", expected="an alert")
    return seen


def posted(stage: Stage, acknowledged: Sequence[Posted]) -> None:
    """I1 and I2: an alert that another system was told is taken has opened one, or belongs to the one that was open."""
    rows: dict[object, list[tuple[int, int, int]]] = defaultdict(list)
    for kind, subject, exercise, opened, ended, episode in store.rows(
        "SELECT kind, subject_id, exercise_id, opened_at, coalesce(ended_at, 9000000000000000), episode_us FROM alerts_alert",
    ):
        rows[kind, subject, exercise].append((int(opened), int(ended), int(episode)))  # type: ignore[call-overload]
    hushed = {(kind, subject) for kind, subject in store.rows("SELECT kind, subject_id FROM alerts_inhibited")}
    slack = to_us(stage.start + timedelta(hours=3)) - to_us(stage.start)
    for each in acknowledged:
        finding = each.finding
        alerts = rows[finding.kind, finding.subject_id, finding.exercise_id]
        same = sum(episode == finding.episode_us for _, _, episode in alerts)
        open_then = any(opened - slack <= to_us(each.done_at) and ended + slack >= to_us(each.at) for opened, ended, _ in alerts)
        if same > 1 or not (same or open_then or (finding.kind, finding.subject_id) in hushed):
            stage.violate("I1 what was acknowledged led to an alert", found=f"{finding.kind} {finding.subject_id}: {alerts}", expected="one")


def scopes(stage: Stage, county: County) -> None:
    """I6 and I10: an officer sees exactly the cases of the places he answers for at the moment; lists keep exercises apart."""
    now = stage.wall()
    cases = [(int(row[0]), str(row[1]), row[2]) for row in store.rows("SELECT id, path, exercise_id FROM cases_case ORDER BY id")]  # type: ignore[call-overload]
    for person, name in county.accounts.items():
        scope = scope_of_account(Account.objects.unscoped().get(username=name), now)
        paths = tuple(county.paths[area] for area in county.oracle.areas_of(person, at=now))
        inside = {case for case, path, _ in cases if paths and path.startswith(paths)}
        for exercise in (None, EXERCISE):
            expected = {case for case, _, of in cases if case in inside and of == exercise}
            found = {row.id for row in list_cases(scope, Filters(states=ALL, exercise_id=exercise), limit=5_000)}
            if found != expected:
                stage.violate(
                    "I6 nobody sees outside their scope", found=f"person {person}, exercise {exercise}: {sorted(found ^ expected)[:10]}",
                    expected=f"{len(expected)} cases",
                )
        for case, _, _ in cases[:: max(1, len(cases) // 12)]:
            if _opens(case, scope) != (case in inside):
                stage.violate("I6 nobody sees outside their scope", found=f"person {person} case {case}", expected=str(case in inside), case=case)


def _opens(case: int, scope: object) -> bool:
    try:
        case_in_scope(case, scope)  # type: ignore[arg-type]
    except NotFound:
        return False
    return True
