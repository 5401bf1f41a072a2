"""The exact minimum certificate: the fewest facts of a person that decide every policy, had one known beforehand which to ask.

No order of questions can do with fewer, so it is the limit that a strategy is measured by. Each policy's own smallest sets are found
over its gates; then one set a policy is chosen so that together they hold the fewest facts, by branch and bound.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from shouwang.eligibility.circuit import Circuit
from shouwang.eligibility.values import Truth

MOST_SETS = 20_000


class TooManySets(ArithmeticError):
    """The smallest sets of one gate are more than can be gone through; the certificate would not be exact."""


def minimum_certificate(circuit: Circuit, truths: Sequence[Truth]) -> frozenset[str]:
    """Return a smallest set of facts that decides all policies; every line must be known. Raises TooManySets."""
    facts = circuit.facts
    bits = {fact: 1 << place for place, fact in enumerate(facts)}
    sets: list[tuple[bool, list[int]]] = []
    for gate in circuit.gates:
        if gate.line >= 0:
            sets.append((bool(truths[gate.line]), [sum(bits[fact] for fact in circuit.reads[gate.line])]))
        elif gate.kind == "NOT":
            truth, found = sets[gate.parts[0]]
            sets.append((not truth, found))
        else:
            sets.append(_of_group([sets[part] for part in gate.parts], ends=gate.kind == "ANY"))
    best = fewest([sets[root][1] for root in circuit.roots])
    return frozenset(fact for fact in facts if bits[fact] & best)


def _of_group(parts: Sequence[tuple[bool, list[int]]], *, ends: bool) -> tuple[bool, list[int]]:
    """Return the smallest sets of a group: those of one part that ends it, else one of every part together."""
    ending = [found for truth, found in parts if truth is ends]
    if ending:
        return ends, smallest(each for found in ending for each in found)
    whole = [0]
    for _, found in parts:
        whole = smallest(one | two for one in whole for two in found)
    return not ends, whole


def smallest(sets: Iterable[int]) -> list[int]:
    """Return the sets that contain no other."""
    found: list[int] = []
    for each in sorted(set(sets), key=int.bit_count):
        if not any(other & each == other for other in found):
            found.append(each)
            if len(found) > MOST_SETS:
                raise TooManySets
    return found


def fewest(choices: Sequence[list[int]]) -> int:
    """Return the union with the fewest facts that takes one set of each choice."""
    left = sorted(choices, key=len)
    best = 0
    for each in left:
        best |= min(each, key=lambda found: (found | best).bit_count())
    return _search(left, 0, best)


def _search(left: Sequence[list[int]], taken: int, best: int) -> int:
    """Return the better of `best` and what can be had by adding one set of each choice in `left` to `taken`."""
    open_ = [found for found in ([each & ~taken for each in sets] for sets in left) if 0 not in found]
    if not open_:
        return taken if taken.bit_count() < best.bit_count() else best
    if taken.bit_count() + max(min(each.bit_count() for each in found) for found in open_) >= best.bit_count():
        return best
    first = min(open_, key=len)
    rest = [found for found in open_ if found is not first]
    for each in sorted(smallest(first), key=int.bit_count):
        best = _search(rest, taken | each, best)
    return best
