"""Writes a program as one SELECT that an auditor can read and run on a table with a column for each fact (NULL is unknown).

Each definition and policy is a stage of its own, in order, with its articles as comments. Truth is SQL's own three-valued logic;
a number is a pair of expressions (least, greatest) that differ only where members are counted or a condition is open. Values that are a
range or a set are not in such a table; the other back ends decide those.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from shouwang.eligibility.errors import EligibilityError
from shouwang.eligibility.form import (
    BOOLEAN,
    All,
    Among,
    AmountOf,
    AnyOf,
    Arith,
    Call,
    Compare,
    Const,
    Fact,
    If,
    Node,
    Not,
    Over,
    Param,
    Ref,
)
from shouwang.eligibility.library import Program

Pair = tuple[str, str]
REAL = "DOUBLE PRECISION"
AMOUNT = ".金额"


class NotForSql(EligibilityError):
    """A condition that cannot be written in SQL."""

    zh = "不能写成 SQL：{what}；请改写这一条。"
    en = "This cannot be written in SQL: {what}; rewrite this line."


def quoted(name: str) -> str:
    """Return a name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(value: Any) -> str:
    """Return a constant as SQL. Text is quoted, never pasted."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "(1 = 1)" if value else "(1 = 0)"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return f"CAST({value!r} AS {REAL})"


def select_of(program: Program, *, table: str = "people", key: str = "id", members: str = "members", owner: str = "household") -> str:
    """Return the SELECT: `key` and a column for each policy. Members stand in a table of their own that names its household in `owner`.

    A household whose members are not known has NULL in the column `members` of `table`, else the number of them. Amounts are columns
    of their own, NULL where not exactly known.
    """
    writer = Writer(program, table, key, members, owner)
    stages = [f"{quoted('_0')} AS (SELECT * FROM {quoted(table)})"]  # noqa: S608 - names are quoted, texts are literals
    for n, name in enumerate(program.order):
        columns = [f"{writer.condition(name)} AS {quoted(name)}", *writer.amount_columns(name)]
        body = ",\n    ".join(columns)
        stages.append(f"{_comment(program, name)}{quoted(f'_{n + 1}')} AS (SELECT _.*,\n    {body}\n  FROM {quoted(f'_{n}')} AS _)")  # noqa: S608 - names are quoted, texts are literals
    shown = [quoted(key), *(quoted(name) for name in program.asked), *(quoted(name + AMOUNT) for name in program.asked if program.policies[name].amount)]
    return f"WITH {', '.join(stages)}\nSELECT {', '.join(shown)}\nFROM {quoted(f'_{len(program.order)}')}\nORDER BY {quoted(key)}"


def _comment(program: Program, name: str) -> str:
    note = program.notes.get(name)
    text = " · ".join(part for part in (name, note.cite if note else "", note.explain if note else "") if part)
    return "\n-- " + text.replace("\n", " ").replace("\r", " ") + "\n"


@dataclass
class Writer:
    """Writes nodes as expressions over the columns of one stage."""

    program: Program
    table: str
    key: str
    members: str
    owner: str

    def condition(self, name: str) -> str:
        """Return the expression of a policy or definition: a truth, or a number or text that must then be exact."""
        node = self.program.node(name)
        if name in self.program.policies or self.is_truth(node):
            return self.truth(node)
        if isinstance(node, (Const, Param)) and isinstance(node.value, str):
            return literal(node.value)
        return self.exact(self.number(node))

    def amount_columns(self, name: str) -> list[str]:
        """Return the column of an amount: nothing where the policy does not hold, NULL where either is open."""
        ruling = self.program.policies.get(name)
        if ruling is None or ruling.amount is None:
            return []
        due = self.exact(self.number(ruling.amount))
        truth = self.truth(ruling.condition)
        return [f"CASE WHEN {truth} THEN {due} WHEN NOT ({truth}) THEN CAST(0 AS {REAL}) WHEN {due} = 0 THEN CAST(0 AS {REAL}) END AS {quoted(name + AMOUNT)}"]

    def exact(self, pair: Pair) -> str:
        """Return a number that is known only where its least and greatest are one."""
        low, high = pair
        return low if low == high else f"CASE WHEN {low} = {high} THEN {low} END"

    def is_truth(self, node: Node) -> bool:
        """Return whether a node is true or false."""
        if isinstance(node, Fact):
            return (self.program.member_kinds if node.of_member else self.program.kinds).get(node.name) == BOOLEAN
        if isinstance(node, (Const, Param)):
            return isinstance(node.value, bool)
        if isinstance(node, Ref):
            return node.name in self.program.policies or self.is_truth(self.program.node(node.name))
        if isinstance(node, If):
            return self.is_truth(node.then) or self.is_truth(node.other)
        return isinstance(node, (All, AnyOf, Not, Compare, Among)) or (isinstance(node, Over) and node.kind in {"any", "all"})

    def column(self, node: Fact) -> str:
        """Return the column of a fact."""
        return f"m.{quoted(node.name)}" if node.of_member else f"_.{quoted(node.name)}"

    def truth(self, node: Node) -> str:
        """Return a truth as an expression."""
        return TRUTHS.get(type(node), _no_truth)(self, node)

    def number(self, node: Node) -> Pair:
        """Return a number as its least and its greatest."""
        return NUMBERS.get(type(node), _no_number)(self, node)

    def compared(self, node: Compare) -> str:
        """Return a comparison, between bounds where a side is not one expression."""
        if self.is_truth(node.left) or self.is_truth(node.right):
            return f"({self.truth(node.left)} {_op(node.op)} {self.truth(node.right)})"
        if self.is_text(node.left) or self.is_text(node.right):
            return f"({self.plain(node.left)} {_op(node.op)} {self.plain(node.right)})"
        (a, b), (c, d) = self.number(node.left), self.number(node.right)
        if a == b and c == d:
            return f"({a} {_op(node.op)} {c})"
        return BETWEEN[node.op](a, b, c, d)

    def is_text(self, node: Node) -> bool:
        """Return whether a node is a text."""
        if isinstance(node, Fact):
            return (self.program.member_kinds if node.of_member else self.program.kinds).get(node.name) == "TEXT"
        return isinstance(node, (Const, Param)) and isinstance(node.value, str)

    def plain(self, node: Node) -> str:
        """Return a text as an expression."""
        if isinstance(node, Fact):
            return self.column(node)
        if isinstance(node, (Const, Param)):
            return literal(node.value)
        raise NotForSql(what=type(node).__name__)

    def among(self, node: Among) -> str:
        """Return a membership."""
        if self.is_text(node.item):
            return f"({self.plain(node.item)} IN ({', '.join(self.plain(each) for each in node.options)}))"
        return "(" + " OR ".join(self.compared(Compare("==", node.item, each)) for each in node.options) + ")"

    def over(self, node: Over) -> Pair:
        """Return what is counted over the members as least and greatest."""
        known = f"_.{quoted('members')} IS NOT NULL"
        if node.item is None:
            count = f"CASE WHEN {known} THEN CAST({self.over_members('COUNT(*)')} AS {REAL}) END"
            return count, count
        if node.kind == "sum":
            low, high = self.number(node.item)
            return self.summed(low, known), self.summed(high, known)
        truth = self.truth(node.item)
        sure = self.over_members(f"COUNT(CASE WHEN {truth} THEN 1 END)")
        likely = self.over_members(f"COUNT(CASE WHEN NOT ({truth}) THEN NULL ELSE 1 END)")
        return f"CASE WHEN {known} THEN CAST({sure} AS {REAL}) END", f"CASE WHEN {known} THEN CAST({likely} AS {REAL}) END"

    def over_members(self, what: str) -> str:
        """Return a subquery over the members of a household."""
        return f"(SELECT {what} FROM {quoted(self.members)} AS m WHERE m.{quoted(self.owner)} = _.{quoted(self.key)})"  # noqa: S608 - names are quoted, texts are literals

    def summed(self, item: str, known: str) -> str:
        """Return a sum that is known only when every member's part is."""
        every = self.over_members(f"COUNT(*) - COUNT({item})")
        return f"CASE WHEN {known} AND {every} = 0 THEN COALESCE({self.over_members(f'SUM({item})')}, CAST(0 AS {REAL})) END"

    def quantified(self, node: Over) -> str:
        """Return any or all over the members as truth."""
        low, high = self.over(Over("count", node.item))
        if node.kind == "any":
            return f"(CASE WHEN {low} > 0 THEN (1 = 1) WHEN {high} = 0 THEN (1 = 0) END)"
        (total, _) = self.over(Over("count", None))
        return f"(CASE WHEN {low} = {total} THEN (1 = 1) WHEN {high} < {total} THEN (1 = 0) END)"

    def chosen_truth(self, node: If) -> str:
        """Return `then` or `other` as truth."""
        test, then, other = (self.truth(each) for each in (node.test, node.then, node.other))
        return f"(({test} AND {then}) OR (NOT ({test}) AND {other}) OR ({then} AND {other}))"

    def chosen(self, node: If) -> Pair:
        """Return `then` or `other` as least and greatest of both where the test is open."""
        test, (a, b), (c, d) = self.truth(node.test), self.number(node.then), self.number(node.other)
        begin = f"CASE WHEN {test} THEN"
        return f"{begin} {a} WHEN NOT ({test}) THEN {c} ELSE {_least(a, c)} END", f"{begin} {b} WHEN NOT ({test}) THEN {d} ELSE {_greatest(b, d)} END"

    def calculated(self, node: Arith) -> Pair:
        """Return a sum, difference, product or quotient."""
        (a, b), (c, d) = self.number(node.left), self.number(node.right)
        if node.op == "/":
            one = f"({a} / NULLIF({c}, 0))"
            if a == b and c == d:
                return one, one
            safe = f"({c} > 0 OR {d} < 0)"
            corners = [f"({x} / NULLIF({y}, 0))" for x in dict.fromkeys((a, b)) for y in dict.fromkeys((c, d))]
            return tuple(f"CASE WHEN {safe} THEN {pick(*corners)} END" for pick in (_least, _greatest))  # type: ignore[return-value]
        if a == b and c == d:
            return f"({a} {node.op} {c})", f"({a} {node.op} {c})"
        if node.op == "*":
            corners = [f"({x} * {y})" for x in dict.fromkeys((a, b)) for y in dict.fromkeys((c, d))]
            return _least(*corners), _greatest(*corners)
        return (f"({a} + {c})", f"({b} + {d})") if node.op == "+" else (f"({a} - {d})", f"({b} - {c})")

    def applied(self, node: Call) -> Pair:
        """Return a function of numbers."""
        pairs = [self.number(each) for each in node.args]
        if node.name in {"min", "max"}:
            pick = _least if node.name == "min" else _greatest
            return pick(*(low for low, _ in pairs)), pick(*(high for _, high in pairs))
        low, high = pairs[0]
        if node.name == "abs":
            least = f"CASE WHEN {low} <= 0 AND {high} >= 0 THEN CAST(0 AS {REAL}) ELSE {_least(f'ABS({low})', f'ABS({high})')} END"
            return (f"ABS({low})", f"ABS({low})") if low == high else (least, _greatest(f"ABS({low})", f"ABS({high})"))
        return tuple(self.turned(node.name, each) for each in pairs[0])  # type: ignore[return-value]

    def turned(self, name: str, x: str) -> str:
        """Return a number made whole; halves go away from zero."""
        if name in {"floor", "ceil"}:
            return f"{'FLOOR' if name == 'floor' else 'CEIL'}({x})"
        return f"CASE WHEN {x} < 0 THEN -FLOOR(0.5 - {x}) ELSE FLOOR({x} + 0.5) END"

    def amount_of(self, node: AmountOf) -> Pair:
        """Return the amount of an earlier policy as least and greatest."""
        due = self.program.policies[node.name].amount
        low, high = self.number(due) if due is not None else ("NULL", "NULL")
        zero = f"CAST(0 AS {REAL})"
        holds = f"_.{quoted(node.name)}"
        begin, end = f"CASE WHEN {holds} THEN", f"WHEN NOT {holds} THEN {zero} ELSE"
        return f"{begin} {low} {end} {_least(zero, low)} END", f"{begin} {high} {end} {_greatest(zero, high)} END"


