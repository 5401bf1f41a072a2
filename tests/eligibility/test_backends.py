"""The back ends agree: the interpreter, packed bits, and SQL on a real database."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.eligibility import Judgement, Range, decide, exact
from shouwang.eligibility.bulk import Column, Table, amounts_of, decide_records, decide_table, table_of
from shouwang.eligibility.checking import checked
from shouwang.eligibility.form import Node, Note
from shouwang.eligibility.grammar import parsed
from shouwang.eligibility.library import Entry, Library, Program, Version
from shouwang.eligibility.values import bounds
from tests.eligibility.drawing import PATIENT, blurred, numbers, outlines, whole_facts, whole_members
from tests.eligibility.libraries import DAY, around, program


@st.composite
def people(draw: st.DrawFn, *, ranges: bool = True, most: int = 20) -> tuple[list[dict[str, Any]], list[list[dict[str, Any]] | None]]:
    count = draw(st.integers(1, most))
    records = [draw(blurred(draw(whole_facts()), ranges=ranges)) for _ in range(count)]
    members = [None if draw(st.integers(0, 4)) == 0 else [draw(blurred(each, ranges=ranges)) for each in draw(whole_members())] for _ in range(count)]
    return records, members


def with_amount(condition: Node, amount: Node) -> Program:
    return checked(Library({}, {}, {}, {"p": Entry("p", (Version(condition, amount),))})).at(DAY)


@settings(max_examples=150, **PATIENT)
@given(outlines(depth=2), outlines(depth=1), people())
def test_bits_decide_as_the_interpreter_does(first: Node, second: Node, known: tuple[list, list]) -> None:
    records, members = known
    made = around(first, second)
    expected = {name: [decide(made, row, members=listed)[name].outcome for row, listed in zip(records, members, strict=True)] for name in made.asked}
    assert expected == decide_records(made, records, members=members)


@settings(max_examples=100, **PATIENT)
@given(outlines(depth=1), numbers(), people())
def test_amounts_are_reckoned_as_the_interpreter_does(condition: Node, amount: Node, known: tuple[list, list]) -> None:
    records, members = known
    made = with_amount(condition, amount)
    table, several = table_of(made, records, members=members)
    found = amounts_of(made, table, ["p"])["p"]
    for row, (record, listed) in enumerate(zip(records, members, strict=True)):
        value = Judgement(made, record, members=listed).amount("p")
        if row not in several:
            assert bool(found.known[row]) is (value is not None)
            assert value is None or np.allclose(bounds(value), (found.low[row], found.top[row]))


@pytest.mark.parametrize("rows", [8, 16, 1024])
def test_stretches_of_any_length_give_the_same(rows: int) -> None:
    made = program()
    ages = np.arange(100, dtype=np.int16)
    table = Table(100, {"年龄": Column(ages, known=ages % 3 != 0), "失能等级": Column((ages % 4).astype(np.uint8)), "本地户籍": Column(ages > 50)})
    found = decide_table(made, table, rows=rows)
    assert [None if age % 3 == 0 else age >= 80 for age in range(100)] == [None if each < 0 else bool(each) for each in found["高龄津贴"].outcomes()]
    assert (13, 53, 34) == found["高龄津贴"].counts()
    assert [age for age in range(100) if age % 4 >= 2] == found["护理补贴"].holding().tolist()
    assert set(found["低保"].outcomes()[:51]) == {0}
    assert set(found["低保"].outcomes()[51:]) == {-1}


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int16, np.int64])
def test_a_comparison_is_exact_in_every_width(dtype: type) -> None:
    values = np.array([0, 1, 2, 3, 0.1, 0.6, 2.5], dtype)
    made = around(*(parsed_line for parsed_line in map(_line, ["a < 0.6", "a >= 2.5", "a == 0.1", "a in (1, 2.5)", "a * 3 > 7.4", "a * 0.1 <= 0.25", "3 * a < 0.3", "a * 3 >= 7.5"])))
    found = decide_table(made, Table(len(values), {"a": Column(values)}))
    for row, value in enumerate(values.tolist()):
        assert {name: each.outcome for name, each in decide(made, {"a": value}).items()} == {name: bool(each.outcomes()[row]) for name, each in found.items()}


def _line(text: str) -> Node:
    return replace(parsed(text), note=Note(text))


def test_a_range_column_decides_what_it_can() -> None:
    low, high = np.array([700.0, 800, 900]), np.array([800.0, 900, 1000])
    found = decide_table(around(_line("a < 850")), Table(3, {"a": Column(low, high=high)}))
    assert [1, -1, 0] == found["p0"].outcomes().tolist()
    assert [True, None, False] == [decide(around(_line("a < 850")), {"a": Range(*each)})["p0"].outcome for each in zip(low, high, strict=True)]
    assert exact(decide(program(), {"年龄": 95, "人均月收入": 1})["高龄津贴"].amount)
