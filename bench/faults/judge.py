"""What must have been told to whom, what was, and what was in flight at each kill. Pure: works on the records alone.

A telling is (person, template, reason, meter's datastream). Every alert has a meter of its own, so a telling that is missing
is a loss and one that came under two keys is a repeat, whatever the product says of itself.
"""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.faults.client import HIGH, LOW, NO_DATA

Telling = tuple[int, str, str, int]
Row = Mapping[str, Any]
OFFERED, ESCALATED = "TASK_OFFERED", "TASK_ESCALATED"
CLIMBS_AFTER_S = 60.0
CLIMB_GRACE_S = 15.0
STARTS_S = 0.3  # no process starts faster: what is seen sooner was left behind by the killed one


@dataclass
class Expected:
    """What must have been told at one moment: red messages one by one, calm ones by how many each person has."""

    tellings: set[Telling] = field(default_factory=set)
    perhaps: set[Telling] = field(default_factory=set)
    calm: Counter[int] = field(default_factory=Counter)


@dataclass(frozen=True)
class Compared:
    """What differs between what was expected and what was told."""

    lost: list[Telling]
    repeated: list[Telling]
    strange: list[Telling]
    calm_lost: int
    calm_repeated: int


def expected_of(posted: Iterable[tuple[str, int, float]], people: Mapping[int, Sequence[int]], *, judged_at: float) -> Expected:
    """Return what must be told of alerts given as (kind, datastream, acknowledged at).

    `people` names per datastream the grid worker, the township's and the county's officer. A ladder's second rung is
    certain once it was due some seconds before `judged_at`; before that it may have been told.
    """
    found = Expected()
    for kind, stream, at in posted:
        grid, township, county = people[stream]
        if kind == LOW:
            found.tellings.add((grid, OFFERED, f"{LOW}_OPEN", stream))
        elif kind == HIGH:
            found.calm[grid] += 1
        elif kind == NO_DATA:
            found.tellings.add((township, OFFERED, f"{NO_DATA}_OPEN", stream))
            climbed = at + CLIMBS_AFTER_S + CLIMB_GRACE_S < judged_at
            (found.tellings if climbed else found.perhaps).add((county, ESCALATED, f"{NO_DATA}_OPEN", stream))
    return found


def told_in(rows: Iterable[Row]) -> tuple[Counter[Telling], Counter[int]]:
    """Return how often each thing was told, and how many calm messages each person got; a key counts once."""
    red: Counter[Telling] = Counter()
    calm: Counter[int] = Counter()
    for row in rows:
        if row["again"]:
            continue
        reason = row["params"].get("reason", "")
        if row["count"] > 1 or reason.startswith(HIGH):
            calm[row["person"]] += row["count"]
        else:
            red[row["person"], row["template"], reason, row["params"].get("datastream", 0)] += 1
    return red, calm


def compare(expected: Expected, rows: Iterable[Row]) -> Compared:
    """Return what one channel has not told, told under two keys, or told though nobody expected it."""
    red, calm = told_in(rows)
    known = expected.tellings | expected.perhaps
    return Compared(
        lost=sorted(expected.tellings - set(red)), repeated=sorted(each for each, times in red.items() if times > 1),
        strange=sorted(set(red) - known), calm_lost=(expected.calm - calm).total(), calm_repeated=(calm - expected.calm).total(),
    )


def calls_beyond_the_first(rows: Iterable[Row]) -> Counter[str]:
    """Return for each key how many calls came after the first."""
    return Counter(row["key"] for row in rows if row["again"])


def in_flight(kill: Row, *, requests: Sequence[Row], opened: Sequence[Row], silences: Sequence[tuple[float, float]]) -> bool:
    """Return whether the killed process had work in flight at the kill.

    web: a request was sent whole and not yet answered. worker: a gateway had a request open from this very process.
    watch: readings of a meter that fell silent had been acknowledged, and the tick that raised its alert came later;
    `silences` are (acknowledged at, alert opened at) by the clock on the wall.
    """
    at = kill["at"]
    if kill["kind"] == "web":
        return any(row["sent"] <= at < row["done"] for row in requests)
    if kill["kind"] == "worker":
        return any(kill["started"] < row["arrived"] <= at < row["left"] for row in opened)
    return any(acked <= kill["wall"] < raised for acked, raised in silences)


def back_after(
    kills: Sequence[Row], *, requests: Sequence[Row], opened: Sequence[Row], silences: Sequence[tuple[float, float]],
) -> dict[str, list[float] | None]:
    """Return for each process the median and longest time from its kill to its next work done, in seconds."""
    moments = {
        "web": sorted(row["done"] for row in requests if 0 < row["status"] < 500), "worker": sorted(row["arrived"] for row in opened),
        "watch": sorted(raised for _, raised in silences),
    }
    found: dict[str, list[float] | None] = {}
    for kind, at in moments.items():
        clock = "wall" if kind == "watch" else "at"
        taken = [next((each - kill[clock] for each in at if each > kill[clock] + STARTS_S), None) for kill in kills if kill["kind"] == kind]
        known = [each for each in taken if each is not None]
        found[kind] = [round(statistics.median(known), 2), round(max(known), 2)] if known else None
    return found
