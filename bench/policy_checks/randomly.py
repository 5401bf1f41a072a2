"""Random policies of every kind of node: written, read back, decided by all back ends on facts that may be ranges, sets or unknown."""

from __future__ import annotations

import random
import sqlite3
from dataclasses import replace
from datetime import date
from typing import Any

from bench.harness import Bench
from shouwang.eligibility import Program, decide, library_of, written
from shouwang.eligibility.bulk import decide_records
from shouwang.eligibility.checking import checked
from shouwang.eligibility.form import All, Among, AnyOf, Arith, Call, Compare, Const, Fact, If, Node, Not, Note, Over, outline
from shouwang.eligibility.grammar import parsed
from shouwang.eligibility.library import Entry, Library, Terms, Version
from shouwang.eligibility.sql import quoted, select_of
from shouwang.eligibility.writing import line_of

DAY = date(2026, 1, 1)
NUMBERS, TRUTHS, TEXTS, OPTIONS = ("收入", "年龄", "income"), ("本地", "disabled", "在读"), ("性别", "hukou"), ("男", "女", "农村", "town")
OF_MEMBERS, TRUE_OF_MEMBERS = ("月收入", "age"), ("残疾", "student")
PEOPLE, REAL = 6, "REAL"


def run(bench: Bench, count: int) -> dict[str, Any]:
    """Return how many random policies do not survive the editor, or are decided otherwise by one of the back ends."""
    chance = random.Random(bench.seed)
    failed = lines_failed = disagree = flips = 0
    for _ in range(count):
        library = made(chance)
        try:
            again = library_of(written(library))
            failed += again != library or notes(again) != notes(library)
        except Exception:  # noqa: BLE001 - a round trip that raises has failed
            failed += 1
        for entry in library.policies.values():
            lines = [each for each in outline(entry.versions[0].condition) if not isinstance(each, (All, AnyOf, Not)) or each.note.text not in {"全部", "任一", "非"}]
            lines_failed += sum(parsed(line_of(each)) != each for each in lines)
        one, two = agreement(chance, library.at(DAY))
        disagree, flips = disagree + one, flips + two
    return {"random_policies": count, "round_trips_failed": failed + lines_failed, "random_disagree": disagree, "random_flips": flips}


def notes(library: Library) -> list[Note]:
    """Return all notes of a library in order."""
    return [each.note for entry in library.policies.values() for version in entry.versions for each in outline(version.condition)]


def made(chance: random.Random) -> Library:
    """Return a random library of three policies, as the editor would hold it."""
    policies = {}
    for n in range(3):
        condition = All(tuple(branch(chance, 3) for _ in range(chance.randint(1, 3))), note=Note("全部"))
        amount = replace(number(chance, 1), note=Note()) if chance.random() < 0.5 else None
        amount = replace(amount, note=Note(line_of(amount))) if amount is not None else None
        since = date(2000 + n, 1, 1) if chance.random() < 0.5 else None
        note = Note(chance.choice(["", f"政策 {n}: 甲"]), cite=f"第{n}条", illustrative=chance.random() < 0.3)
        terms = Terms(number=n, department="民政", excludes=("p0",) if n == 2 else (), application_free=chance.random() < 0.2)
        policies[f"p{n}"] = Entry(f"p{n}", (Version(condition, amount, since, None, None, replace(note, explain=note.text), terms),))
    return checked(Library({}, {}, {}, policies))


def branch(chance: random.Random, depth: int) -> Node:
    """Return a random piece of outline."""
    note = Note(cite=chance.choice(["", "第一条（二）"]), explain=chance.choice(["", "说明: 甲, 乙"]), evidence=("身份证",) if chance.random() < 0.2 else (), illustrative=chance.random() < 0.1)
    way = chance.random()
    if depth == 0 or way < 0.4:
        node = truth(chance, 1)
        return replace(node, note=replace(note, text=line_of(node)))
    if way < 0.85:
        kind, text = (All, "全部") if chance.random() < 0.5 else (AnyOf, "任一")
        return kind(tuple(branch(chance, depth - 1) for _ in range(chance.randint(1, 3))), note=replace(note, text=text))
    return Not(branch(chance, depth - 1), note=replace(note, text="非"))


def number(chance: random.Random, depth: int, *, of_member: bool = False) -> Node:
    """Return a random number."""
    way = chance.random()
    if depth == 0 or way < 0.4:
        return Const(chance.randint(-3, 6)) if chance.random() < 0.4 else Fact(chance.choice(OF_MEMBERS if of_member else NUMBERS), of_member)
    inner = [number(chance, depth - 1, of_member=of_member) for _ in range(2)]
    if way < 0.65:
        return Arith(chance.choice("+-*/"), *inner)
    if way < 0.8:
        return Call(chance.choice(["min", "max"]), tuple(inner))
    if way < 0.9 or of_member:
        return If(truth(chance, 0, of_member=of_member), *inner)
    return Over("sum", number(chance, 0, of_member=True)) if chance.random() < 0.5 else Over("count", truth(chance, 0, of_member=True))


