"""Runs the plan of a program over a table, a stretch of rows after the other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from shouwang.eligibility.bulk.chunks import Chunk, Number
from shouwang.eligibility.bulk.columns import Marks, Table, table_of
from shouwang.eligibility.bulk.planning import ROWS, Plan, Registers
from shouwang.eligibility.form import AmountOf, Ref
from shouwang.eligibility.interpret import decide
from shouwang.eligibility.library import Program


def decide_table(program: Program, table: Table, *, rows: int = ROWS) -> dict[str, Marks]:
    """Return the outcome of every policy for every row, `rows` (a multiple of 8) at a time."""
    plan = program.kept.get("plan") or Plan(program)
    program.kept["plan"] = plan
    places = {name: plan.truth(Ref(name)) for name in program.asked}
    found = {name: (np.empty((table.count + 7) // 8, np.uint8), np.empty((table.count + 7) // 8, np.uint8)) for name in places}
    for begin, chunk, registers in _runs(plan, table, rows):
        part = slice(begin // 8, (begin + len(chunk) + 7) // 8)
        for name, place in places.items():
            holds, fails = registers[place]
            found[name][0][part] = holds
            found[name][1][part] = np.invert(holds) if fails is None else fails
    return {name: Marks(table.count, *(_cut(bits, table.count) for bits in each)) for name, each in found.items()}


def _cut(bits: Any, count: int) -> Any:
    """Clear the bits past the last row."""
    if count % 8:
        bits[-1] &= 0xFF << (8 - count % 8) & 0xFF
    return bits


def _runs(plan: Plan, table: Table, rows: int) -> Iterator[tuple[int, Chunk, Registers]]:
    with np.errstate(all="ignore"):
        for begin in range(0, table.count, rows):
            chunk = Chunk(table, begin, min(begin + rows, table.count))
            yield begin, chunk, plan.run(chunk)


def amounts_of(program: Program, table: Table, names: Sequence[str], *, rows: int = ROWS) -> dict[str, Number]:
    """Return the amounts of a few policies for every row: least, greatest and whether known, as the interpreter reckons them."""
    plan = Plan(program)
    places = {name: plan.number(AmountOf(name)) for name in names}
    parts: dict[str, list[tuple[Any, Any, Any]]] = {name: [] for name in names}
    for _, chunk, registers in _runs(plan, table, rows):
        for name, place in places.items():
            number: Number = registers[place]
            parts[name].append((number.low, number.top, np.ones(len(chunk), bool) if number.known is None else number.known))
    return {name: Number(*(np.concatenate([each[side] for each in listed] or [[]]) for side in range(3))) for name, listed in parts.items()}


def decide_records(
    program: Program, records: Sequence[Mapping[str, Any]], *, members: Sequence[Sequence[Mapping[str, Any]] | None] | None = None,
) -> dict[str, list[bool | None]]:
    """Return the outcome of every policy for records with anything in them; rows that hold a set take the interpreter."""
    table, several = table_of(program, records, members=members)
    found = {name: [None if code < 0 else bool(code) for code in marks.outcomes()] for name, marks in decide_table(program, table).items()}
    for row in several:
        decided = decide(program, records[row], members=members[row] if members is not None else None)
        for name, each in decided.items():
            found[name][row] = each.outcome
    return found
