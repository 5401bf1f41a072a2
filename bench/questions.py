"""`questions`: a thousand applicants are asked one fact after the other until 12 policies are decided.

Beside the product's order: the minimum expected live set, the whole form, the form without what no longer bears, publicodes' count (the fact that most open lines name),
and the exact minimum certificate, the fewest facts that could have done. What an answer is likely to be is learnt from other people of the
same population, and once from another population (`questions_mean_shifted`).
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable
from datetime import date
from typing import Any

import numpy as np

from bench.eligibility.people import SHIFTED, TWELVE, people, records
from bench.harness import Bench
from shouwang.eligibility import Program, decide, shipped
from shouwang.eligibility.asking import Questions, decided, live
from shouwang.eligibility.certificate import TooManySets, minimum_certificate
from shouwang.eligibility.values import Truth

DAY = date(2026, 1, 1)
SAMPLE = 1_000
FIGURES: dict[str, Callable[[dict[str, Any]], bool]] = {
    "ratio_to_certificate": lambda found: 1 <= (found.get("ratio_to_certificate") or 9) <= 1.25,
    "share_of_form": lambda found: 0 < (found.get("share_of_form") or 1) <= 0.55,
    "certificate_exact_share": lambda found: found.get("certificate_exact_share") == 1.0,
}
BREAKS_A_FIGURE, BROKEN = True, ("ratio_to_certificate",)
Chooser = Callable[[list[Truth], set[str]], str | None]


def run(bench: Bench) -> dict[str, Any]:
    """Ask every applicant by every strategy and compare with the certificate."""
    count = bench.options.number("applicants", 1_000, quick=100)
    library = shipped()
    whole = library.at(DAY)
    program = whole.only([name for name, each in whole.policies.items() if each.terms.number in TWELVE])
    learnt = Questions(program, people(library, SAMPLE, seed=bench.seed + 100))
    shifted = Questions(program, people(library, SAMPLE, seed=bench.seed + 100, kind=SHIFTED))
    form = learnt.circuit.facts
    bench.n = {"applicants": count, "policies": 12, "facts": len(form), "sample": SAMPLE}
    applicants = records(people(library, count, seed=bench.seed), np.arange(count))
    strategies: dict[str, Chooser] = {
        "questions": by(learnt, broken=bench.options.self_test), "shifted": by(shifted, broken=False), "expected_live": least_live(learnt),
        "form_live": in_order(learnt), "publicodes": most_named(learnt),
    }
    asked: dict[str, list[int]] = {name: [] for name in strategies}
    fewest, wrong, inexact, spent = [], 0, 0, []
    for n, facts in enumerate(applicants):
        truths = learnt.truths(facts)
        for name, choose in strategies.items():
            known, seconds = interview(learnt, truths, choose)
            asked[name].append(len(known))
            if name == "questions":
                spent += seconds
                wrong += n < 200 and not same(program, facts, known)
        try:
            certificate = minimum_certificate(learnt.circuit, truths)
        except TooManySets:
            inexact += 1
            continue
        fewest.append(len(certificate))
        wrong += not settles(learnt, truths, certificate)
        wrong += any(len(certificate) > each[-1] for each in asked.values())
        wrong += n < 20 and any(settles(learnt, truths, some) for some in itertools.islice(itertools.combinations(form, len(certificate) - 1), 20_000))
        if n % 100 == 99:
            bench.note(f"{n + 1} applicants")
    mean = {name: round(float(np.mean(each)), 3) for name, each in asked.items()}
    certificate_mean = float(np.mean(fewest))
    return {
        "verified": wrong == 0, "wrong": wrong, "questions_mean": mean["questions"], "questions_p90": float(np.percentile(asked["questions"], 90)),
        "whole_form": len(form), "form_live_mean": mean["form_live"], "publicodes_mean": mean["publicodes"], "expected_live_mean": mean["expected_live"],
        "certificate_mean": round(certificate_mean, 3), "certificate_exact_share": round(1 - inexact / count, 4),
        "ratio_to_certificate": round(mean["questions"] / certificate_mean, 3), "ratio_publicodes": round(mean["publicodes"] / certificate_mean, 3),
        "share_of_form": round(mean["questions"] / len(form), 3), "share_of_form_live": round(mean["questions"] / mean["form_live"], 3),
        "questions_mean_shifted": mean["shifted"], "next_ms_p50": round(float(np.percentile(spent, 50)) * 1_000, 2), "next_ms_p99": round(float(np.percentile(spent, 99)) * 1_000, 2),
    }


def interview(questions: Questions, truths: list[Truth], choose: Chooser) -> tuple[set[str], list[float]]:
    """Return what was asked until nothing was left to ask, and the seconds that each choice took."""
    known: set[str] = set()
    spent = []
    while True:
        so_far = [truth if reads <= known else None for truth, reads in zip(truths, questions.circuit.reads, strict=True)]
        started = time.perf_counter()
        fact = choose(so_far, known)
        spent.append(time.perf_counter() - started)
        if fact is None:
            return known, spent
        known.add(fact)


def least_live(questions: Questions) -> Chooser:
    """Return the fact after which the fewest are expected to be live."""
    def choose(truths: list[Truth], known: set[str]) -> str | None:
        left = sorted(live(questions.circuit, decided(questions.circuit, truths)) - known)
        return questions.least_live(left, truths, asked=known) if left else None

    return choose


def by(questions: Questions, *, broken: bool) -> Chooser:
    """Return the product's order; broken, it asks the fact after which most remain."""
    def choose(truths: list[Truth], known: set[str]) -> str | None:
        if broken:
            left = sorted(live(questions.circuit, decided(questions.circuit, truths)) - known)
            weights = questions.weights(truths)
            return max(left, key=lambda fact: questions.expected(fact, truths, weights, known), default=None)
        question = questions.next_of(truths, asked=known)
        return question.fact if question else None

    return choose


def in_order(questions: Questions) -> Chooser:
    """Return the order of the form, without what no longer bears."""
    def choose(truths: list[Truth], known: set[str]) -> str | None:
        left = live(questions.circuit, decided(questions.circuit, truths)) - known
        return next((fact for fact in questions.circuit.facts if fact in left), None)

    return choose


def most_named(questions: Questions) -> Chooser:
    """Return the fact that most open lines name, as publicodes counts its missing variables."""
    def choose(truths: list[Truth], known: set[str]) -> str | None:
        left = live(questions.circuit, decided(questions.circuit, truths)) - known
        named = {fact: sum(truth is None and fact in reads for truth, reads in zip(truths, questions.circuit.reads, strict=True)) for fact in left}
        return max(questions.circuit.facts, key=lambda fact: named.get(fact, -1)) if left else None

    return choose


def settles(questions: Questions, truths: list[Truth], facts: Any) -> bool:
    """Return whether these facts decide all policies."""
    known = set(facts)
    gates = decided(questions.circuit, [truth if reads <= known else None for truth, reads in zip(truths, questions.circuit.reads, strict=True)])
    return all(gates[root] is not None for root in questions.circuit.roots)


def same(program: Program, facts: dict[str, Any], known: set[str]) -> bool:
    """Return whether the interpreter decides from what was asked what it decides from everything."""
    part = {name: each.outcome for name, each in decide(program, {name: facts[name] for name in known}).items()}
    return part == {name: each.outcome for name, each in decide(program, facts).items()}
