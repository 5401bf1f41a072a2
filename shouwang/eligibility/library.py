"""A library of policies as written: facts, parameters, definitions and policies, each with its dates and areas.

`Library.at(day, area)` settles what is in force there and gives a `Program`, which the back ends read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from functools import cached_property
from typing import Any, TypeVar

from shouwang.eligibility.errors import PolicyUnknown
from shouwang.eligibility.form import EMPTY, Among, AmountOf, Const, Node, Note, Param, Ref, rebuilt, walk

Area = tuple[str, ...]
Text = TypeVar("Text", "Dated", "Version")


@dataclass(frozen=True)
class FactSpec:
    """What a file says about a fact: how to ask for it, and whether and at what cost a household can change it."""

    name: str
    kind: str | None = None
    title: str = ""
    question: str = ""
    unit: str = ""
    choices: tuple[Any, ...] = ()
    mutable: bool = True
    cost: float = 1.0
    low: float | None = None
    high: float | None = None
    note: Note = EMPTY


@dataclass(frozen=True)
class Dated:
    """One value of a parameter: from `since` (inclusive) to `until` (exclusive), in `area` or everywhere."""

    value: Any
    since: date | None = None
    until: date | None = None
    area: str | None = None
    note: Note = EMPTY


@dataclass(frozen=True)
class Parameter:
    """A number that changes by date and by area."""

    name: str
    series: tuple[Dated, ...]
    unit: str = ""
    note: Note = EMPTY


@dataclass(frozen=True)
class Terms:
    """What a policy says besides whom it is for and how much."""

    number: int | None = None
    department: str = ""
    period: str = ""
    excludes: tuple[str, ...] = ()
    tops_up: tuple[str, ...] = ()
    yields_to: tuple[str, ...] = ()
    valid: str = ""
    notice: str = ""
    deadline: str = ""
    application_free: bool = False
    review: str = ""
    offices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Version:
    """A text of a policy or definition, in force from `since` to `until` (exclusive) in `area` or everywhere."""

    condition: Node
    amount: Node | None = None
    since: date | None = None
    until: date | None = None
    area: str | None = None
    note: Note = EMPTY
    terms: Terms = Terms()


@dataclass(frozen=True)
class Entry:
    """A policy or definition with its versions."""

    name: str
    versions: tuple[Version, ...]


@dataclass(frozen=True)
class Ruling:
    """A policy as it stands on one day in one place; out of force its condition is false."""

    name: str
    condition: Node
    amount: Node | None
    note: Note
    terms: Terms
    in_force: bool = True


@dataclass(frozen=True)
class Program:
    """What is in force on a day in an area, parameters filled in: the one thing that back ends read.

    `definitions` stand in an order in which each refers only to earlier ones or to policies; `order` is that of both together.
    """

    day: date
    area: Area
    definitions: Mapping[str, Node]
    policies: Mapping[str, Ruling]
    kinds: Mapping[str, str | None]
    member_kinds: Mapping[str, str | None]
    facts: Mapping[str, FactSpec]
    order: tuple[str, ...]
    asked: tuple[str, ...]
    parameters: Mapping[str, Dated]
    notes: Mapping[str, Note] = field(default_factory=dict)

    @cached_property
    def stamp(self) -> str:
        """Return a fingerprint of everything that decides: two programs with one stamp decide alike."""
        text = repr([(name, self.node(name)) for name in self.order]) + repr([(name, each.amount, each.terms) for name, each in self.policies.items()])
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @cached_property
    def kept(self) -> dict[Any, Any]:
        """Return a memory in which a back end keeps what it made of this program."""
        return {}

    def node(self, name: str) -> Node:
        """Return the condition of a policy, or a definition."""
        return self.policies[name].condition if name in self.policies else self.definitions[name]

    def ruling(self, name: str) -> Ruling:
        """Return a policy. Raises PolicyUnknown."""
        if name not in self.policies:
            raise PolicyUnknown(name=name, known="、".join(self.policies))
        return self.policies[name]

    def only(self, names: Iterable[str]) -> Program:
        """Return the program of a few policies and of what they refer to; the others are no longer decided."""
        asked = tuple(self.ruling(name).name for name in names)
        needed = set(asked)
        for name in reversed(self.order):
            if name in needed:
                needed |= {each.name for root in self.roots(name) for each in walk(root) if isinstance(each, (Ref, AmountOf))}
        return replace(self, asked=asked, order=tuple(name for name in self.order if name in needed))

    def roots(self, name: str) -> list[Node]:
        """Return the condition of a policy or definition and, where there is one, its amount."""
        amount = self.policies[name].amount if name in self.policies else None
        return [self.node(name)] if amount is None else [self.node(name), amount]


@dataclass(frozen=True)
class Library:
    """Facts, parameters, definitions and policies, as loaded from files and checked."""

    facts: Mapping[str, FactSpec]
    parameters: Mapping[str, Parameter]
    definitions: Mapping[str, Entry]
    policies: Mapping[str, Entry]
    kinds: Mapping[str, str | None] = field(default_factory=dict)
    member_kinds: Mapping[str, str | None] = field(default_factory=dict)
    order: tuple[str, ...] = ()

    def at(self, day: date, area: Sequence[str] | str = ()) -> Program:
        """Return what is in force on `day` in an area given by its path, the widest first; the nearest ancestor wins."""
        path = tuple(part for part in area.strip("/").split("/") if part) if isinstance(area, str) else tuple(area)
        values = {name: in_force(each.series, day=day, area=path) for name, each in self.parameters.items()}
        filled = {name: each or Dated(None) for name, each in values.items()}
        definitions, policies, notes = {}, {}, {}
        for name in self.order:
            entry = self.definitions.get(name) or self.policies[name]
            version = in_force(entry.versions, day=day, area=path)
            notes[name] = version.note if version else entry.versions[-1].note
            if name in self.definitions:
                definitions[name] = with_values(version.condition, filled) if version else Const(None)
            elif version is None:
                last = entry.versions[-1]
                policies[name] = Ruling(name, Const(False), Const(0), last.note, last.terms, in_force=False)
            else:
                amount = with_values(version.amount, filled) if version.amount is not None else None
                policies[name] = Ruling(name, with_values(version.condition, filled), amount, version.note, version.terms)
        listed = {name: policies[name] for name in self.policies}
        return Program(day, path, definitions, listed, self.kinds, self.member_kinds, self.facts, self.order, tuple(listed), filled, notes)

    def unfilled(self, day: date, area: Sequence[str] = ()) -> list[str]:
        """Return the parameters that have no value there of their own but an illustrative one or none."""
        found = {name: in_force(each.series, day=day, area=tuple(area)) for name, each in self.parameters.items()}
        return [name for name, each in found.items() if each is None or each.note.illustrative or (self.parameters[name].note.illustrative and not each.area)]


def in_force(texts: Sequence[Text], *, day: date, area: Area) -> Text | None:
    """Return the text in force: of the nearest area on the path first, then the latest begun."""
    ranks: dict[str | None, int] = {None: -1}
    ranks.update({part: depth for depth, part in enumerate(area)})
    standing = [
        each for each in texts
        if each.area in ranks and (each.since is None or each.since <= day) and (each.until is None or day < each.until)
    ]
    return max(standing, key=lambda each: (ranks[each.area], each.since or date.min), default=None)


def with_values(node: Node, values: Mapping[str, Dated]) -> Node:
    """Return the node with each parameter's value in its place."""
    if isinstance(node, Param):
        return replace(node, value=values[node.name].value)
    if isinstance(node, Among) and isinstance(node.options[0], Param):
        listed = values[node.options[0].name].value
        options = tuple(Const(each) for each in listed) if isinstance(listed, tuple) else (Const(listed),)
        return replace(node, item=with_values(node.item, values), options=options)
    return rebuilt(node, lambda each: with_values(each, values))
