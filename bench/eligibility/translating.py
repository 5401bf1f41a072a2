"""The same conditions two-valued, as source that peers run: NumPy by hand, OpenFisca formulas, Polars expressions and ZEN expressions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from shouwang.eligibility.form import All, Among, AnyOf, Arith, Compare, Const, Fact, Node, Not, Param, Ref
from shouwang.eligibility.library import Program

STYLES: dict[str, dict[str, str]] = {
    "numpy": {"and": " & ", "or": " | ", "not": "~({})"}, "polars": {"and": " & ", "or": " | ", "not": "~({})"},
    "zen": {"and": " and ", "or": " or ", "not": "not({})"},
}


def names_of(program: Program, facts: list[str]) -> dict[str, str]:
    """Return a plain name for each fact and each rule."""
    return {**{name: f"x{n}" for n, name in enumerate(facts)}, **{name: f"r{n}" for n, name in enumerate(program.order)}}


def text_of(node: Node, names: dict[str, str], places: dict[str, dict[str, int]], style: str) -> str:
    """Return a condition as an expression of one style; texts are their place among the fact's options."""
    signs = STYLES[style]

    def inner(each: Node) -> str:
        return text_of(each, names, places, style)

    if isinstance(node, (All, AnyOf)):
        return "(" + signs["and" if isinstance(node, All) else "or"].join(inner(each) for each in node.items) + ")"
    if isinstance(node, Not):
        return signs["not"].format(inner(node.item))
    if isinstance(node, Among):
        name = node.item.name  # type: ignore[attr-defined]
        return "(" + signs["or"].join(f"({inner(node.item)} == {coded(name, each, places)})" for each in node.options) + ")"
    if isinstance(node, Compare):
        name = node.left.name if isinstance(node.left, Fact) else ""
        return f"({inner(node.left)} {node.op} {coded(name, node.right, places) if isinstance(node.right, (Const, Param)) else inner(node.right)})"
    if isinstance(node, Arith):
        return f"({inner(node.left)} {node.op} {inner(node.right)})"
    if isinstance(node, (Const, Param)):
        return {True: "true", False: "false"}[node.value] if style == "zen" and isinstance(node.value, bool) else repr(node.value)
    name = names[node.name]  # type: ignore[attr-defined]
    return f"$.{name}" if style == "zen" and isinstance(node, Ref) else name


def coded(name: str, node: Node, places: dict[str, dict[str, int]]) -> str:
    """Return a constant, a text as its place."""
    value = node.value  # type: ignore[attr-defined]
    return repr(places[name][value] if isinstance(value, str) else value)


def rules_of(program: Program, facts: list[str], places: dict[str, dict[str, int]], style: str) -> list[tuple[str, str]]:
    """Return each rule's plain name with its expression, in order."""
    names = names_of(program, facts)
    return [(names[name], text_of(program.node(name), names, places, style)) for name in program.order]


def places_of(program: Program) -> dict[str, dict[str, int]]:
    """Return the place of each option of each text."""
    return {name: {str(each): n for n, each in enumerate(spec.choices)} for name, spec in program.facts.items() if spec.kind == "TEXT"}


def numpy_by_hand(program: Program) -> Callable[[Any], dict[str, np.ndarray]]:
    """Return a function that decides a table two-valued, as one would write it down by hand."""
    from bench.eligibility import facts_of

    facts = sorted(facts_of(program))
    names = names_of(program, facts)
    lines = [f"    {rule} = {text}" for rule, text in rules_of(program, facts, places_of(program), "numpy")]
    answer = ", ".join(f"{name!r}: {names[name]}" for name in program.asked)
    source = f"def decide({', '.join(names[name] for name in facts)}):\n" + "\n".join(lines) + f"\n    return {{{answer}}}\n"
    space: dict[str, Any] = {}
    exec(source, space)

    def decide(table: Any) -> dict[str, np.ndarray]:
        found: dict[str, np.ndarray] = space["decide"](*(table.columns[name].values for name in facts))
        return found

    return decide
