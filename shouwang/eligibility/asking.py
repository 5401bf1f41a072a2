"""Which question next, so that as few as possible are asked until every policy is decided.

With a sample of people: the fact that most often belongs to the fewest that would have decided such a person (`certificate.py`); those who
resemble the applicant in what is known count more. Without a sample, or where nobody alike helps: the fact after which, on average, the
fewest facts still bear on an open policy (minimum expected live set). The sample only orders the questions, it never decides.
"""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from shouwang.eligibility.bulk.chunks import Chunk
from shouwang.eligibility.bulk.columns import Table
from shouwang.eligibility.bulk.planning import Plan
from shouwang.eligibility.certificate import TooManySets, minimum_certificate
from shouwang.eligibility.circuit import Circuit, circuit_of
from shouwang.eligibility.interpret import Facts, Judgement, Members
from shouwang.eligibility.library import Program
from shouwang.eligibility.values import Truth, truth_of

UNLIKE = 0.3
MOST_OUTCOMES = 24
Outcomes = tuple[tuple[tuple[Truth, ...], float], ...]


@dataclass(frozen=True)
class Question:
    """A fact worth asking, and the open policies that it bears on."""

    fact: str
    policies: tuple[str, ...]


class Questions:
    """The order of questions of one program, learnt once from a sample of people whose facts are all known."""

    def __init__(self, program: Program, sample: Table | None = None) -> None:
        self.program = program
        self.circuit: Circuit = circuit_of(program)
        self.sample = lines_of(self.circuit, program, sample) if sample is not None and sample.count else None
        self.lines_by_fact = {fact: [n for n, reads in enumerate(self.circuit.reads) if fact in reads] for fact in self.circuit.facts}

    @cached_property
    def order(self) -> dict[str, int]:
        """Return the place of each fact in the form."""
        return {fact: place for place, fact in enumerate(self.circuit.facts)}

    def truths(self, facts: Facts, *, members: Members = None) -> list[Truth]:
        """Return what is known of each line."""
        judged = Judgement(self.program, facts, members=members)
        return [truth_of(judged.value(node)) for node in self.circuit.lines]

    def next(self, facts: Facts, *, members: Members = None, unanswerable: Collection[str] = ()) -> Question | None:
        """Return the next question; None when every policy is decided, or what is left cannot be answered."""
        return self.next_of(self.truths(facts, members=members), asked={name for name, value in facts.items() if value is not None} | set(unanswerable))

    def next_of(self, truths: Sequence[Truth], *, asked: Collection[str]) -> Question | None:
        """Return the next question where `truths` is what is known of each line."""
        gates = decided(self.circuit, truths)
        candidates = sorted(live(self.circuit, gates) - set(asked), key=self.order.__getitem__)
        if not candidates:
            return None
        best = self.often_needed(candidates, truths) or self.least_live(candidates, truths, asked=asked)
        roots = (name for name, root in zip(self.program.asked, self.circuit.roots, strict=True) if gates[root] is None and best in self.facts_below(root))
        return Question(best, tuple(roots))

    def often_needed(self, candidates: Sequence[str], truths: Sequence[Truth]) -> str | None:
        """Return the fact that most often belongs to the certificates of people alike; None where no candidate does."""
        weights = self.weights(truths)
        if weights is None:
            return None
        shares = self.needed @ weights
        best = max(candidates, key=lambda fact: shares[self.order[fact]])
        return best if shares[self.order[best]] > 0 else None

    def least_live(self, candidates: Sequence[str], truths: Sequence[Truth], *, asked: Collection[str]) -> str:
        """Return the fact after which the fewest are expected to be live."""
        weights = self.weights(truths)
        return min(candidates, key=lambda fact: (self.expected(fact, truths, weights, asked), self.order[fact]))

    @cached_property
    def needed(self) -> NDArray[np.float64]:
        """Return a row for each fact: 1 for everybody of the sample to whose certificate it belongs. Those with open lines have none."""
        found = np.zeros((len(self.order), 0 if self.sample is None else len(self.sample)))
        for person, lines in enumerate(self.sample if self.sample is not None else ()):
            with contextlib.suppress(TooManySets):
                for fact in minimum_certificate(self.circuit, [bool(each) for each in lines]) if (lines >= 0).all() else ():
                    found[self.order[fact], person] = 1
        return found

    def weights(self, truths: Sequence[Truth]) -> NDArray[np.float64] | None:
        """Return how much each person of the sample counts: less for each known line in which they differ."""
        if self.sample is None:
            return None
        known = [n for n, truth in enumerate(truths) if truth is not None]
        wanted = np.array([1 if truths[n] else 0 for n in known], np.int8)
        unlike: NDArray[np.float64] = np.power(UNLIKE, (self.sample[:, known] != wanted).sum(1))
        return unlike

    def expected(self, fact: str, truths: Sequence[Truth], weights: NDArray[np.float64] | None, asked: Collection[str]) -> float:
        """Return how many facts are expected to be live once `fact` is known."""
        known = {*asked, fact}
        settles = [n for n in self.lines_by_fact[fact] if truths[n] is None and self.circuit.reads[n] <= known]
        total = 0.0
        for outcome, share in self.outcomes(settles, weights):
            after = list(truths)
            for n, truth in zip(settles, outcome, strict=True):
                after[n] = truth
            total += share * len(live(self.circuit, decided(self.circuit, after)) - known)
        return total

    def outcomes(self, lines: Sequence[int], weights: NDArray[np.float64] | None) -> Iterable[tuple[tuple[bool, ...], float]]:
        """Yield the outcomes that these lines may have together, and how likely each is."""
        if self.sample is None or weights is None:
            both = list(itertools.islice(itertools.product((True, False), repeat=len(lines)), MOST_OUTCOMES))
            return [(each, 1 / len(both)) for each in both]
        codes = (self.sample[:, lines] == 1) @ (1 << np.arange(len(lines), dtype=np.int64))
        found, where = np.unique(codes, return_inverse=True)
        shares = np.bincount(where, weights=weights) / weights.sum()
        return [(tuple(bool(int(code) >> n & 1) for n in range(len(lines))), float(share)) for code, share in zip(found, shares, strict=True)]

    def facts_below(self, gate: int) -> set[str]:
        """Return all facts below a gate."""
        found: set[str] = set()
        waiting = [gate]
        while waiting:
            each = self.circuit.gates[waiting.pop()]
            waiting += each.parts
            if each.line >= 0:
                found |= self.circuit.reads[each.line]
        return found


