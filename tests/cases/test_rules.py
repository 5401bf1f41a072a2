"""The flow through a procedure and the evidence gate, by tables and properties."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shouwang.cases.rules.evidence import EvidenceMissing, Given, UnknownResult, require
from shouwang.cases.rules.flow import advance, case_number, done, holds, is_done, is_ended, taken_up_again
from shouwang.cases.rules.procedures import (
    Condition,
    EvidenceNeed,
    Limit,
    Phrase,
    Procedure,
    ProcedureInvalid,
    Result,
    Rung,
    Step,
    check,
    decode,
    encode,
)

WORDS = Phrase("一", "one")
RUNG = Rung("GRID_WORKER", "VILLAGE", 30)
OK = Result("OK", WORDS)


def step(code: str, *after: str, join: str = "ALL", when: tuple[Condition, ...] = ()) -> Step:
    return Step(code, WORDS, (RUNG,), (OK,), Limit(60), after=after, join=join, when=when)  # type: ignore[arg-type]


def procedure(*steps: Step) -> Procedure:
    return Procedure("P", WORDS, steps)


DIAMOND = procedure(step("a"), step("b", "a"), step("c", "a"), step("d", "b", "c"))


@pytest.mark.parametrize(
    ("states", "started", "complete"),
    [
        ({}, ["a"], False),  # a case opens
        ({"a": done("OK")}, ["b", "c"], False),  # both branches start at once
        ({"a": done("OK"), "b": done("OK"), "c": "R"}, [], False),  # the join waits for the other branch
        ({"a": done("OK"), "b": done("OK"), "c": done("OK")}, ["d"], False),  # the join starts
        ({"a": done("OK"), "b": done("OK"), "c": done("OK"), "d": done("OK")}, [], True),  # the end
    ],
)
def test_a_diamond_runs_branch_by_branch(states: dict[str, str], started: list[str], complete: bool) -> None:
    following = advance(DIAMOND, states, {})
    assert [each.code for each in following.started] == started
    assert following.complete is complete


def test_a_step_whose_condition_fails_is_skipped_with_what_follows_it_alone() -> None:
    only_if = Condition("a.result", "==", "HELP")
    flow = procedure(step("a"), step("b", "a", when=(only_if,)), step("c", "b"))
    following = advance(flow, {"a": done("OK")}, {})
    assert following.complete
    assert following.states == {"a": "D:OK", "b": "S", "c": "S"}
    assert [each.code for each in advance(flow, {"a": done("HELP")}, {}).started] == ["b"]


def test_join_any_starts_after_the_first_branch_done_and_only_once() -> None:
    flow = procedure(step("a"), step("b"), step("c", "a", "b", join="ANY"))
    first = advance(flow, {"a": done("OK"), "b": "R"}, {})
    assert [each.code for each in first.started] == ["c"]
    assert advance(flow, {**first.states, "b": done("OK")}, {}).started == ()


def test_what_was_skipped_after_a_step_is_judged_anew_when_the_step_is_taken_up_again() -> None:
    help_ = Condition("a.result", "==", "HELP")
    flow = procedure(step("a"), step("b", "a", when=(help_,)), step("c", "b"), step("d", "a"), step("e"))
    closed = {"a": done("OK"), "b": "S", "c": "S", "d": done("OK"), "e": done("OK")}
    again = taken_up_again(flow, closed, ["a"])
    assert again == {"a": "R", "d": done("OK"), "e": done("OK")}
    assert [each.code for each in advance(flow, {**again, "a": done("HELP")}, {}).started] == ["b"]


@pytest.mark.parametrize(
    ("op", "value", "found", "expected"),
    [
        ("==", 3, 3, True), ("!=", 3, 4, True), ("<", 3, 3, False), ("<=", 3, 3, True), (">", 3, 4, True), (">=", 3, 2, False),
        ("in", ["a", "b"], "a", True),
        ("<", 3, "x", False),  # another type is not less, and no error
        ("==", 3, None, False),  # unknown makes it false
    ],
)
def test_conditions(op: str, value: object, found: object, expected: bool) -> None:
    assert holds(Condition("f", op, value), {"f": found}) is expected  # type: ignore[arg-type]


@given(st.data())
def test_any_graph_ends_when_every_ready_step_is_done(data: st.DataObject) -> None:
    """However steps are chosen, a case never hangs and no step runs twice."""
    size = data.draw(st.integers(1, 8))
    steps = []
    for n in range(size):
        before = data.draw(st.lists(st.sampled_from(range(n)), unique=True)) if n else []
        join = data.draw(st.sampled_from(["ALL", "ANY"]))
        steps.append(step(f"s{n}", *(f"s{m}" for m in before), join=join))
    flow = procedure(*steps)
    check(flow)
    following = advance(flow, {}, {})
    ran: list[str] = []
    while not following.complete:
        ready = [code for code, state in following.states.items() if state == "R"]
        assert ready, "a case hangs"
        code = data.draw(st.sampled_from(ready))
        ran.append(code)
        following = advance(flow, {**following.states, code: done("OK")}, {})
    assert len(ran) == len(set(ran))


@pytest.mark.parametrize(
    ("steps", "problem"),
    [
        ((step("a"), step("a")), "twice"),
        ((step("a", "b"), step("b")), "before it"),  # a predecessor that stands later: a circle cannot be written
        ((Step("a", WORDS, (), (OK,), Limit(1)),), "nobody"),
        ((Step("a", WORDS, (RUNG,), (), Limit(1)),), "no result"),
        ((Step("a", WORDS, (RUNG,), (OK,), Limit(0)),), "above zero"),
    ],
)
def test_a_procedure_that_cannot_run_is_refused(steps: tuple[Step, ...], problem: str) -> None:
    with pytest.raises(ProcedureInvalid) as refused:
        check(procedure(*steps))
    assert problem in refused.value.text("en")


def test_a_procedure_survives_its_json() -> None:
    assert decode(encode(DIAMOND)) == DIAMOND
    with pytest.raises(ProcedureInvalid):
        decode("{}")


HOW = EvidenceNeed("how", WORDS, "CHOICE", (("MET", WORDS),))
TOLD = EvidenceNeed("told", WORDS, "TEXT")
PHOTO = EvidenceNeed("photo", WORDS, "PHOTO", optional=True)
GATED = Step("a", WORDS, (RUNG,), (Result("WELL", WORDS, (HOW, TOLD, PHOTO)),), Limit(1))


@pytest.mark.parametrize(
    "given_",
    [
        {},
        {"how": Given("how", "MET")},  # one of two
        {"how": Given("how", "GUESSED"), "told": Given("told", "x")},  # no such option
        {"how": Given("how", "MET"), "told": Given("told", "  ")},  # an empty text
    ],
)
def test_the_evidence_gate_stays_shut(given_: dict[str, Given]) -> None:
    with pytest.raises(EvidenceMissing):
        require(GATED, "WELL", given_)


def test_the_evidence_gate_opens_for_complete_evidence_and_known_results_only() -> None:
    complete = {"how": Given("how", "MET"), "told": Given("told", "邻居")}
    assert require(GATED, "WELL", complete).code == "WELL"
    with pytest.raises(UnknownResult):
        require(GATED, "FINE", complete)


def test_numbers_carry_the_local_day() -> None:
    assert case_number(datetime(2026, 1, 14, 17, 0, tzinfo=UTC), 7) == "20260115-00007"
    assert is_ended("S")
    assert not is_done("S")
    assert not is_ended(None)
