"""What the interpreter promises: it never guesses, its explanations replay, and its reasons and changes hold."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shouwang.eligibility import (
    Judgement,
    blocking,
    cases_of,
    decide,
    differences,
    explain,
    library_of,
    open_leaves,
    reasons,
    together,
    what_would_change,
)
from shouwang.eligibility.checking import checked
from shouwang.eligibility.errors import EligibilityError, PolicyUnknown
from shouwang.eligibility.form import Node
from shouwang.eligibility.library import Entry, Library, Version
from shouwang.eligibility.reasons import Change
from shouwang.eligibility.values import OneOf, Range, bounds
from tests.eligibility.drawing import PATIENT, blurred, numbers, outlines, whole_facts, whole_members
from tests.eligibility.libraries import DAY, around, program, small


@settings(max_examples=100, **PATIENT)
@given(st.data(), outlines(depth=2), whole_facts(), whole_members())
def test_what_is_decided_from_a_part_stays_so_when_all_is_known(data: st.DataObject, node: Node, facts: dict[str, Any], members: list[dict[str, Any]]) -> None:
    known = data.draw(blurred(facts))
    known_members = None if data.draw(st.booleans()) else [data.draw(blurred(each)) for each in members]
    early = decide(around(node), known, members=known_members)["p0"].outcome
    if early is not None:
        assert early is decide(around(node), facts, members=members)["p0"].outcome


@settings(max_examples=100, **PATIENT)
@given(st.data(), numbers(), whole_facts(), whole_members())
def test_a_number_lies_where_it_was_said_to_lie(data: st.DataObject, node: Node, facts: dict[str, Any], members: list[dict[str, Any]]) -> None:
    made = checked(Library({}, {}, {}, {"p": Entry("p", (Version(library_of("policies: {q: 是}").policies["q"].versions[0].condition, node),))})).at(DAY)
    early = decide(made, data.draw(blurred(facts)), members=members)["p"].amount
    late = decide(made, facts, members=members)["p"].amount
    if late is not None and not isinstance(early, OneOf):
        low, high = bounds(early)
        (least, most), slack = bounds(late), 1e-9 * (1 + abs(bounds(late)[0]))
        assert low - slack <= least <= most <= high + slack


@settings(max_examples=60, **PATIENT)
@given(st.data(), outlines(depth=2), whole_facts(), whole_members())
def test_an_explanation_replays_to_its_outcome(data: st.DataObject, node: Node, facts: dict[str, Any], members: list[dict[str, Any]]) -> None:
    known = data.draw(blurred(facts))
    found = explain(around(node), "p0", known, members=members)
    assert found.outcome is decide(around(node), known, members=members)["p0"].outcome
    assert found.replayed() is found.outcome
    assert bool(open_leaves(found)) is (found.outcome is None)
    assert all(leaf.outcome is not None for leaf in reasons(found)) or found.outcome is None
    assert bool(blocking(found)) is (found.outcome is not True)


def test_why_not_names_the_line_with_what_was_seen_and_its_article() -> None:
    found = explain(program(), "低保", {"本地户籍": True, "人均月收入": 880, "无劳动能力": False})
    (leaf,) = blocking(found)
    assert (leaf.node.note.text, leaf.seen, leaf.cite) == ("人均月收入 < 低保线", {"人均月收入": 880, "低保线": 850}, "暂行办法 第九条")


def test_the_cheapest_change_is_found_and_holds() -> None:
    facts = {"本地户籍": True, "人均月收入": 880, "无劳动能力": False}
    assert what_would_change(program(), "低保", facts) == [Change("人均月收入", 880, 849)]
    assert what_would_change(program(), "低保", {**facts, "本地户籍": False}) == [Change("人均月收入", 880, 849), Change("本地户籍", False, True)]
    assert what_would_change(program(), "低保", {**facts, "人均月收入": 800}) == []
    assert what_would_change(program(), "低保", {**facts, "人均月收入": 800}, wanted=False) == [Change("本地户籍", True, False)]


def test_what_cannot_change_is_never_asked_to() -> None:
    assert what_would_change(program(), "高龄津贴", {"年龄": 70}) is None


def test_a_ratio_of_two_facts_is_solved() -> None:
    library = library_of("facts: {total: {mutable: no}}\npolicies: {p: 'cost / total > 0.6'}")
    assert what_would_change(library.at(DAY), "p", {"cost": 100, "total": 1000}) == [Change("cost", 100, 601)]


def test_texts_and_choices_are_tried() -> None:
    library = library_of("facts: {住: {choices: [租, 自有]}}\npolicies: {p: {all: [\"住 == '租'\", '级 in (3, 4)']}}")
    assert what_would_change(library.at(DAY), "p", {"住": "自有", "级": 1}) == [Change("住", "自有", "租"), Change("级", 1, 3)]


@settings(max_examples=25, **PATIENT)
@given(outlines(depth=2), whole_facts(), whole_members())
def test_a_change_that_is_named_turns_the_outcome(node: Node, facts: dict[str, Any], members: list[dict[str, Any]]) -> None:
    changes = what_would_change(around(node), "p0", facts, members=members, most=2)
    if changes:
        changed = {**facts, **{each.fact: each.to for each in changes}}
        assert decide(around(node), changed, members=members)["p0"].outcome is True


def test_precedence_exclusion_and_topping_up() -> None:
    facts = {"本地户籍": True, "人均月收入": 0, "无劳动能力": True, "年龄": 20, "失能等级": 2}
    made = program()
    found = together(made, decide(made, facts))
    assert {"特困": "GIVEN", "低保": "NONE", "高龄津贴": "NONE", "护理补贴": "GIVEN", "失能补贴": "EXCLUDED"} == {name: each.standing for name, each in found.items()}
    chosen = together(made, decide(made, facts), chosen=["失能补贴"])
    assert ("EXCLUDED", ("失能补贴",)) == (chosen["护理补贴"].standing, chosen["护理补贴"].because)


@pytest.mark.parametrize(("amounts", "standings", "topped"), [
    (("500", "300"), ("GIVEN", "GIVEN"), 200), (("500", "800"), ("GIVEN", "GIVEN"), 0), (("500", "x"), ("GIVEN", "OPEN"), None),
])
def test_topping_up_pays_the_gap(amounts: tuple[str, str], standings: tuple[str, str], topped: float | None) -> None:
    second = "b" if "x" in amounts else "是"
    library = library_of(f"policies: {{a: {{test: 是, amount: {amounts[0]}, 补差: c}}, c: {{test: {second}, amount: {amounts[1]}}}}}")
    made = library.at(DAY)
    found = together(made, decide(made, {}))
    assert standings == tuple(each.standing for each in found.values())
    assert topped == found["a"].amount


def test_equal_rivals_leave_a_choice_and_a_predecessor_goes_first() -> None:
    made = library_of("policies: {a: {test: 是, amount: 5, excludes: b}, b: {test: 是, amount: 5}, c: {test: 是, yields_to: a}, d: {test: x, yields_to: a}, e: {test: 是, yields_to: f}, f: {test: y}}").at(DAY)
    found = together(made, decide(made, {}))
    assert ["CHOICE", "CHOICE", "YIELDS", "YIELDS", "OPEN", "OPEN"] == [found[name].standing for name in "abcdef"]


CASES = """
- {name: 线下, at: 2024-07-01, facts: {本地户籍: true, 人均月收入: 800, 无劳动能力: false}, expect: {低保: true, 低保.amount: 50, 特困: false, 特困.金额: 0, 低收入: true}}
- {name: 未知, at: 2024-07-01, facts: {人均月收入: null}, expect: {低保: null, 高龄津贴: null}}
- {name: 区间, at: 2024-07-01, facts: {本地户籍: true, 无劳动能力: false, 人均月收入: {min: 700, max: 800}}, expect: {低保.amount: {min: 50, max: 150}}}
- {name: 镇, at: 2024-07-01, area: 聊城/东昌府区, facts: {本地户籍: true, 人均月收入: 870, 无劳动能力: false}, expect: {低保: true}}
- {name: 错, at: 2024-07-01, facts: {人均月收入: 800}, expect: {低收入: false, 低保.amount: 3}}
- {name: 类, at: 2024-07-01, facts: {人均月收入: 多}, expect: {低保: false}}
"""


def test_cases_say_what_differs() -> None:
    assert [("错", "低收入"), ("错", "低保.amount"), ("类", "")] == [(each.case, each.what) for each in differences(small(), cases_of(CASES))]


@pytest.mark.parametrize("text", ["3", "[3]", "[{name: x}]", "[{at: x}]"])
def test_a_file_of_cases_that_is_not_one_is_refused(text: str) -> None:
    with pytest.raises(EligibilityError):
        cases_of(text)


def test_a_policy_that_does_not_exist_is_named() -> None:
    with pytest.raises(PolicyUnknown):
        explain(program(), "没有", {})


def test_a_program_of_a_few_policies_keeps_what_they_need() -> None:
    few = program().only(["低保"])
    assert ["低保"] == list(decide(few, {}))
    assert ("低收入", "特困", "低保") == few.order


def test_members_are_few() -> None:
    with pytest.raises(EligibilityError):
        Judgement(program(), {}, members=[{}] * 101)


def test_the_amount_of_another_policy_can_be_read() -> None:
    made = library_of("policies: {a: {test: x, amount: 7}, b: {test: 'a.amount > 5', amount: a.金额 * 2}}").at(DAY)
    found = decide(made, {"x": True})
    assert (True, 14) == (found["b"].outcome, found["b"].amount)


def test_a_range_and_a_set_stand_for_themselves() -> None:
    found = decide(program(), {"年龄": Range(81, 85), "失能等级": OneOf(frozenset({1, 2}))})
    assert (True, 100, None, True) == (found["高龄津贴"].outcome, found["高龄津贴"].amount, found["护理补贴"].outcome, found["失能补贴"].outcome)
