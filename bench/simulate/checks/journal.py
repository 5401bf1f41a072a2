"""The log at the end: I7 its fold gives the tables, I10 its events keep exercises apart, and the hash that I8 compares."""

from __future__ import annotations

from collections import Counter

from bench.simulate import store
from bench.simulate.stage import Stage
from shouwang.journal.queries import events_after, verify
from shouwang.kernel.errors import ShouwangError

STATE_AFTER = {
    "case.opened": "OPEN", "case.reopened": "OPEN", "case.completed": "COMPLETED", "case.closed": "CLOSED", "case.withdrawn": "WITHDRAWN",
}


def check(stage: Stage) -> int:
    """Check the log and return how many events it holds."""
    try:
        count = verify()
    except ShouwangError as error:
        stage.violate("the log's chain holds", found=repr(error), expected="every hash")
        return 0
    states: dict[int, str] = {}
    exercises: dict[int, int | None] = {}
    alerts: Counter[str] = Counter()
    seq = 0
    while page := events_after(seq):
        seq = page[-1].seq
        for event in page:
            if event.kind in STATE_AFTER and event.subject_id is not None:
                states[event.subject_id] = STATE_AFTER[event.kind]
            if event.kind in ("alert.opened", "alert.ended"):
                alerts[event.kind] += 1
            if event.kind.startswith("case.") and event.subject_id is not None:
                before = exercises.setdefault(event.subject_id, event.exercise_id)
                if before != event.exercise_id:
                    stage.violate("I10 an exercise is one throughout", found=f"{event.kind} of {event.exercise_id}", expected=f"of {before}", case=event.subject_id)
    _fold(stage, states, alerts)
    return count


def _fold(stage: Stage, states: dict[int, str], alerts: Counter[str]) -> None:
    """I7: the states and counts that the events add up to are those of the tables."""
    found = {int(row[0]): str(row[1]) for row in store.rows("SELECT id, state FROM cases_case")}  # type: ignore[call-overload]
    for case in found.keys() | states.keys():
        if found.get(case) != states.get(case):
            stage.violate("I7 figures are a fold of the log", found=f"table {found.get(case)}", expected=f"log {states.get(case)}", case=case)
    ((opened, ended),) = store.rows("SELECT count(*), sum(CASE WHEN state = 'ENDED' THEN 1 ELSE 0 END) FROM alerts_alert")
    if (opened, ended or 0) != (alerts["alert.opened"], alerts["alert.ended"]):
        stage.violate("I7 figures are a fold of the log", found=f"{opened} alerts, {ended} ended", expected=str(dict(alerts)))


def head() -> str:
    """Return the hash of the log's last event."""
    ((seq, digest),) = store.rows("SELECT seq, hash FROM journal_head")
    return f"{seq}:{bytes(digest).hex()}"  # type: ignore[call-overload]
