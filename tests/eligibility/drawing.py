"""Draws lines, outlines, facts and members at random, with every kind of node, for the properties of the language."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck
from hypothesis import strategies as st

from shouwang.eligibility.form import All, Among, AnyOf, Arith, Call, Compare, Const, Fact, If, Node, Not, Note, Over
from shouwang.eligibility.writing import line_of

# A busy machine draws slowly; that says nothing about the language.
PATIENT: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow]}
NUMBERS, TRUTHS, TEXTS = ("收入", "年龄", "等级"), ("本地", "残疾", "在读"), ("性别", "户籍")
OPTIONS = ("男", "女", "农村", "城镇")
WHOLE = st.integers(-3, 6)


def numbers(*, of_member: bool = False, depth: int = 2) -> st.SearchStrategy[Node]:
    names = ("月收入", "岁数") if of_member else NUMBERS
    base = st.one_of(st.builds(Const, WHOLE), st.sampled_from(names).map(lambda name: Fact(name, of_member)))
    if depth == 0:
        return base
    inner = numbers(of_member=of_member, depth=depth - 1)
    kinds = [
        base, st.builds(Arith, st.sampled_from("+-*/"), inner, inner),
        st.builds(Call, st.sampled_from(["min", "max"]), st.tuples(inner, inner)), st.builds(Call, st.sampled_from(["abs", "round"]), st.tuples(inner)),
        st.builds(If, truths(of_member=of_member, depth=0), inner, inner),
    ]
    if not of_member:
        kinds += [st.builds(Over, st.just("sum"), numbers(of_member=True, depth=0)), st.builds(Over, st.just("count"), truths(of_member=True, depth=0))]
    return st.one_of(kinds)


def truths(*, of_member: bool = False, depth: int = 2) -> st.SearchStrategy[Node]:
    names = ("残疾", "学生") if of_member else TRUTHS
    inner = numbers(of_member=of_member, depth=max(depth - 1, 0))
    kinds: list[st.SearchStrategy[Node]] = [
        st.sampled_from(names).map(lambda name: Fact(name, of_member)),
        st.builds(Compare, st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), inner, inner),
        st.builds(Among, inner, st.lists(st.builds(Const, WHOLE), min_size=1, max_size=3).map(tuple)),
    ]
    if not of_member:
        text = st.sampled_from(TEXTS).map(Fact)
        kinds += [
            st.builds(Compare, st.sampled_from(["==", "!="]), text, st.sampled_from(OPTIONS).map(Const)),
            st.builds(Among, text, st.lists(st.sampled_from(OPTIONS).map(Const), min_size=1, max_size=3).map(tuple)),
            st.builds(Over, st.sampled_from(["any", "all"]), truths(of_member=True, depth=0)),
        ]
    if depth:
        below = truths(of_member=of_member, depth=depth - 1)
        several = st.lists(below, min_size=2, max_size=3).map(tuple)
        kinds += [st.builds(All, several), st.builds(AnyOf, several), st.builds(Not, below)]
    return st.one_of(kinds)


def outlines(*, depth: int = 3) -> st.SearchStrategy[Node]:
    leaf = truths(depth=1).map(lambda node: replace(node, note=Note(line_of(node), cite="第一条", illustrative=False)))
    if depth == 0:
        return leaf
    several = st.lists(outlines(depth=depth - 1), min_size=1, max_size=3).map(tuple)
    return st.one_of(
        leaf, several.map(lambda items: All(items, note=Note("全部", explain="都要"))), several.map(lambda items: AnyOf(items, note=Note("任一"))),
        outlines(depth=depth - 1).map(lambda item: Not(item, note=Note("非"))),
    )


def whole_facts() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({
        **dict.fromkeys(NUMBERS, WHOLE), **dict.fromkeys(TRUTHS, st.booleans()), **dict.fromkeys(TEXTS, st.sampled_from(OPTIONS)),
    })


def whole_members() -> st.SearchStrategy[list[dict[str, Any]]]:
    return st.lists(st.fixed_dictionaries({"月收入": WHOLE, "岁数": WHOLE, "残疾": st.booleans(), "学生": st.booleans()}), max_size=3)


@st.composite
def blurred(draw: st.DrawFn, facts: dict[str, Any], *, ranges: bool = True) -> dict[str, Any]:
    """Draw what an office might know of `facts`: some exactly, some as a range or a set that holds the truth, some not at all."""
    found: dict[str, Any] = {}
    for name, value in facts.items():
        way = draw(st.sampled_from(["known", "unknown", "absent", *(["range", "set"] if ranges else [])]))
        if way == "known":
            found[name] = value
        elif way == "unknown":
            found[name] = None
        elif way == "range" and not isinstance(value, (bool, str)):
            found[name] = {"min": value - draw(st.integers(0, 3)), "max": value + draw(st.integers(0, 3))}
        elif way == "set":
            others = st.sampled_from(OPTIONS) if isinstance(value, str) else st.booleans() if isinstance(value, bool) else WHOLE
            found[name] = {"any": [value, draw(others)]}
    return found
