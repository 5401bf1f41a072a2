"""What a line and an outline mean, and what is refused."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings

from shouwang.eligibility import decide, library_of, written
from shouwang.eligibility.checking import checked
from shouwang.eligibility.errors import EligibilityError, KindClash, LineInvalid, NameCircle, NameClash, OutlineInvalid
from shouwang.eligibility.form import All, Node, Note, outline
from shouwang.eligibility.grammar import parsed
from shouwang.eligibility.library import Entry, Library, Version
from shouwang.eligibility.values import Range
from shouwang.eligibility.writing import line_of
from tests.eligibility.drawing import PATIENT, outlines, truths
from tests.eligibility.libraries import DAY, around, program, small

# line, facts, outcome
LINES = [
    ("a < 5", {"a": 4}, True), ("a < 5", {"a": None}, None), ("a < 5", {}, None), ("a < 5", {"a": {"min": 1, "max": 4}}, True),
    ("a < 5", {"a": {"min": 4, "max": 5}}, None), ("a < 5", {"a": {"min": 5, "max": 9}}, False), ("a == 5", {"a": {"min": 1, "max": 4}}, False),
    ("a <= 5", {"a": {"min": 1}}, None), ("a >= 1", {"a": {"min": 1}}, True), ("a in (1, 2)", {"a": {"any": [1, 2]}}, True),
    ("a in (1, 2)", {"a": {"any": [1, 3]}}, None), ("a not in (1, 2)", {"a": 3}, True), ("a 属于 (1, 2,)", {"a": 2}, True),
    ("60 <= a < 100", {"a": 60}, True), ("60 <= a < 100", {"a": 100}, False), ("a ≥ 60 且 非 b", {"a": 60, "b": False}, True),
    ("a＜5 或 b", {"a": 9, "b": None}, None), ("a＜5 或 b", {"a": None, "b": True}, True), ("a < 5 and b", {"a": 9, "b": None}, False),
    ("性别 == “女”", {"性别": "女"}, True), ("性别 != '女'", {"性别": "男"}, True), ("性别 == '女'", {"性别": {"any": ["男", "女"]}}, None),
    ("a * 1.5 - 2 > b / 4", {"a": 4, "b": 8}, True), ("1 / a > 0", {"a": 0}, None), ("a > 30%", {"a": 0.31}, True),
    ("max(a, b) = 7", {"a": 7, "b": 2}, True), ("min(a, b) = 2", {"a": 7, "b": None}, None), ("round(a) = 3", {"a": 2.5}, True),
    ("(5 if b else 9) < 6", {"b": True}, True), ("(5 如果 b 否则 9) < 10", {"b": None}, True), ("(5 if b else 9) < 6", {"b": None}, None),
    ("-a < -3", {"a": 4}, True), ("floor(a) = 2 and ceil(a) = 3", {"a": 2.5}, True), ("abs(a) = 2", {"a": -2}, True), ("是", {}, True), ("not null", {}, None),
    ("出生 >= '1960-01-01'", {"出生": date(1961, 5, 1)}, True), ("a - 1 < 3", {"a": {"any": [1, 2]}}, True), ("a == b", {"a": 1, "b": 1}, True),
    ("a in [1, 2]", {"a": 2}, True), ("a not in [1, 2,]", {"a": 2}, False), ("出生 < 1964-01-01", {"出生": date(1960, 5, 1)}, True), ("a > 2024-1-1", {"a": 2023}, True),
]
# line, members, outcome
MEMBERS = [
    ("any(member.age < 18)", [{"age": 40}, {"age": 3}], True), ("any(member.age < 18)", [], False), ("any(member.age < 18)", None, None),
    ("any(member.age < 18)", [{"age": 40}, {}], None), ("all(成员.age < 18)", [{"age": 3}, {}], None), ("全部(成员.age < 18)", [{"age": 30}, {}], False),
    ("count(member.age < 18 and member.student) >= 1", [{"age": 3, "student": True}, {}], True), ("count(member.age < 18) >= 2", [{"age": 3}, {}], None),
    ("count(member.age < 18) <= 2", [{"age": 3}, {}], True), ("sum(member.income) / count(members) < 500", [{"income": 300}, {"income": 600}], True),
    ("sum(member.income) < 500", [{"income": 300}, {}], None), ("人数(成员) = 2", [{}, {}], True), ("合计(成员.income) = 0", [], True), ("count() = 0", [], True),
]
ATTACKS = [
    "__import__('os').system('true')", "a.__class__", "().__class__.__bases__[0]", "open('/etc/passwd')", "eval('1')", "lambda: 1", "a; drop table x",
    "a) union select 1 --", "[x for x in a]", "a if b", "f'{a}'", "a := 1", "a[0]", "{1: 2}", "print(a)", "a b", "a <", "1 +", "(a", "any()", "min()", "a\x00b", "`id`",
    "count(member.age, 1)", "sum(members)", "abs(1, 2)", "not", "in (1)", "a in", "a in ()", "'open", "a & b", "a ** 2", "9" * 3000, "(" * 100 + "a" + ")" * 100,
    "not " * 100 + "a", "-" * 100 + "1", "member.x.y < 1 (", "$(id)", "a -- b c", "parameters.", ".a", "a..b", "@a",
]


@pytest.mark.parametrize(("line", "facts", "expected"), LINES)
def test_a_line_means(line: str, facts: dict, expected: bool | None) -> None:
    policies = library_of(f"policies: {{p: {{test: {line!r}}}}}" if "'" not in line else f'policies: {{p: {{test: "{line}"}}}}')
    assert expected is decide(policies.at(DAY), facts)["p"].outcome


@pytest.mark.parametrize(("line", "members", "expected"), MEMBERS)
def test_a_line_over_members_means(line: str, members: list | None, expected: bool | None) -> None:
    assert expected is decide(library_of(f'policies: {{p: "{line}"}}').at(DAY), {}, members=members)["p"].outcome


@pytest.mark.parametrize("line", ATTACKS)
def test_what_is_not_in_the_grammar_is_refused(line: str) -> None:
    with pytest.raises(LineInvalid):
        parsed(line)


@settings(**PATIENT)
@given(truths())
def test_a_line_reads_back_as_what_was_written(node: Node) -> None:
    assert parsed(line_of(node)) == node


@settings(max_examples=60, **PATIENT)
@given(outlines(depth=2))
def test_a_library_reads_back_as_what_was_written(node: Node) -> None:
    whole = All((node,), note=Note("全部"))
    library = checked(Library({}, {}, {}, {"p": Entry("p", (Version(whole),))}))
    again = library_of(written(library))
    assert again == library
    before, after = (tuple(outline(each.policies["p"].versions[0].condition)) for each in (library, again))
    assert [each.note for each in before] == [each.note for each in after]


def test_the_small_library_reads_back() -> None:
    assert small() == library_of(written(small()))


@pytest.mark.parametrize(("day", "area", "line"), [
    (date(2023, 6, 30), (), None), (date(2023, 7, 1), (), 800), (date(2024, 6, 30), (), 800), (date(2024, 7, 1), (), 850),
    (date(2024, 7, 1), ("聊城", "东昌府区"), 880), (date(2024, 7, 1), ("聊城", "东昌府区", "城关镇"), 900), (date(2025, 1, 1), ("聊城", "东昌府区", "城关镇"), 880),
])
def test_the_nearest_area_and_the_latest_date_win(day: date, area: tuple[str, ...], line: float | None) -> None:
    assert line == small().at(day, area).parameters["低保线"].value


@pytest.mark.parametrize(("day", "expected"), [(date(2019, 12, 31), False), (date(2020, 1, 1), False), (date(2022, 1, 1), True)])
def test_a_policy_is_what_it_was_on_the_day(day: date, expected: bool) -> None:
    assert expected is decide(program(day=day), {"年龄": 85})["高龄津贴"].outcome


def test_a_policy_outside_its_dates_is_false_whatever_is_unknown() -> None:
    found = decide(program(day=date(2021, 6, 30)), {})["低保"]
    assert (found.outcome, found.amount) == (False, 0)


def test_an_amount_is_known_as_well_as_the_facts_are() -> None:
    facts = {"本地户籍": True, "无劳动能力": False, "人均月收入": {"min": 700, "max": 800}, "年龄": {"min": 85, "max": 95}}
    found = decide(program(), facts)
    assert found["低保"].amount == Range(50, 150)
    assert found["高龄津贴"].amount == Range(100, 200)
    assert found["特困"].amount == 0
    assert decide(program(), {})["特困"].amount == Range(0, 1300)


@pytest.mark.parametrize(("text", "error"), [
    ("policies: {p: {test: q}, q: {test: p}}", NameCircle), ("policies: {p: {test: 'a < 1 and a'}}", KindClash), ("policies: {p: a}\ndefinitions: {p: b}", NameClash),
    ("policies: {p: {tset: a}}", OutlineInvalid), ("policies: {p: {cite: x}}", OutlineInvalid), ("policies: {p: {test: 'parameters.x < a'}}", OutlineInvalid),
    ("policies: {p: {all: []}}", OutlineInvalid), ("policies: {p: a, p: b}", OutlineInvalid), ("policies: [", OutlineInvalid), ("policies: {p: {test: a, from: x}}", OutlineInvalid),
    ("policies: {p: {test: a, 条: b}}", OutlineInvalid), ("policies: {p: {test: a, excludes: q}}", OutlineInvalid), ("policies: {p: !!python/object/apply:os.system ['true']}", OutlineInvalid),
    ("policies: {p: 'a + 1'}", KindClash), ("policies: {p: {test: a, amount: 'b < 1'}}", KindClash), ("facts: {a: {kind: 文字}}\npolicies: {p: 'a < 1'}", KindClash),
    ("policies: &x {p: {all: *x}}", OutlineInvalid), ("nothing: 1", OutlineInvalid), ("policies: 3", OutlineInvalid), ("policies: [{test: a}]", OutlineInvalid), ("policies: [{name: p, test: a}, {name: p, test: b}]", OutlineInvalid), ("parameters: {x: {from: 2020-01-01, value: {a: 1}}}", OutlineInvalid),
    ("parameters: {x: [{value: 1}, {value: a}]}\npolicies: {p: 'a < x'}", KindClash), ("policies: {p: {test: [a]}}", OutlineInvalid), ("policies: {p: {versions: 3}}", OutlineInvalid),
])
def test_what_is_wrong_with_a_file_is_said(text: str, error: type[EligibilityError]) -> None:
    with pytest.raises(error) as caught:
        library_of(text)
    assert caught.value.text("zh") != caught.value.text("en")


@pytest.mark.parametrize("given_facts", [{"年龄": "八十"}, {"本地户籍": 1}, {"低收入": True}, {"年龄": True}, {"年龄": {"any": ["x", 1]}}, {"年龄": {"min": 5, "max": 1}}, {"年龄": {"most": 1}}])
def test_a_fact_of_another_kind_is_refused(given_facts: dict) -> None:
    with pytest.raises(EligibilityError):
        decide(program(), given_facts)


def test_parameters_come_in_several_forms() -> None:
    forms = ["5", "{value: 5}", "[{value: 5}]", "{2020-01-01: 5}", "{values: [{from: 2020-01-01, value: 5}]}", "{from: 2020-01-01, until: 2030-01-01, value: 5}", "{'2020-01-01': {value: 5}}"]
    for form in forms:
        library = library_of(f"parameters: {{x: {form}}}\npolicies: {{p: 'a < parameters.x', q: 'a < 参数.x', r: 'a < x'}}")
        assert [True] * 3 == [each.outcome for each in decide(library.at(DAY), {"a": 4}).values()], form


def test_a_section_may_be_a_list_that_names_its_items_and_a_group_may_be_one_line() -> None:
    library = library_of("policies: [{name: p, all: a, cite: [x, y]}, {id: q, any: {not: p}}]")
    assert {"p": True, "q": False} == {name: each.outcome for name, each in decide(library.at(DAY), {"a": True}).items()}
    assert "x；y" == library.policies["p"].versions[0].note.cite


def test_a_parameter_may_list_what_is_among() -> None:
    library = library_of("parameters: {levels: {value: [1, 2]}}\npolicies: {p: 'a in parameters.levels', q: 'a in (parameters.levels)'}")
    assert {True} == {each.outcome for each in decide(library.at(DAY), {"a": 2}).values()}


def test_two_programs_that_decide_alike_have_one_stamp() -> None:
    assert program().stamp == program(day=date(2024, 8, 1)).stamp
    assert program().stamp != program(day=date(2024, 6, 30)).stamp


def test_conditions_can_be_made_without_a_file() -> None:
    assert decide(around(parsed("a < 5")), {"a": 4})["p0"].outcome
