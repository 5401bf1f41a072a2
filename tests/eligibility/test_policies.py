"""The library that ships: 39 policies, every line cited or marked illustrative, and what each says of people like these."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from shouwang.eligibility import Explanation, cases_of, decide, differences, explain, library_of, shipped, together, written

LIBRARY = shipped()
PROGRAM = LIBRARY.at(date(2026, 1, 1))
CASES = cases_of((Path(__file__).parent / "cases.yaml").read_text("utf-8"))


def test_there_are_thirty_nine() -> None:
    assert list(range(1, 40)) == sorted(each.terms.number or 0 for each in PROGRAM.policies.values())


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_case_comes_out_as_expected(case) -> None:
    assert differences(LIBRARY, [case]) == []


def test_every_policy_holds_in_some_case() -> None:
    held = {name for case in CASES for name, each in decide(LIBRARY.at(case.at), case.facts).items() if each.outcome}
    assert set(LIBRARY.policies) == held


def leaves(name: str) -> list[Explanation]:
    return list(explain(PROGRAM, name, {}).leaves())


@pytest.mark.parametrize("name", list(LIBRARY.policies))
def test_every_line_is_cited_or_illustrative(name: str) -> None:
    assert [each.node.note.text for each in leaves(name) if not each.cite and not each.illustrative] == []
    ruling = PROGRAM.policies[name]
    assert ruling.note.cite and ruling.terms.department and ruling.terms.offices and ruling.terms.notice


def test_amounts_that_no_law_sets_are_illustrative_until_a_county_fills_them_in() -> None:
    assert len(LIBRARY.unfilled(date(2026, 1, 1))) == 24
    county = library_of(written(LIBRARY).replace("  低保标准:\n    单位: 元/月\n    据: 社会救助暂行办法 第十条\n    示例: true\n    版本:\n", "  低保标准:\n    版本:\n    - {地区: '371502', 值: 900}\n"))
    assert "低保标准" in LIBRARY.unfilled(date(2026, 1, 1), ("3715", "371502"))
    assert "低保标准" not in county.unfilled(date(2026, 1, 1), ("3715", "371502"))
    assert 900 == county.at(date(2026, 1, 1), ("3715", "371502")).parameters["低保标准"].value


def test_nothing_is_granted_without_application() -> None:
    assert [name for name, each in PROGRAM.policies.items() if each.terms.application_free] == []


def test_a_child_nobody_raises_gets_the_gap_and_a_choice_beside_destitution() -> None:
    facts = {"本地户籍": True, "年龄": 10, "父亲状况": "死亡", "母亲状况": "重病", "人均月收入": 300, "财产符合规定": True, "义务人情况": "有履行能力", "残疾等级": 0}
    found = together(PROGRAM, decide(PROGRAM, facts))
    assert (550, 1050) == (found["最低生活保障"].amount, found["事实无人抚养儿童补贴"].amount)
    alone = together(PROGRAM, decide(PROGRAM, {**facts, "义务人情况": "无履行能力"}))
    assert ("EXCLUDED", "GIVEN") == (alone["特困供养"].standing, alone["事实无人抚养儿童补贴"].standing)


def test_the_library_reads_back_as_itself() -> None:
    assert LIBRARY == library_of(written(LIBRARY))


def test_facts_have_questions_and_kinds() -> None:
    assert [name for name, each in LIBRARY.facts.items() if not each.question or not each.kind] == []
    assert set(LIBRARY.kinds) == set(LIBRARY.facts)
    assert Counter(LIBRARY.kinds.values()).keys() == {"BOOLEAN", "NUMBER", "TEXT"}