def truth(chance: random.Random, depth: int, *, of_member: bool = False) -> Node:
    """Return a random truth."""
    way = chance.random()
    if way < 0.2:
        return Fact(chance.choice(TRUE_OF_MEMBERS if of_member else TRUTHS), of_member)
    if way < 0.5:
        return Compare(chance.choice(["<", "<=", ">", ">=", "==", "!="]), number(chance, depth, of_member=of_member), number(chance, depth, of_member=of_member))
    if way < 0.6 or (of_member and way < 0.8):
        return Among(Fact(chance.choice(OF_MEMBERS if of_member else NUMBERS), of_member), tuple(Const(each) for each in chance.sample(range(-2, 6), 3)))
    if way < 0.7:
        return Compare(chance.choice(["==", "!="]), Fact(TEXTS[0]), Const(chance.choice(OPTIONS))) if not of_member else Fact(TRUE_OF_MEMBERS[0], of_member=True)
    if way < 0.75 and not of_member:
        return Among(Fact(TEXTS[1]), tuple(Const(each) for each in chance.sample(OPTIONS, 2)))
    if way < 0.8 and not of_member:
        return Over(chance.choice(["any", "all"]), truth(chance, 0, of_member=True))
    if depth == 0:
        return Fact(chance.choice(TRUE_OF_MEMBERS if of_member else TRUTHS), of_member)
    inner = tuple(truth(chance, depth - 1, of_member=of_member) for _ in range(2))
    return All(inner) if way < 0.88 else AnyOf(inner) if way < 0.95 else Not(inner[0])


def whole(chance: random.Random) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return everything about one random household."""
    facts = {name: chance.randint(-2, 6) for name in NUMBERS} | {name: chance.random() < 0.5 for name in TRUTHS} | {name: chance.choice(OPTIONS) for name in TEXTS}
    member = [{name: chance.randint(-2, 6) for name in OF_MEMBERS} | {name: chance.random() < 0.5 for name in TRUE_OF_MEMBERS} for _ in range(chance.randint(0, 3))]
    return facts, member


def blurred(chance: random.Random, facts: dict[str, Any], *, wide: bool) -> dict[str, Any]:
    """Return what an office might know of it; `wide` allows ranges and sets."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        way = chance.random()
        if way < 0.45:
            found[name] = value
        elif wide and way < 0.6 and not isinstance(value, (bool, str)):
            found[name] = {"min": value - chance.randint(0, 2), "max": value + chance.randint(0, 2)}
        elif wide and way < 0.7:
            found[name] = {"any": [value, chance.choice(OPTIONS) if isinstance(value, str) else chance.random() < 0.5 if isinstance(value, bool) else chance.randint(-2, 6)]}
    return found


def agreement(chance: random.Random, program: Program) -> tuple[int, int]:
    """Return in how many cells the back ends disagree on random households, and how many decided cells flip when all is known."""
    homes = [whole(chance) for _ in range(PEOPLE)]
    disagree = flips = 0
    for wide in (True, False):
        facts = [blurred(chance, each, wide=wide) for each, _ in homes]
        members = [None if chance.random() < 0.2 else [blurred(chance, each, wide=wide) for each in some] for _, some in homes]
        ours = [{name: each.outcome for name, each in decide(program, row, members=some).items()} for row, some in zip(facts, members, strict=True)]
        bits = decide_records(program, facts, members=members)
        disagree += sum(ours[n][name] is not bits[name][n] for n in range(PEOPLE) for name in program.asked)
        if not wide:
            disagree += sum(ours[n][name] is not each for n, row in enumerate(in_sql(program, facts, members)) for name, each in row.items())
        for (known, some), early in zip(homes, ours, strict=True):
            late = decide(program, known, members=some)
            flips += sum(each is not None and each is not late[name].outcome for name, each in early.items())
    return disagree, flips


def in_sql(program: Program, facts: list[dict[str, Any]], members: list[Any]) -> list[dict[str, bool | None]]:
    """Return what the exported SELECT says on SQLite."""
    database = sqlite3.connect(":memory:")
    kinds = {"TEXT": "TEXT", "BOOLEAN": "INTEGER"}
    for table, first, known in (("people", ["id", "members"], program.kinds), ("members", ["household"], program.member_kinds)):
        database.execute(f"CREATE TABLE {table} ({', '.join([*(f'{each} INTEGER' for each in first), *(f'{quoted(name)} {kinds.get(str(kind), REAL)}' for name, kind in known.items())])})")
    for n, (row, some) in enumerate(zip(facts, members, strict=True)):
        database.execute(f"INSERT INTO people VALUES ({', '.join('?' * (len(program.kinds) + 2))})", (n, None if some is None else len(some), *(row.get(name) for name in program.kinds)))
        for each in some or []:
            database.execute(f"INSERT INTO members VALUES ({', '.join('?' * (len(program.member_kinds) + 1))})", (n, *(each.get(name) for name in program.member_kinds)))
    cursor = database.execute(select_of(program))
    names = [each[0] for each in cursor.description]
    rows = [{name: None if value is None else bool(value) for name, value in zip(names, row, strict=True) if name in program.policies} for row in cursor.fetchall()]
    database.close()
    return rows
