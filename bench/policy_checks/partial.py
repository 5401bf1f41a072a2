"""Random partial people through the shipped library: no flip, three back ends that agree, explanations that replay, lines that are cited."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from typing import Any

import numpy as np

from bench.eligibility.people import people, records
from bench.harness import Bench
from shouwang.eligibility import Judgement, Program, decide, explain, shipped
from shouwang.eligibility.bulk import Column, Marks, Table, decide_table
from shouwang.eligibility.sql import quoted, select_of

DAY = date(2026, 1, 1)
BATCH = 5_000
Outcomes = dict[str, np.ndarray]


def run(bench: Bench, count: int, *, broken: bool) -> dict[str, Any]:
    """Return flips, disagreements, and shares of what replays and is cited. Broken, the bits take every unknown for false."""
    library = shipped()
    program = library.at(DAY)
    chance = np.random.default_rng(bench.seed)
    table = people(library, count, seed=bench.seed, unknown=0.35)
    more = Table(count, {
        name: Column(each.values, np.asarray(each.known) | (chance.random(count) < 0.5), categories=each.categories) for name, each in table.columns.items()
    })
    whole = Table(count, {name: Column(each.values, categories=each.categories) for name, each in table.columns.items()})
    early, later, last = (read(decide_table(program, blinded(each) if broken else each)) for each in (table, more, whole))
    if broken:
        last = read(decide_table(program, whole))
    flips = sum(turned(one, two) for one, two in ((early, later), (early, last), (later, last)))
    disagree, replayed, tried = 0, 0, 0
    for begin, facts in batches(table):
        by_sql = in_sql(program, facts)
        for n, each in enumerate(facts):
            for name, decision in decide(program, each).items():
                code = code_of(decision.outcome)
                disagree += int(code != early[name][begin + n]) + int(code != by_sql[name][n])
        if begin < BATCH:
            for each in facts:
                ok, all_ = replays(program, each)
                replayed, tried = replayed + ok, tried + all_
        bench.note(f"{begin + len(facts)} people")
    leaves = [leaf for name in program.asked for leaf in explain(program, name, {}).leaves()]
    return {
        "people": count, "flips": flips, "backends_disagree": disagree, "replay_share": round(replayed / tried, 6),
        "leaves": len(leaves), "leaves_uncited": sum(not leaf.cite and not leaf.illustrative for leaf in leaves),
        "undecided_share": round(float(np.mean([(each < 0).mean() for each in early.values()])), 3),
    }


def read(marks: dict[str, Marks]) -> Outcomes:
    """Return the outcomes of all policies."""
    return {name: each.outcomes() for name, each in marks.items()}


def blinded(table: Table) -> Table:
    """Return the table with every unknown taken for nothing."""
    def filled(column: Column) -> Column:
        return Column(np.where(column.known, column.values, np.zeros(1, column.values.dtype)) if column.known is not None else column.values, categories=column.categories)

    return Table(table.count, {name: filled(each) for name, each in table.columns.items()})


def turned(early: Outcomes, later: Outcomes) -> int:
    """Return how many decided cells are otherwise once more is known."""
    return sum(int(((each >= 0) & (each != later[name])).sum()) for name, each in early.items())


def batches(table: Table) -> Iterator[tuple[int, list[dict[str, Any]]]]:
    """Yield the people as facts, some thousand at a time."""
    for begin in range(0, table.count, BATCH):
        yield begin, records(table, np.arange(begin, min(begin + BATCH, table.count)))


def code_of(outcome: bool | None) -> int:
    """Return an outcome as its number."""
    return -1 if outcome is None else int(outcome)


def in_sql(program: Program, facts: list[dict[str, Any]]) -> dict[str, list[int]]:
    """Return what the exported SELECT says on SQLite."""
    database = sqlite3.connect(":memory:")
    names = list(program.facts)
    types = {"TEXT": "TEXT", "NUMBER": "REAL", "BOOLEAN": "INTEGER"}
    columns = ", ".join(f"{quoted(name)} {types[str(program.kinds[name])]}" for name in names)
    database.execute(f"CREATE TABLE people (id INTEGER, members INTEGER, {columns})")
    marks = ", ".join("?" * (len(names) + 2))
    database.executemany(f"INSERT INTO people VALUES ({marks})", [(n, None, *(each.get(name) for name in names)) for n, each in enumerate(facts)])
    cursor = database.execute(select_of(program))
    titles = [each[0] for each in cursor.description]
    rows = cursor.fetchall()
    database.close()
    return {name: [code_of(None if row[place] is None else bool(row[place])) for row in rows] for place, name in enumerate(titles) if name in program.policies}


def replays(program: Program, facts: dict[str, Any]) -> tuple[int, int]:
    """Return how many explanations of one person replay to the decision, of how many."""
    judgement = Judgement(program, facts)
    ok = 0
    for name in program.asked:
        explanation = judgement.explanation(name)
        ok += explanation.replayed() is judgement.outcome(name) and explanation.outcome is judgement.outcome(name)
    return ok, len(program.asked)