def _op(op: str) -> str:
    return {"==": "=", "!=": "<>"}.get(op, op)


def _least(*parts: str) -> str:
    return _picked("<=", parts)


def _greatest(*parts: str) -> str:
    return _picked(">=", parts)


def _picked(op: str, parts: tuple[str, ...]) -> str:
    """Return the least or greatest; unlike LEAST of PostgreSQL it is NULL as soon as one part is."""
    unique = tuple(dict.fromkeys(parts))
    found = unique[0]
    for each in unique[1:]:
        found = f"CASE WHEN {found} {op} {each} THEN {found} WHEN {each} {op} {found} THEN {each} END"
    return found


def _between(holds: str, fails: str) -> str:
    return f"(CASE WHEN {holds} THEN (1 = 1) WHEN {fails} THEN (1 = 0) END)"


BETWEEN: dict[str, Callable[[str, str, str, str], str]] = {
    "<": lambda a, b, c, d: _between(f"{b} < {c}", f"{a} >= {d}"), "<=": lambda a, b, c, d: _between(f"{b} <= {c}", f"{a} > {d}"),
    ">": lambda a, b, c, d: _between(f"{a} > {d}", f"{b} <= {c}"), ">=": lambda a, b, c, d: _between(f"{a} >= {d}", f"{b} < {c}"),
    "==": lambda a, b, c, d: _between(f"{a} = {b} AND {c} = {d} AND {a} = {c}", f"{b} < {c} OR {d} < {a}"),
    "!=": lambda a, b, c, d: _between(f"{b} < {c} OR {d} < {a}", f"{a} = {b} AND {c} = {d} AND {a} = {c}"),
}
TRUTHS: dict[type[Node], Callable[[Writer, Any], str]] = {
    All: lambda w, node: "(" + "\n      AND ".join(w.truth(each) for each in node.items) + ")",
    AnyOf: lambda w, node: "(" + "\n      OR ".join(w.truth(each) for each in node.items) + ")",
    Not: lambda w, node: f"(NOT {w.truth(node.item)})", Compare: Writer.compared, Among: Writer.among, If: Writer.chosen_truth, Over: Writer.quantified,
    Fact: lambda w, node: w.column(node), Ref: lambda _, node: f"_.{quoted(node.name)}",
    Const: lambda _, node: literal(node.value), Param: lambda _, node: literal(node.value),
}
NUMBERS: dict[type[Node], Callable[[Writer, Any], Pair]] = {
    Fact: lambda w, node: (f"CAST({w.column(node)} AS {REAL})",) * 2, Const: lambda _, node: (literal(node.value),) * 2,
    Param: lambda _, node: (literal(node.value),) * 2, Ref: lambda w, node: w.number(w.program.node(node.name)),
    Arith: Writer.calculated, Call: Writer.applied, If: Writer.chosen, Over: Writer.over, AmountOf: Writer.amount_of,
}


def _no_truth(_: Writer, node: Node) -> str:
    raise NotForSql(what=type(node).__name__)


def _no_number(_: Writer, node: Node) -> Pair:
    raise NotForSql(what=type(node).__name__)
