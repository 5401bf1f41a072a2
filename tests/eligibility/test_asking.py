"""Questions end in decisions, certificates are the smallest there are, and both agree with the interpreter."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from shouwang.eligibility import certificate, decide, library_of
from shouwang.eligibility.asking import Questions, decided, form_of, live_facts
from shouwang.eligibility.bulk import Column, Table
from shouwang.eligibility.certificate import TooManySets, minimum_certificate, smallest
from shouwang.eligibility.circuit import circuit_of
from shouwang.eligibility.form import Node
from tests.eligibility.drawing import PATIENT, outlines, whole_facts
from tests.eligibility.libraries import DAY, around, program

TWO = library_of("policies: {a: {all: [x, 'n < 5']}, b: {any: [x, y]}, c: {not: z}}").at(DAY)


def asked_until_decided(questions: Questions, whole: dict[str, Any]) -> list[str]:
    known: dict[str, Any] = {}
    while (question := questions.next(known, members=[])) is not None:
        assert question.fact not in known
        known[question.fact] = whole[question.fact]
    return list(known)


@settings(max_examples=60, **PATIENT)
@given(outlines(depth=2), outlines(depth=1), whole_facts())
def test_questions_end_when_everything_is_decided_that_can_be(first: Node, second: Node, facts: dict[str, Any]) -> None:
    made = around(first, second)
    asked = asked_until_decided(Questions(made), facts)
    known = {name: facts[name] for name in asked}
    assert {name: each.outcome for name, each in decide(made, facts, members=[]).items()} == {name: each.outcome for name, each in decide(made, known, members=[]).items()}


@settings(max_examples=60, **PATIENT)
@given(outlines(depth=2), outlines(depth=1), whole_facts())
def test_a_certificate_decides_and_no_smaller_set_does(first: Node, second: Node, facts: dict[str, Any]) -> None:
    made = around(first, second)
    circuit = circuit_of(made)
    truths = Questions(made).truths(facts, members=[])
    if None in truths or any("members" in reads for reads in circuit.reads):
        return
    found = minimum_certificate(circuit, truths)
    known = [truth if reads <= found else None for truth, reads in zip(truths, circuit.reads, strict=True)]
    assert decides(circuit, known)
    for fewer in itertools.combinations(circuit.facts, max(len(found) - 1, 0)):
        if found:
            assert not decides(circuit, [truth if reads <= set(fewer) else None for truth, reads in zip(truths, circuit.reads, strict=True)])


def decides(circuit: Any, truths: list[bool | None]) -> bool:
    gates = decided(circuit, truths)
    return all(gates[root] is not None for root in circuit.roots)


def test_the_question_that_settles_most_comes_first() -> None:
    question = Questions(TWO).next({})
    assert question is not None
    assert ("x", ("a", "b")) == (question.fact, question.policies)
    assert ["x", "z", "n"] == sorted(asked_until_decided(Questions(TWO), {"x": True, "n": 3, "y": False, "z": True}), key="xzn".index)


def test_a_sample_turns_the_order() -> None:
    made = library_of("policies: {a: {all: [p, q]}}").at(DAY)
    truth = np.zeros(50, bool)
    rarely_q = Table(50, {"p": Column(~truth), "q": Column(truth)})
    rarely_p = Table(50, {"p": Column(truth), "q": Column(~truth)})
    assert ("p", "q") == tuple(Questions(made, each).next({}).fact for each in (rarely_p, rarely_q))


def test_what_cannot_be_answered_is_not_asked() -> None:
    assert "x" != Questions(TWO).next({}, unanswerable=["x"]).fact
    assert Questions(TWO).next({"x": True, "n": 1}, unanswerable=["z"]) is None


def test_only_what_still_bears_is_on_the_form() -> None:
    assert ["x", "n", "y", "z"] == live_facts(TWO, {})
    assert ["n", "z"] == live_facts(TWO, {"x": True})
    assert [] == live_facts(TWO, {"x": True, "n": 9, "z": True})
    assert {"x": 1, "n": 1, "y": 1, "z": 1} == dict(form_of(TWO))
    assert "人均月收入" in form_of(program())


def test_sets_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certificate, "MOST_SETS", 5)
    with pytest.raises(TooManySets):
        smallest(1 << place for place in range(6))