def lines_of(circuit: Circuit, program: Program, sample: Table) -> NDArray[np.int8]:
    """Return for each person of the sample what each line is: 1, 0, or −1 for unknown."""
    plan = Plan(program)
    places = [plan.truth(node) for node in circuit.lines]
    chunk = Chunk(sample, 0, sample.count)
    with np.errstate(all="ignore"):
        registers = plan.run(chunk)
    pairs = [chunk.unpacked(registers[place]) for place in places]
    return np.stack([np.where(holds, 1, np.where(fails, 0, -1)) for holds, fails in pairs], axis=1).astype(np.int8)


def decided(circuit: Circuit, truths: Sequence[Truth]) -> list[Truth]:
    """Return the truth of each gate from those of the lines."""
    found: list[Truth] = []
    for gate in circuit.gates:
        if gate.kind == "LINE":
            found.append(truths[gate.line])
        elif gate.kind == "NOT":
            inner = found[gate.parts[0]]
            found.append(None if inner is None else not inner)
        else:
            ends = gate.kind == "ANY"
            parts = [found[part] for part in gate.parts]
            found.append(ends if ends in parts else None if None in parts else not ends)
    return found


def live(circuit: Circuit, gates: Sequence[Truth]) -> set[str]:
    """Return the facts of open lines that still bear on an open policy."""
    found: set[str] = set()
    waiting = [root for root in circuit.roots if gates[root] is None]
    seen = set(waiting)
    while waiting:
        gate = circuit.gates[waiting.pop()]
        if gate.line >= 0:
            found |= circuit.reads[gate.line]
        for part in gate.parts:
            if gates[part] is None and part not in seen:
                seen.add(part)
                waiting.append(part)
    return found


def live_facts(program: Program, facts: Facts, *, members: Members = None) -> list[str]:
    """Return the facts that are not known and still bear on an open policy, in the order of the form: what one form would ask."""
    questions = Questions(program)
    left = live(questions.circuit, decided(questions.circuit, questions.truths(facts, members=members)))
    return [fact for fact in questions.circuit.facts if fact in left and facts.get(fact) is None]


def form_of(program: Program) -> Mapping[str, int]:
    """Return all facts of a program with in how many lines each occurs: the whole form."""
    circuit = circuit_of(program)
    return {fact: sum(fact in reads for reads in circuit.reads) for fact in circuit.facts}
