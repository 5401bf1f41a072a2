"""The conditions of a program as lines over facts: which facts a line reads, and what must be known before a policy is decided.

A line counts as known once all of its facts are. That is what questions and certificates are reckoned with.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from shouwang.eligibility.form import All, AmountOf, AnyOf, Fact, Node, Not, Over, Ref, walk
from shouwang.eligibility.library import Program


@dataclass(frozen=True)
class Gate:
    """A node of the tree: `kind` is LINE, ALL, ANY or NOT; of a line, `line` is its place among all lines of the program."""

    kind: str
    parts: tuple[int, ...] = ()
    line: int = -1


@dataclass(frozen=True)
class Circuit:
    """All conditions of a program as gates, each after its parts; `roots` are the policies, `reads` the facts of each line."""

    gates: tuple[Gate, ...]
    roots: tuple[int, ...]
    lines: tuple[Node, ...]
    reads: tuple[frozenset[str], ...]

    @property
    def facts(self) -> list[str]:
        """Return all facts, in the order in which the lines name them."""
        return list(dict.fromkeys(name for each in self.reads for name in sorted(each)))


def circuit_of(program: Program) -> Circuit:
    """Return the conditions of the policies that are asked as gates; equal nodes are one gate."""
    builder = Builder(program, [], {}, [], [])
    roots = tuple(builder.gate(Ref(name)) for name in program.asked)
    return Circuit(tuple(builder.gates), roots, tuple(builder.lines), tuple(builder.reads))


@dataclass
class Builder:
    """Puts gates one after the other."""

    program: Program
    gates: list[Gate]
    places: dict[Node, int]
    lines: list[Node]
    reads: list[frozenset[str]]

    def gate(self, node: Node) -> int:
        """Return the place of a node's gate."""
        if node not in self.places:
            self.places[node] = self.gate(self.program.node(node.name)) if isinstance(node, Ref) else self.added(node)
        return self.places[node]

    def added(self, node: Node) -> int:
        """Put a gate and return its place."""
        if isinstance(node, (All, AnyOf)):
            gate = Gate("ALL" if isinstance(node, All) else "ANY", tuple(self.gate(each) for each in node.items))
        elif isinstance(node, Not):
            gate = Gate("NOT", (self.gate(node.item),))
        else:
            self.lines.append(node)
            self.reads.append(frozenset(read(node, self.program)))
            gate = Gate("LINE", line=len(self.lines) - 1)
        self.gates.append(gate)
        return len(self.gates) - 1


MEMBERS = "members"


def read(node: Node, program: Program) -> Iterator[str]:
    """Yield the facts that a line reads, through definitions too; members count as one fact."""
    for each in walk(node):
        if isinstance(each, Fact) and not each.of_member:
            yield each.name
        elif isinstance(each, Over):
            yield MEMBERS
        elif isinstance(each, (Ref, AmountOf)):
            for root in program.roots(each.name) if isinstance(each, AmountOf) else (program.node(each.name),):
                yield from read(root, program)
