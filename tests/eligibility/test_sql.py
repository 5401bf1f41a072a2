"""The SQL for auditors, run on a real database: SQLite always, PostgreSQL with SHOUWANG_TEST_POSTGRES=1."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from shouwang.eligibility import Judgement, decide, exact, library_of, shipped
from shouwang.eligibility.form import BOOLEAN, TEXT, Node
from shouwang.eligibility.library import Program
from shouwang.eligibility.sql import literal, quoted, select_of
from tests.eligibility.drawing import numbers, outlines
from tests.eligibility.libraries import DAY, around, program
from tests.eligibility.test_backends import people, with_amount

COUNT = int(os.environ.get("SHOUWANG_TEST_POSTGRES") == "1")
TYPES = {BOOLEAN: "BOOLEAN", TEXT: "TEXT"}
Records = tuple[list[dict[str, Any]], list[list[dict[str, Any]] | None]]


@pytest.fixture(params=["sqlite", *(["postgres"] if COUNT else [])])
def database(request: pytest.FixtureRequest) -> Iterator[Any]:
    if request.param == "sqlite":
        with closing(sqlite3.connect(":memory:")) as connection:
            yield connection
    else:
        with psycopg.connect(os.environ["SHOUWANG_DATABASE"], prepare_threshold=None) as connection:
            yield connection
            connection.rollback()


def stored(database: Any, made: Program, known: Records) -> None:
    """Put people and members into tables."""
    records, members = known
    put(database, "people", {"id": "INTEGER", "members": "INTEGER", **columns(made.kinds)}, [
        {"id": n, "members": None if members[n] is None else len(members[n] or []), **row} for n, row in enumerate(records)
    ])
    put(database, "members", {"household": "INTEGER", **columns(made.member_kinds)}, [{"household": n, **each} for n, some in enumerate(members) for each in some or []])


def columns(kinds: Any) -> dict[str, str]:
    return {name: TYPES.get(kind, "DOUBLE PRECISION") for name, kind in kinds.items()}


def put(database: Any, table: str, types: dict[str, str], rows: Sequence[dict[str, Any]]) -> None:
    mark = "?" if isinstance(database, sqlite3.Connection) else "%s"
    cursor = database.cursor()
    cursor.execute(f"DROP TABLE IF EXISTS {quoted(table)}")
    cursor.execute(f"CREATE {'TEMPORARY ' if mark == '%s' else ''}TABLE {quoted(table)} ({', '.join(f'{quoted(name)} {kind}' for name, kind in types.items())})")
    for row in rows:
        cursor.execute(f"INSERT INTO {quoted(table)} VALUES ({', '.join([mark] * len(types))})", [row.get(name) for name in types])


def answers(database: Any, made: Program) -> list[dict[str, Any]]:
    cursor = database.cursor()
    cursor.execute(select_of(made))
    names = [each[0] for each in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


QUIET = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])


@QUIET
@given(outlines(depth=2), outlines(depth=1), people(ranges=False, most=8))
def test_sql_decides_as_the_interpreter_does(database: Any, first: Node, second: Node, known: Records) -> None:
    made = around(first, second)
    stored(database, made, known)
    for row, record, listed in zip(answers(database, made), *known, strict=True):
        expected = {name: each.outcome for name, each in decide(made, record, members=listed).items()}
        assert expected == {name: None if row[name] is None else bool(row[name]) for name in expected}


@QUIET
@given(outlines(depth=1), numbers(depth=1), people(ranges=False, most=8))
def test_sql_reckons_amounts_as_the_interpreter_does(database: Any, condition: Node, amount: Node, known: Records) -> None:
    made = with_amount(condition, amount)
    stored(database, made, known)
    for row, record, listed in zip(answers(database, made), *known, strict=True):
        value = Judgement(made, record, members=listed).amount("p")
        assert (float(value) if exact(value) else None) == pytest.approx(row["p.金额"])  # type: ignore[arg-type]


def test_the_shipped_library_runs_as_sql(database: Any) -> None:
    made = shipped().at(DAY.replace(year=2026))
    facts = {"人均月收入": 500, "本地户籍": True, "财产符合规定": True, "年龄": 85, "义务人情况": "无", "残疾等级": 1, "残疾类别": "视力"}
    stored(database, made, ([facts, {}], [None, None]))
    whole, empty = answers(database, made)
    assert {name: each.outcome for name, each in decide(made, facts).items()} == {name: None if whole[name] is None else bool(whole[name]) for name in made.asked}
    assert {None} == {empty[name] for name in made.asked}
    assert whole["最低生活保障.金额"] == 350


def test_an_auditor_finds_the_articles_beside_the_lines() -> None:
    text = select_of(program())
    assert "-- 低收入 · 暂行办法 第九条" in text
    assert '(CAST(_."人均月收入" AS DOUBLE PRECISION) < CAST(850 AS DOUBLE PRECISION))' in text


@pytest.mark.parametrize("hostile", ["a'; DROP TABLE people; --", 'a"; DROP TABLE people; --', "x'' OR 1=1", "\n; DROP TABLE people;"])
def test_names_and_texts_stay_what_they_are(database: Any, hostile: str) -> None:
    made = library_of("policies: {p: {test: \"t == 'x'\", cite: PLACE}}".replace("PLACE", "z")).at(DAY)
    stored(database, made, ([{"t": hostile}], [None]))
    assert answers(database, made)[0]["p"] in (0, False)
    cursor = database.cursor()
    cursor.execute(f"SELECT {literal(hostile)}, 1 AS {quoted(hostile)}")
    row = cursor.fetchone()
    assert (hostile, 1) == tuple(row)
    noted = library_of(f"policies: {{p: {{test: 是, cite: {hostile!r}}}}}") if "\n" not in hostile and "'" not in hostile else library_of("policies:\n  p:\n    test: 是\n    cite: |\n      x\n      ; DROP TABLE people;")
    stored(database, noted.at(DAY), ([{}], [None]))
    assert answers(database, noted.at(DAY))[0]["p"] in (1, True)
