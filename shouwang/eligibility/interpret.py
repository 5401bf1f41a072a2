"""The explaining interpreter: decides one household or person from what is known of it, and can say how it came to each part.

`decide` gives outcomes and amounts; `explain` the tree of one policy with what was found at each node. Both read the same memory of one
`Judgement`, so an explanation cannot differ from the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from shouwang.eligibility.errors import FactInvalid
from shouwang.eligibility.form import (
    BOOLEAN,
    EMPTY,
    NUMBER,
    TEXT,
    All,
    Among,
    AmountOf,
    AnyOf,
    Arith,
    Call,
    Compare,
    Const,
    Fact,
    If,
    Node,
    Not,
    Note,
    Over,
    Param,
    Ref,
    is_outline,
    walk,
)
from shouwang.eligibility.form import parts as parts_of
from shouwang.eligibility.library import Program
from shouwang.eligibility.values import (
    OneOf,
    Range,
    Truth,
    Value,
    agreed,
    applied,
    both,
    calculated,
    compared,
    either,
    hull,
    narrowest,
    opposite,
    truth_of,
    value_of,
)

Facts = Mapping[str, Any]
Members = Sequence[Facts] | None
MOST_MEMBERS = 100
EXPECTED = {BOOLEAN: "是/否 (true/false)", NUMBER: "数 (number)", TEXT: "文字 (text)"}


@dataclass(frozen=True)
class Decision:
    """The outcome of one policy: True, False or None (unknown), and its amount, which may be a range or unknown."""

    policy: str
    outcome: Truth
    amount: Value = None


class Sketch(NamedTuple):
    """What is the same in every explanation of one node: what it cites, what a line reads, and its parts."""

    node: Node
    cite: str
    illustrative: bool
    reads: tuple[tuple[str, Node], ...]
    parts: tuple[Any, ...]


class Explanation(NamedTuple):
    """One node of an explained policy: what it asks, what came out, and the facts and parameters that were seen there."""

    node: Node
    outcome: Value
    seen: Mapping[str, Value]
    parts: tuple[Explanation, ...] = ()
    cite: str = ""
    illustrative: bool = False

    def replayed(self) -> Value:
        """Return the outcome that follows from the outcomes of the parts alone."""
        if not self.parts:
            return self.outcome
        truths = [part.replayed() for part in self.parts]
        if isinstance(self.node, (Not, Ref)):
            return opposite(truth_of(truths[0])) if isinstance(self.node, Not) else truths[0]
        whole: Truth = isinstance(self.node, All)
        join = both if whole else either
        for truth in truths:
            whole = join(whole, truth_of(truth))
        return whole

    def leaves(self) -> Iterator[Explanation]:
        """Yield the lowest nodes."""
        if not self.parts:
            yield self
        for part in self.parts:
            yield from part.leaves()


def decide(program: Program, facts: Facts, *, members: Members = None) -> dict[str, Decision]:
    """Return the decision on every policy of the program. Facts that are not given are unknown; so are members."""
    return Judgement(program, facts, members=members).decisions()


def explain(program: Program, policy: str, facts: Facts, *, members: Members = None) -> Explanation:
    """Return why a policy holds, does not, or is not known to. Raises PolicyUnknown."""
    return Judgement(program, facts, members=members).explanation(program.ruling(policy).name)


class Judgement:
    """What is known of one household under one program. Everything is reckoned once and remembered."""

    def __init__(self, program: Program, facts: Facts, *, members: Members = None) -> None:
        self.program = program
        self.facts = taken(facts, program.kinds, program)
        self.members = None if members is None else [taken(each, program.member_kinds, program) for each in _few(members)]
        self.member: Mapping[str, Value] = {}
        self._named: dict[str, Value] = {}
        self._of_node: dict[int, Value] = {}
        self._amounts: dict[str, Value] = {}
        self._explained: dict[int, Explanation] = {}

    def decisions(self) -> dict[str, Decision]:
        """Return the decision on every policy that is asked."""
        return {name: self.decision(name) for name in self.program.asked}

    def decision(self, policy: str) -> Decision:
        """Return the decision on one policy."""
        return Decision(policy, self.outcome(policy), self.amount(policy))

    def outcome(self, policy: str) -> Truth:
        """Return whether a policy holds."""
        return truth_of(self.named(policy))

    def amount(self, policy: str) -> Value:
        """Return what a policy gives: nothing (0) when it does not hold, unknown when it says no amount."""
        if policy not in self._amounts:
            amount, outcome = self.program.policies[policy].amount, self.outcome(policy)
            due = self.value(amount) if amount is not None else None
            self._amounts[policy] = 0 if outcome is False else due if outcome or due is None else hull(0, due)
        return self._amounts[policy]

    def named(self, name: str) -> Value:
        """Return the value of a definition or the outcome of a policy."""
        if name not in self._named:
            self._named[name] = self.value(self.program.node(name))
        return self._named[name]

    def value(self, node: Node) -> Value:
        """Return the value of a node; of nodes of the outline it is remembered for the explanation."""
        found = VALUES[type(node)](self, node)
        if node.note.text:
            self._of_node[id(node)] = found
        return found

    def explanation(self, name: str) -> Explanation:
        """Return the explained condition of a policy or definition."""
        self.named(name)
        return self.explained(sketch_of(self.program, name, EMPTY))

    def explained(self, sketch: Sketch) -> Explanation:
        """Return an explained node: groups with their parts, a name with what stands behind it, a line with what it saw."""
        found = self._explained.get(id(sketch))
        if found is None:
            node = sketch.node
            outcome = self._of_node[id(node)] if id(node) in self._of_node else self.value(node)
            parts = tuple([self.explained(each) for each in sketch.parts])
            seen = {} if parts else {name: VALUES[type(each)](self, each) for name, each in sketch.reads}
            found = self._explained[id(sketch)] = Explanation(node, outcome, seen, parts, sketch.cite, sketch.illustrative)
        return found

    def _all(self, node: All) -> Truth:
        whole: Truth = True
        for item in node.items:
            whole = both(whole, truth_of(self.value(item)))
        return whole

    def _any(self, node: AnyOf) -> Truth:
        whole: Truth = False
        for item in node.items:
            whole = either(whole, truth_of(self.value(item)))
        return whole

    def _among(self, node: Among) -> Truth:
        item, options = self.value(node.item), [self.value(each) for each in node.options]
        if isinstance(item, OneOf) and None not in options:
            return agreed(_one_among(each, options) for each in item.options)
        return _one_among(item, options)

    def _if(self, node: If) -> Value:
        test = truth_of(self.value(node.test))
        then, other = self.value(node.then), self.value(node.other)
        return hull(then, other) if test is None else then if test else other

    def _over(self, node: Over) -> Value:
        if self.members is None:
            return None
        found: list[Value] = []
        for each in self.members:
            self.member = each
            found.append(self.value(node.item) if node.item is not None else True)
        self.member = {}
        return OVER[node.kind](found)

    def _fact(self, node: Fact) -> Value:
        return (self.member if node.of_member else self.facts).get(node.name)


def sketch_of(program: Program, name: str, above: Note) -> Sketch:
    """Return the sketch of a policy or definition, made once; what cites nothing of its own cites as what stands above it."""
    note = inherited(program.notes.get(name, EMPTY), above)
    key = "sketch", name, note.cite, note.illustrative
    if key not in program.kept:
        program.kept[key] = sketched(program, program.node(name), note)
    found: Sketch = program.kept[key]
    return found


def sketched(program: Program, node: Node, above: Note) -> Sketch:
    """Return the sketch of a node."""
    note = inherited(node.note, above)
    if isinstance(node, Ref):
        return Sketch(node, note.cite, note.illustrative, (), (sketch_of(program, node.name, note),))
    inside = [each for each in parts_of(node) if is_outline(each)] if isinstance(node, (All, AnyOf, Not)) else []
    if inside:
        return Sketch(node, note.cite, note.illustrative, (), tuple(sketched(program, each, note) for each in inside))
    reads = {each.name: each for each in walk(node) if isinstance(each, (Param, Ref)) or (isinstance(each, Fact) and not each.of_member)}
    return Sketch(node, note.cite, note.illustrative, tuple(reads.items()), ())


def inherited(note: Note, above: Note) -> Note:
    """Return a note that cites what stands above it when it cites nothing itself."""
    if note.cite or not (above.cite or above.illustrative):
        return note
    return Note(note.text, above.cite, note.explain, note.evidence, note.illustrative or above.illustrative)


def _one_among(item: Value, options: Sequence[Value]) -> Truth:
    whole: Truth = False
    for each in options:
        whole = either(whole, compared("==", item, each))
    return whole


def _counted(found: Sequence[Value]) -> Value:
    sure, open_ = sum(each is True for each in found), sum(truth_of(each) is None for each in found)
    return narrowest(sure, sure + open_)


def _summed(found: Sequence[Value]) -> Value:
    total: Value = 0
    for each in found:
        total = calculated("+", total, each)
    return total


def _any_of(found: Sequence[Value]) -> Truth:
    truths = [truth_of(each) for each in found]
    return True if True in truths else None if None in truths else False


def _all_of(found: Sequence[Value]) -> Truth:
    return opposite(_any_of([opposite(truth_of(each)) for each in found]))


OVER: dict[str, Callable[[Sequence[Value]], Value]] = {"any": _any_of, "all": _all_of, "count": _counted, "sum": _summed}
VALUES: dict[type[Node], Callable[[Judgement, Any], Value]] = {
    Const: lambda _, node: node.value, Param: lambda _, node: node.value, Fact: Judgement._fact,  # noqa: SLF001
    Ref: lambda judgement, node: judgement.named(node.name), AmountOf: lambda judgement, node: judgement.amount(node.name),
    All: Judgement._all, AnyOf: Judgement._any, Among: Judgement._among, If: Judgement._if, Over: Judgement._over,  # noqa: SLF001
    Not: lambda judgement, node: opposite(truth_of(judgement.value(node.item))),
    Compare: lambda judgement, node: compared(node.op, judgement.value(node.left), judgement.value(node.right)),
    Arith: lambda judgement, node: calculated(node.op, judgement.value(node.left), judgement.value(node.right)),
    Call: lambda judgement, node: applied(node.name, [judgement.value(each) for each in node.args]),
}


def _few(members: Sequence[Facts]) -> Sequence[Facts]:
    if len(members) > MOST_MEMBERS:
        raise FactInvalid(name="members", found=len(members), expected=f"≤ {MOST_MEMBERS}")
    return members


def taken(facts: Facts, kinds: Mapping[str, str | None], program: Program) -> dict[str, Value]:
    """Return given facts as values. Raises FactInvalid for one of another kind, or for a name that the program itself decides."""
    found: dict[str, Value] = {}
    for name, given in facts.items():
        value = given if type(given) in PLAIN else value_of(given)
        if value is not None and name in kinds:
            require_kind(name, value, kinds[name])
        elif name in program.policies or name in program.definitions:
            raise FactInvalid(name=name, found=value, expected="由政策库判定，不作为事实给出 / decided by the library, not given")
        found[name] = value
    return found


PLAIN = frozenset({bool, int, str, type(None)})
TYPES: dict[str, frozenset[type]] = {BOOLEAN: frozenset({bool}), NUMBER: frozenset({int, float}), TEXT: frozenset({str})}


def require_kind(name: str, value: Value, kind: str | None) -> None:
    """Raise FactInvalid when a value is not of the kind."""
    if kind is None:
        return
    types = TYPES[kind]
    if type(value) in types:
        return
    if isinstance(value, Range) and kind == NUMBER:
        return
    if isinstance(value, OneOf) and all(type(each) in types for each in value.options):
        return
    raise FactInvalid(name=name, found=repr(value), expected=EXPECTED[kind])


def exact(value: Value) -> bool:
    """Return whether a value is one known value."""
    return value is not None and not isinstance(value, (Range, OneOf))
